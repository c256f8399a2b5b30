//! Watching the folders: soon after something changed, the folder's name is told. A hint only; listing is the truth.

use super::{
    keywords::KEYWORDS_FILE,
    known::Sub,
    mark::FOLDER_MARK,
    place::{Places, STAGING},
    spec::Part,
    text,
};
use crate::{FolderId, StoreError, Watch};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, RecvTimeoutError},
    },
    time::{Duration, Instant},
};

/// Changes within this time are told once: saving a file is several steps.
const SETTLE: Duration = Duration::from_millis(20);

/// Whether the system watches single folders. A library that watches "everything below" asks each file there what it is
/// then, and is told of each file that is opened or half written, which is most of what Tandem does itself.
const WATCHES_FOLDERS: bool = cfg!(any(target_os = "linux", target_os = "android"));

type Wake = Box<dyn Fn(Option<FolderId>) + Send + Sync>;

/// Watches until it is dropped.
pub(super) struct FilesWatch {
    is_over: Arc<AtomicBool>,
    /// Ends with this value, and the channel to the telling thread with it.
    _watched: Arc<Mutex<Watched>>,
}

impl Watch for FilesWatch {}

impl Drop for FilesWatch {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Release);
    }
}

/// What a change means. `None` in place of a folder: look at everything.
type Hint = Option<FolderId>;

impl FilesWatch {
    pub(super) fn start(places: &Places, roots: Vec<PathBuf>, wake: Wake) -> Result<Self, StoreError> {
        let (sender, receiver) = mpsc::channel();
        let parts = canonical(places);
        let told = parts.clone();
        let tell = move |event: notify::Result<Event>| {
            for hint in hints(&told, event) {
                // The thread has ended only if the watch was dropped.
                let _ = sender.send(hint);
            }
        };
        let roots = roots.into_iter().map(|root| root.canonicalize().unwrap_or(root)).collect();
        let watcher = notify::recommended_watcher(tell).map_err(unavailable)?;
        let mut watched = Watched { watcher, parts, roots, paths: BTreeSet::new() };
        watched.take_in()?;
        let watched = Arc::new(Mutex::new(watched));
        let is_over = Arc::new(AtomicBool::new(false));
        let (thread_is_over, thread_watched) = (Arc::clone(&is_over), Arc::downgrade(&watched));
        std::thread::Builder::new()
            .name("files-watch".to_owned())
            .spawn(move || tell_settled(&receiver, &thread_watched, &wake, &thread_is_over))
            .map_err(|error| StoreError::Unavailable { reason: error.to_string() })?;
        Ok(Self { is_over, _watched: watched })
    }
}

fn unavailable(error: notify::Error) -> StoreError {
    StoreError::Unavailable { reason: error.to_string() }
}

/// What the system was asked to watch.
struct Watched {
    watcher: RecommendedWatcher,
    parts: Vec<(Part, PathBuf)>,
    roots: Vec<PathBuf>,
    paths: BTreeSet<PathBuf>,
}

impl Watched {
    /// Watches what is there now, and no longer what isn't.
    fn take_in(&mut self) -> Result<(), StoreError> {
        let (mode, there) = if WATCHES_FOLDERS {
            (RecursiveMode::NonRecursive, folders(&self.roots, &self.parts))
        } else {
            (RecursiveMode::Recursive, self.roots.iter().cloned().collect())
        };
        // A renamed folder is the same one to the system: its old name has to be given up before the new one is told.
        for gone in self.paths.difference(&there) {
            let _ = self.watcher.unwatch(gone);
        }
        self.paths.retain(|path| there.contains(path));
        for path in there {
            // Under a name that is watched there may be another folder by now. Asking twice for the same one changes nothing.
            if WATCHES_FOLDERS || !self.paths.contains(&path) {
                match self.watcher.watch(&path, mode) {
                    Ok(()) => drop(self.paths.insert(path)),
                    // Gone again; its parent tells so.
                    Err(error) if matches!(error.kind, notify::ErrorKind::PathNotFound) => {}
                    Err(error) => return Err(unavailable(error)),
                }
            }
        }
        Ok(())
    }
}

/// Every folder in which something can happen that a listing would show.
fn folders(roots: &[PathBuf], parts: &[(Part, PathBuf)]) -> BTreeSet<PathBuf> {
    let mut found: BTreeSet<PathBuf> = roots.iter().cloned().collect();
    for (part, root) in parts {
        if !root.is_dir() {
            continue;
        }
        if *part == Part::Mail {
            let dotted = below(root).filter(|path| is_dotted(path));
            for folder in dotted.chain([root.clone()]) {
                found.extend(Sub::ALL.map(|sub| folder.join(sub.name())).into_iter().filter(|path| path.is_dir()));
                found.insert(folder);
            }
            continue;
        }
        let mut waiting = vec![root.clone()];
        while let Some(folder) = waiting.pop() {
            waiting.extend(below(&folder).filter(|path| !is_dotted(path)));
            found.insert(folder);
        }
    }
    found
}

/// The folders in a folder, which names what each entry is; no entry is asked.
fn below(folder: &Path) -> impl Iterator<Item = PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())).map(|entry| entry.path())
}

fn is_dotted(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."))
}

/// The parts by their real paths, as events name them.
fn canonical(places: &Places) -> Vec<(Part, PathBuf)> {
    let real = |path: &PathBuf| path.canonicalize().unwrap_or_else(|_| path.clone());
    places.parts.iter().map(|(part, path)| (*part, real(path))).collect()
}

fn tell_settled(receiver: &mpsc::Receiver<Hint>, watched: &Weak<Mutex<Watched>>, wake: &Wake, is_over: &AtomicBool) {
    while let Ok(first) = receiver.recv() {
        let mut hints = BTreeSet::from([first]);
        let settled = Instant::now() + SETTLE;
        loop {
            match receiver.recv_timeout(settled.saturating_duration_since(Instant::now())) {
                Ok(hint) => drop(hints.insert(hint)),
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
        // Looking at everything includes every single folder.
        if hints.contains(&None) {
            hints = BTreeSet::from([None]);
            // New folders are watched before they are looked into, so that nothing comes in between.
            let Some(watched) = watched.upgrade() else { return };
            if let Err(error) = watched.lock().unwrap_or_else(PoisonError::into_inner).take_in() {
                tracing::warn!(%error, "not every folder is watched; the look at all of them now and then goes on");
            }
        }
        for hint in hints {
            if is_over.load(Ordering::Acquire) {
                return;
            }
            wake(hint);
        }
    }
}

fn hints(parts: &[(Part, PathBuf)], event: notify::Result<Event>) -> Vec<Hint> {
    let Ok(event) = event else { return vec![None] };
    if event.need_rescan() {
        return vec![None];
    }
    if matches!(event.kind, EventKind::Access(_)) {
        return Vec::new();
    }
    event.paths.iter().filter_map(|path| hint(parts, path)).collect()
}

/// The folder that a changed path belongs to. Outer `None`: nothing that a listing would show.
fn hint(parts: &[(Part, PathBuf)], path: &Path) -> Option<Hint> {
    let Some((part, below)) = parts.iter().find_map(|(part, root)| Some((*part, path.strip_prefix(root).ok()?))) else {
        // Above the parts: one of them appeared or went, or something that isn't ours changed.
        let is_above = parts.iter().any(|(_, root)| root.starts_with(path));
        return is_above.then_some(None);
    };
    let names: Option<Vec<String>> = below.iter().map(text::name_to_text).collect();
    let Some(names) = names else { return Some(None) };
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    if names.iter().any(|name| name.starts_with(STAGING)) {
        return None;
    }
    if names.last().is_some_and(|last| last.starts_with(".tandem") && *last != FOLDER_MARK) {
        return None;
    }
    if part == Part::Mail { mail_hint(&names) } else { vdir_hint(part, path, &names) }
}

fn mail_hint(names: &[&str]) -> Option<Hint> {
    let root = Part::Mail.name();
    let (folder, inside) = match names {
        [first, inside @ ..] if first.starts_with('.') && *first != FOLDER_MARK => {
            (FolderId(format!("{root}/{first}")), inside)
        }
        inside => (FolderId(root.to_owned()), inside),
    };
    match inside {
        // The folder of messages came or went; elsewhere its name also stands for what happens in it.
        ["cur" | "new"] if WATCHES_FOLDERS => Some(None),
        // A message, or the folder of messages itself.
        ["cur" | "new", ..] => Some(Some(folder)),
        [name] if *name == KEYWORDS_FILE => Some(Some(folder)),
        // The folder came, went or was renamed, or its mark did.
        [] => Some(None),
        [name] if *name == FOLDER_MARK => Some(None),
        // Deliveries under way, and other programs' indexes.
        _ => None,
    }
}

fn vdir_hint(part: Part, path: &Path, names: &[&str]) -> Option<Hint> {
    let Some((last, folders)) = names.split_last() else { return Some(None) };
    let is_item = super::vdir::format(part, path.file_name().unwrap_or_default()).is_some();
    if is_item {
        let folder = folders.iter().fold(part.name().to_owned(), |id, name| format!("{id}/{name}"));
        return Some(Some(FolderId(folder)));
    }
    // Hidden files, and what editors write beside an item, say nothing; a folder has no ending as a rule.
    let is_hidden = last.starts_with('.') && *last != FOLDER_MARK;
    let is_other_file = path.extension().is_some() && !path.is_dir();
    (!is_hidden && !is_other_file).then_some(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hint_of(path: &str) -> Option<Hint> {
        hint(&[(Part::Mail, "/s/mail".into()), (Part::Contacts, "/s/contacts".into())], Path::new(path))
    }

    fn folder(id: &str) -> Option<Hint> {
        Some(Some(FolderId(id.into())))
    }

    #[test]
    fn only_folders_are_watched_in_which_a_listing_would_show_something() {
        let home = tempfile::tempdir().unwrap();
        let at = |path: &str| home.path().join(path);
        let watched = [
            "",
            "mail",
            "mail/cur",
            "mail/new",
            "mail/.A",
            "mail/.A/cur",
            "mail/.A/new",
            "contacts",
            "contacts/Home",
            "contacts/Home/Family",
        ];
        for path in watched.into_iter().chain(["mail/tmp", "mail/.A/tmp", "contacts/Home/.tandem-tmp", "other"]) {
            std::fs::create_dir_all(at(path)).unwrap();
        }
        std::fs::write(at("contacts/Home/a.vcf"), "x").unwrap();
        let parts = [(Part::Mail, at("mail")), (Part::Contacts, at("contacts")), (Part::Tasks, at("tasks"))];
        assert_eq!(folders(&[at("")], &parts), watched.map(at).into());
    }

    #[test]
    fn a_message_or_item_names_its_folder() {
        assert_eq!(hint_of("/s/mail/new/1.host"), folder("mail"));
        assert_eq!(hint_of("/s/mail/.A.B/cur/1.host:2,S"), folder("mail/.A.B"));
        assert_eq!(hint_of("/s/mail/.A/dovecot-keywords"), folder("mail/.A"));
        assert_eq!(hint_of("/s/contacts/Home/a.vcf"), folder("contacts/Home"));
    }

    #[test]
    fn a_folder_that_comes_or_goes_means_look_at_everything() {
        for path in ["/s/mail/.A", "/s/contacts/Home", "/s", "/s/mail", "/s/mail/.A/.tandem-folder"] {
            assert_eq!(hint_of(path), Some(None), "{path}");
        }
    }

    #[test]
    fn unfinished_files_and_indexes_wake_nobody() {
        for path in [
            "/s/mail/tmp/x",
            "/s/mail/.A/tmp/x",
            "/s/mail/.A/dovecot.index.log",
            "/s/contacts/Home/.tandem-tmp/x.vcf",
            "/s/contacts/Home/.tandem-tmp",
            "/s/contacts/.tandem-tmp-12/a",
            "/s/contacts/Home/.a.vcf.swp",
            "/s/contacts/Home/.tandem-12.tmp",
            "/s/.tandem-12.tmp",
        ] {
            assert_eq!(hint_of(path), None, "{path}");
        }
    }
}
