//! Changes that wait for their commit, for connectors to stores where nothing can wait unseen: contents lie in a folder of
//! our own until then, and afterwards what became of a change is noted there for recovery.

use crate::{Change, Entry, FolderId, Href, Intent, NewContent, Payload, Rev, StoreError};
use pim::{Flags, FolderKind, Format, ItemUid, NativeHash};
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, File},
    io::{Read as _, Write as _},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

/// What nobody asked for is swept after so long.
const STAGED_MAX: Duration = Duration::from_secs(36 * 3600);

/// A staged change, as the caller keeps it.
#[derive(Serialize, Deserialize)]
pub(crate) struct Staged {
    pub(crate) operation: String,
    pub(crate) change: StagedChange,
    /// The item's name in the store, where that is settled beforehand.
    pub(crate) item: Option<String>,
}

#[derive(Serialize, Deserialize)]
pub(crate) enum StagedChange {
    Create {
        uid: ItemUid,
        folder: FolderId,
        content: StagedContent,
        flags: Flags,
        name: String,
    },
    Update {
        href: Href,
        expect_rev: Rev,
        expect_flags: Flags,
        content: Option<StagedContent>,
        flags: Flags,
        folder: Option<FolderId>,
    },
    Delete {
        href: Href,
        expect_rev: Rev,
    },
}

#[derive(Serialize, Deserialize)]
pub(crate) struct StagedContent {
    pub(crate) format: Format,
    pub(crate) kind: FolderKind,
    native: NativeHash,
}

/// What an operation left, so that an edit that came after it is told from the operation's own.
#[derive(Serialize, Deserialize)]
pub(crate) struct Done {
    pub(crate) href: Href,
    pub(crate) rev: Rev,
}

/// The folder where contents wait.
pub(crate) struct Staging {
    folder: PathBuf,
}

impl Staging {
    pub(crate) const fn at(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// A file of this name in the folder, which is made if need be.
    pub(crate) fn file(&self, name: &str) -> Result<PathBuf, StoreError> {
        fs::create_dir_all(&self.folder).map_err(|error| io(&error, &self.folder))?;
        Ok(self.folder.join(name))
    }

    /// Stages a change. `place` tells in which folder an item lies, `accept` what kind a folder is, if it can hold the
    /// content. `item` is [`Staged::item`].
    pub(crate) fn stage(
        &self,
        change: &Change,
        place: impl FnOnce(&Href) -> Result<FolderId, StoreError>,
        accept: impl FnOnce(&FolderId, Format, &[u8]) -> Result<FolderKind, StoreError>,
        item: Option<String>,
    ) -> Result<Intent, StoreError> {
        let operation = random_hex::<16>();
        let change = match change {
            Change::Create { uid, folder, content, flags, name } => StagedChange::Create {
                uid: *uid,
                folder: folder.clone(),
                content: self.keep(&operation, folder, content, accept)?,
                flags: flags.clone(),
                name: name.clone(),
            },
            Change::Update { href, expect_rev, expect_flags, content, flags, folder, .. } => {
                let there = match (folder, content) {
                    (Some(folder), _) => Some(folder.clone()),
                    (None, Some(_)) => match place(href) {
                        Ok(folder) => Some(folder),
                        // Refused when it is carried out, like any other change of what isn't there any more.
                        Err(StoreError::NotFound) => return Err(StoreError::Changed),
                        Err(error) => return Err(error),
                    },
                    (None, None) => None,
                };
                let content = match (content, there) {
                    (Some(content), Some(there)) => Some(self.keep(&operation, &there, content, accept)?),
                    _ => None,
                };
                StagedChange::Update {
                    href: href.clone(),
                    expect_rev: expect_rev.clone(),
                    expect_flags: expect_flags.clone(),
                    content,
                    flags: flags.clone(),
                    folder: folder.clone(),
                }
            }
            Change::Delete { href, expect_rev } => {
                StagedChange::Delete { href: href.clone(), expect_rev: expect_rev.clone() }
            }
        };
        let staged = postcard::to_stdvec(&Staged { operation, change, item });
        Ok(Intent(staged.expect("changes hold nothing that postcard can't write")))
    }

    fn keep(
        &self,
        operation: &str,
        folder: &FolderId,
        content: &NewContent,
        accept: impl FnOnce(&FolderId, Format, &[u8]) -> Result<FolderKind, StoreError>,
    ) -> Result<StagedContent, StoreError> {
        let size = match &content.payload {
            Payload::Memory(bytes) => bytes.len() as u64,
            Payload::File { size, .. } => *size,
        };
        if size > Payload::SIZE_MAX {
            return Err(StoreError::TooLarge { size });
        }
        let bytes = match &content.payload {
            Payload::Memory(bytes) => bytes.to_vec(),
            Payload::File { path, .. } => fs::read(path).map_err(|error| io(&error, path))?,
        };
        // What the store can't hold is refused before anything is promised.
        let kind = accept(folder, content.format, &bytes)?;
        let path = self.file(&format!("{operation}.content"))?;
        // Not flushed: a change whose content is lost with the power was not carried out, and is planned anew.
        let written = File::create_new(&path).and_then(|mut file| file.write_all(&bytes));
        if let Err(error) = written {
            let _ = fs::remove_file(&path);
            return Err(match io(&error, &path) {
                StoreError::NoSpace { .. } => StoreError::NoSpace { need: size },
                other => other,
            });
        }
        Ok(StagedContent { format: content.format, kind, native: content.native })
    }

    /// The staged content. Recovery may have given it up, or somebody swept it.
    pub(crate) fn bytes(&self, operation: &str, content: &StagedContent) -> Result<Vec<u8>, StoreError> {
        let mut bytes = Vec::new();
        let path = self.folder.join(format!("{operation}.content"));
        let read = File::open(&path).and_then(|mut file| file.read_to_end(&mut bytes));
        let is_whole = read.is_ok() && *blake3::hash(&bytes).as_bytes() == content.native.0;
        if is_whole { Ok(bytes) } else { Err(StoreError::Changed) }
    }

    /// Gives the staged content up.
    pub(crate) fn forget(&self, operation: &str) {
        let _ = fs::remove_file(self.folder.join(format!("{operation}.content")));
    }

    /// Notes what an operation left.
    pub(crate) fn remember(&self, operation: &str, entry: &Entry) {
        let done = Done { href: entry.href.clone(), rev: entry.rev.clone() };
        let bytes = postcard::to_stdvec(&done).expect("names and revisions can be written");
        // Without it, recovery takes what looks like the operation's for what it left.
        if let Err(error) = fs::write(self.folder.join(format!("{operation}.done")), bytes) {
            tracing::warn!(%error, "what an operation left can't be written down");
        }
    }

    pub(crate) fn remembered(&self, operation: &str) -> Option<Done> {
        postcard::from_bytes(&fs::read(self.folder.join(format!("{operation}.done"))).ok()?).ok()
    }

    /// Contents that were read: large ones in a file that nobody changes.
    pub(crate) fn payload(&self, bytes: Vec<u8>) -> Result<Payload, StoreError> {
        let size = bytes.len() as u64;
        if size > Payload::SIZE_MAX {
            return Err(StoreError::TooLarge { size });
        }
        if size <= Payload::MEMORY_MAX {
            return Ok(Payload::Memory(bytes.into()));
        }
        let folder = self.folder.join("read");
        let path = folder.join(blake3::hash(&bytes).to_hex().as_str());
        let written = fs::create_dir_all(&folder).and_then(|()| {
            if !path.exists() {
                let part = path.with_extension("part");
                fs::write(&part, &bytes)?;
                fs::rename(&part, &path)?;
            }
            Ok(())
        });
        written.map_err(|error| io(&error, &path))?;
        Ok(Payload::File { path, size })
    }

    /// Removes what waits for nobody any more.
    pub(crate) fn sweep(&self) {
        let is_old = |entry: &fs::DirEntry| {
            let modified = entry.metadata().and_then(|metadata| metadata.modified());
            modified.is_ok_and(|time| SystemTime::now().duration_since(time).is_ok_and(|age| age > STAGED_MAX))
        };
        for folder in [self.folder.clone(), self.folder.join("read")] {
            for entry in fs::read_dir(folder).into_iter().flatten().flatten().filter(is_old) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}

/// So many random bytes, as hexadecimal digits.
pub(crate) fn random_hex<const BYTES: usize>() -> String {
    let mut random = [0; BYTES];
    getrandom::fill(&mut random).expect("the system has randomness");
    hex(&random)
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn io(error: &std::io::Error, path: &Path) -> StoreError {
    if error.kind() == std::io::ErrorKind::StorageFull {
        return StoreError::NoSpace { need: 0 };
    }
    StoreError::Io { reason: error.to_string(), path: path.display().to_string() }
}
