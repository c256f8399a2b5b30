//! Where the contents of a profile are: beside its records, or on another disk, where a person said.
//!
//! Such a place is a folder of ours in a folder of theirs, and it is marked: a drive that isn't connected must not be
//! taken for one on which nothing was kept. Moving is done before anybody works with the contents, and goes on where it
//! stopped, whatever ends it: what is wanted stands in the settings first, and a content leaves the old place only when it
//! is safe in the new one.

use crate::{
    message::{Code, Problem, Result},
    private_file,
    profile::{Profile, make_private},
    settings::Settings,
};
use std::{
    fs,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};
use stores::files::FilesSpec;

/// Lies in a person's place, and says what that is.
const MARK: &str = "What is this.txt";
const MARK_TEXT: &str = "Tandem keeps earlier versions of your items here, so that everything can be undone.\n\
    Where they are kept is chosen in Tandem: Settings, Backup. Please don't delete or change anything here.\n";
/// A content on its way to another disk is called so.
const MOVING: &str = "moving";

/// Where the contents are.
pub(crate) fn folder(profile: &Profile, settings: &Settings) -> PathBuf {
    settings.history.place.clone().unwrap_or_else(|| profile.blobs())
}

/// Has the contents kept in a person's folder from the next start on; `None`: beside the records again. Nobody works with
/// the profile.
pub(crate) fn choose(profile: &Profile, settings: &mut Settings, chosen: Option<&Path>) -> Result<()> {
    // What was under way before has an end first.
    let old = settle(profile, settings)?;
    let name = settings.profile.as_ref().map(ToString::to_string).ok_or_else(|| Problem::new(Code::NotSetUp))?;
    let new = chosen.map(|chosen| chosen.join(format!("tandem-versions-{name}")));
    if new.as_ref().unwrap_or(&profile.blobs()) == &old {
        return Ok(());
    }
    if let Some(new) = &new {
        let not_writable =
            |error: io::Error| Problem::new(Code::FileNotWritable).with("file", new.as_path()).because(error);
        if settings.stores.iter().any(|spec| is_in(new, &spec.to_string())) {
            let why = "earlier versions can't be kept among the data that is synchronized";
            return Err(not_writable(io::Error::new(ErrorKind::InvalidInput, why)));
        }
        make_private(new).map_err(not_writable)?;
        fs::write(new.join(MARK), MARK_TEXT).map_err(not_writable)?;
    }
    settings.history.place = new;
    settings.history.moved_from = Some(old);
    Ok(settings.save(&profile.settings_file())?)
}

/// Brings the contents to where they shall be, if they aren't there, and says where that is.
pub(crate) fn settle(profile: &Profile, settings: &mut Settings) -> Result<PathBuf> {
    let folder = folder(profile, settings);
    let gone = |place: &Path| Problem::new(Code::StoreGone).with("place", place);
    if settings.history.place.is_some() && !folder.join(MARK).is_file() {
        return Err(gone(&folder));
    }
    let Some(from) = settings.history.moved_from.clone() else { return Ok(folder) };
    if !from.is_dir() {
        return Err(gone(&from));
    }
    bring(&from, &folder).map_err(|error| match error.kind() {
        ErrorKind::StorageFull => Problem::new(Code::NoRoom).because(error),
        _ => Problem::new(Code::FileNotWritable).with("file", folder.as_path()).because(error),
    })?;
    settings.history.moved_from = None;
    settings.save(&profile.settings_file())?;
    // Nothing is left in it but what marks it.
    if let Err(error) = fs::remove_dir_all(&from) {
        tracing::warn!(%error, "an old place of earlier versions can't be removed");
    }
    Ok(folder)
}

fn is_in(folder: &Path, store: &str) -> bool {
    FilesSpec::parse(store).is_ok_and(|spec| spec.roots().iter().any(|root| folder.starts_with(root)))
}

/// Moves everything in the folders of `from`.
fn bring(from: &Path, to: &Path) -> io::Result<()> {
    for folder in fs::read_dir(from)? {
        let folder = folder?;
        if !folder.file_type()?.is_dir() {
            continue;
        }
        let new = to.join(folder.file_name());
        make_private(&new)?;
        let mut copied = Vec::new();
        for file in fs::read_dir(folder.path())? {
            let file = file?;
            let (old, new) = (file.path(), new.join(file.file_name()));
            match fs::rename(&old, &new) {
                Err(error) if error.kind() == ErrorKind::CrossesDevices => {
                    copy(&old, &new)?;
                    copied.push(old);
                }
                moved => moved?,
            }
        }
        private_file::sync_folder(&new)?;
        copied.iter().try_for_each(fs::remove_file)?;
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let moving = to.with_extension(MOVING);
    let mut file = fs::File::create(&moving)?;
    io::copy(&mut fs::File::open(from)?, &mut file)?;
    file.sync_all()?;
    fs::rename(moving, to)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::ProfileId;

    /// A profile with two contents, and a folder of the person's.
    fn home() -> (tempfile::TempDir, Profile, Settings, PathBuf) {
        let home = tempfile::tempdir().unwrap();
        let profile = Profile::in_folder(&home.path().join("profile"));
        drop(profile.lock().unwrap());
        for name in ["ab/abc", "cd/cde"] {
            let file = profile.blobs().join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, name).unwrap();
        }
        let mut settings = Settings::default();
        settings.profile = Some(ProfileId::generate());
        let drive = home.path().join("drive");
        fs::create_dir(&drive).unwrap();
        (home, profile, settings, drive)
    }

    fn holds(folder: &Path) -> bool {
        ["ab/abc", "cd/cde"].iter().all(|name| fs::read_to_string(folder.join(name)).is_ok_and(|text| text == *name))
    }

    #[test]
    fn contents_go_where_somebody_said_and_come_back() {
        let (_home, profile, mut settings, drive) = home();
        choose(&profile, &mut settings, Some(&drive)).unwrap();
        let mut read = Settings::load(&profile.settings_file()).unwrap();
        let there = settle(&profile, &mut read).unwrap();
        assert!(there.starts_with(&drive) && holds(&there) && !profile.blobs().exists());
        assert_eq!(Settings::load(&profile.settings_file()).unwrap().history.moved_from, None);
        choose(&profile, &mut read, None).unwrap();
        fs::create_dir(profile.blobs()).unwrap();
        assert_eq!(settle(&profile, &mut read).unwrap(), profile.blobs());
        assert!(holds(&profile.blobs()) && fs::read_dir(&drive).unwrap().next().is_none());
    }

    #[test]
    fn a_drive_that_is_not_connected_is_not_an_empty_one() {
        let (_home, profile, mut settings, drive) = home();
        choose(&profile, &mut settings, Some(&drive)).unwrap();
        settle(&profile, &mut settings).unwrap();
        fs::rename(&drive, drive.with_extension("away")).unwrap();
        fs::create_dir(&drive).unwrap();
        assert_eq!(settle(&profile, &mut settings).unwrap_err().code, Code::StoreGone);
        fs::remove_dir(&drive).unwrap();
        fs::rename(drive.with_extension("away"), &drive).unwrap();
        assert!(holds(&settle(&profile, &mut settings).unwrap()));
    }

    #[test]
    fn what_stopped_in_the_middle_goes_on() {
        let (_home, profile, mut settings, drive) = home();
        choose(&profile, &mut settings, Some(&drive)).unwrap();
        let there = folder(&profile, &settings);
        fs::create_dir(there.join("ab")).unwrap();
        fs::rename(profile.blobs().join("ab/abc"), there.join("ab/abc")).unwrap();
        fs::create_dir(there.join("cd")).unwrap();
        fs::write(there.join("cd/cde.moving"), "cd").unwrap();
        copy(&profile.blobs().join("cd/cde"), &there.join("cd/cde")).unwrap();
        assert!(holds(&settle(&profile, &mut settings).unwrap()));
        assert!(!there.join("cd/cde.moving").exists());
    }

    #[test]
    fn earlier_versions_are_not_kept_among_the_data() {
        let (_home, profile, mut settings, drive) = home();
        settings.stores = vec![format!("files:{}", drive.display()).parse().unwrap()];
        let refused = choose(&profile, &mut settings, Some(&drive.join("mail"))).unwrap_err();
        assert_eq!((refused.code, &settings.history.place), (Code::FileNotWritable, &None));
    }
}
