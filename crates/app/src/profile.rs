//! The folder a Tandem installation lives in, and the lock that keeps it to one running instance.
//!
//! A computer can have any number of profiles; each is one role, one identity, one set of folders. By default the
//! parts lie where the system wants them; with `--config-dir` or `TANDEM_CONFIG_DIR` everything lies in that one folder:
//!
//! | part | Linux | macOS | Windows | own folder |
//! |---|---|---|---|---|
//! | settings, secrets file, lock | `$XDG_CONFIG_HOME/tandem` | `~/Library/Application Support/tandem` | `%APPDATA%\Tandem` | `DIR` |
//! | index, blobs, staging | `$XDG_DATA_HOME/tandem` | same | `%LOCALAPPDATA%\Tandem` | `DIR` |
//! | logs | `$XDG_STATE_HOME/tandem/log` | `~/Library/Logs/tandem` | `%LOCALAPPDATA%\Tandem\log` | `DIR/log` |
//!
//! A file named `portable` beside the program moves the default to the folder `profile` beside it.

use etcetera::base_strategy::{BaseStrategy as _, choose_native_strategy};
use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

/// The environment variable that names a profile folder like `--config-dir` does.
pub const CONFIG_DIR_VARIABLE: &str = "TANDEM_CONFIG_DIR";

const APPLICATION: &str = if cfg!(windows) { "Tandem" } else { "tandem" };

/// Where a profile's files lie. Nothing is made or read until it is opened.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Profile {
    config: PathBuf,
    data: PathBuf,
    logs: PathBuf,
}

/// Why a profile can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// Another instance works with it. Speak to that one through [`crate::control`].
    #[error("the profile is in use by a running instance")]
    InUse {
        /// The profile folder.
        folder: PathBuf,
    },
    /// The system knows no home folder for this user.
    #[error("there is no home folder")]
    NoHome,
    /// A folder or the lock can't be made.
    #[error("the profile folder can't be used")]
    Io {
        /// Which.
        folder: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Proof that this process is the only one working with the profile. Released when dropped, also by a crash.
#[derive(Debug)]
pub struct ProfileLock {
    _file: fs::File,
    profile: Profile,
}

impl Profile {
    /// The profile to use: the folder asked for, else that of [`CONFIG_DIR_VARIABLE`], else a portable one beside the
    /// program, else the user's own.
    pub fn find(asked_for: Option<&Path>) -> Result<Self, ProfileError> {
        if let Some(folder) = asked_for {
            return Ok(Self::in_folder(folder));
        }
        if let Some(folder) = env::var_os(CONFIG_DIR_VARIABLE).filter(|folder| !folder.is_empty()) {
            return Ok(Self::in_folder(Path::new(&folder)));
        }
        let beside_program = env::current_exe().ok().and_then(|program| Some(program.parent()?.to_owned()));
        if let Some(beside) = beside_program.filter(|folder| folder.join("portable").is_file()) {
            return Ok(Self::in_folder(&beside.join("profile")));
        }
        let base = choose_native_strategy().map_err(|_| ProfileError::NoHome)?;
        let logs = base.state_dir().unwrap_or_else(|| base.cache_dir());
        // Settings follow their owner to other computers of a Windows domain; an index must not, it belongs to this disk.
        let (config, data, logs) = if cfg!(windows) {
            (base.data_dir(), base.cache_dir(), logs.join(APPLICATION).join("log"))
        } else if cfg!(target_os = "macos") {
            (base.data_dir(), base.data_dir(), base.home_dir().join("Library/Logs").join(APPLICATION))
        } else {
            (base.config_dir(), base.data_dir(), logs.join(APPLICATION).join("log"))
        };
        Ok(Self { config: config.join(APPLICATION), data: data.join(APPLICATION), logs })
    }

    /// A profile that lies in one folder.
    #[must_use]
    pub fn in_folder(folder: &Path) -> Self {
        // Made absolute once: the folder stays the same one when the process changes its working directory.
        let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
        Self { logs: folder.join("log"), data: folder.clone(), config: folder }
    }

    /// Makes the folders, for the owner only, and takes the profile for this process.
    pub fn lock(&self) -> Result<ProfileLock, ProfileError> {
        for folder in [&self.config, &self.data, &self.logs, &self.blobs(), &self.staging()] {
            make_private(folder).map_err(|source| ProfileError::Io { folder: folder.clone(), source })?;
        }
        let io = |source| ProfileError::Io { folder: self.config.clone(), source };
        let mut options = fs::File::options();
        options.create(true).truncate(false).write(true);
        let file = options.open(self.config.join("lock")).map_err(io)?;
        match file.try_lock() {
            Ok(()) => Ok(ProfileLock { _file: file, profile: self.clone() }),
            Err(fs::TryLockError::WouldBlock) => Err(ProfileError::InUse { folder: self.config.clone() }),
            Err(fs::TryLockError::Error(source)) => Err(io(source)),
        }
    }

    /// Deletes what Tandem keeps for this profile: settings, records, earlier versions, logs. The data itself lies elsewhere.
    /// Nobody may work with the profile.
    pub fn remove(&self) -> Result<(), ProfileError> {
        drop(self.lock()?);
        let io = |folder: &Path, source| ProfileError::Io { folder: folder.to_owned(), source };
        const NAMES: [&str; 10] = [
            "samples",
            "config.toml",
            "window.toml",
            "servers.json",
            "secrets.json",
            "control",
            "control.sock",
            "lock",
            "blobs",
            "staging",
        ];
        let records = fs::read_dir(&self.data).map(|entries| entries.flatten().map(|entry| entry.path()).collect());
        let records: Vec<PathBuf> = records.unwrap_or_default();
        let is_record =
            |path: &&PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("index.db"));
        let mut paths: Vec<PathBuf> = records.iter().filter(is_record).cloned().collect();
        paths.extend([&self.config, &self.data].iter().flat_map(|folder| NAMES.map(|name| folder.join(name))));
        paths.push(self.logs.clone());
        for path in paths {
            let removed = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            match removed {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(io(&path, error)),
                _ => {}
            }
        }
        // What others put there stays, and then the folders too.
        for folder in [&self.data, &self.config] {
            fs::remove_dir(folder).ok();
        }
        Ok(())
    }

    /// The folder people name this profile by.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.config
    }

    /// What was chosen; see [`crate::settings`].
    #[must_use]
    pub fn settings_file(&self) -> PathBuf {
        self.config.join("config.toml")
    }

    /// The secrets, if they are kept in a file; see [`crate::secrets`].
    #[must_use]
    pub fn secrets_file(&self) -> PathBuf {
        self.config.join("secrets.json")
    }

    /// Says where the running instance listens for commands; see [`crate::control`].
    #[must_use]
    pub fn control_address_file(&self) -> PathBuf {
        self.config.join("control")
    }

    /// Where the running instance listens for commands, if the path isn't too long for the system.
    #[must_use]
    pub fn control_socket(&self) -> PathBuf {
        self.config.join("control.sock")
    }

    /// The index database.
    #[must_use]
    pub fn index_database(&self) -> PathBuf {
        self.data.join("index.db")
    }

    /// Contents that no store holds: before-images, versions waiting for their store.
    #[must_use]
    pub fn blobs(&self) -> PathBuf {
        self.data.join("blobs")
    }

    /// Contents on their way in, not yet part of anything.
    #[must_use]
    pub fn staging(&self) -> PathBuf {
        self.data.join("staging")
    }

    /// Where the two sample computers live, as long as somebody looks at them.
    #[must_use]
    pub fn samples(&self) -> PathBuf {
        self.data.join("samples")
    }

    /// Log files.
    #[must_use]
    pub fn logs(&self) -> &Path {
        &self.logs
    }
}

impl ProfileLock {
    /// The profile that is locked.
    #[must_use]
    pub fn profile(&self) -> &Profile {
        &self.profile
    }
}

/// Makes a folder that only its owner can look into; one that others could look into is closed to them.
#[cfg(unix)]
pub(crate) fn make_private(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let mode = fs::metadata(folder)?.permissions().mode();
    if mode & 0o077 != 0 {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

// The user's own folders are closed to others by what they inherit.
#[cfg(not(unix))]
pub(crate) fn make_private(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_instance_is_refused_until_the_first_is_gone() {
        let home = tempfile::tempdir().unwrap();
        let profile = Profile::in_folder(home.path());
        let first = profile.lock().unwrap();
        assert!(matches!(profile.lock(), Err(ProfileError::InUse { folder }) if folder == home.path()));
        drop(first);
        profile.lock().unwrap();
    }

    #[test]
    fn two_profiles_on_one_computer_do_not_disturb_each_other() {
        let home = tempfile::tempdir().unwrap();
        let _office = Profile::in_folder(&home.path().join("office")).lock().unwrap();
        let _laptop = Profile::in_folder(&home.path().join("laptop")).lock().unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn others_cannot_look_into_a_profile_even_if_its_folder_was_open_before() {
        use std::os::unix::fs::PermissionsExt;
        let home = tempfile::tempdir().unwrap();
        fs::set_permissions(home.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let profile = Profile::in_folder(home.path());
        let _lock = profile.lock().unwrap();
        for folder in [home.path(), &profile.blobs(), &profile.staging(), profile.logs()] {
            assert_eq!(fs::metadata(folder).unwrap().permissions().mode() & 0o777, 0o700, "{}", folder.display());
        }
    }

    #[test]
    fn a_place_that_cannot_be_a_folder_is_named() {
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("file");
        fs::write(&file, "").unwrap();
        let below = file.join("profile");
        assert!(matches!(Profile::in_folder(&below).lock(), Err(ProfileError::Io { folder, .. }) if folder == below));
    }

    #[test]
    fn the_folder_asked_for_holds_everything() {
        let home = tempfile::tempdir().unwrap();
        let profile = Profile::find(Some(home.path())).unwrap();
        for path in [profile.settings_file(), profile.index_database(), profile.blobs(), profile.logs().to_owned()] {
            assert!(path.starts_with(home.path()), "{}", path.display());
        }
    }
}
