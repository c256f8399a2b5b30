//! Making a group of contents durable, then visible.

use super::{BlobError, Blobs, Finished, io_error};
use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

/// Up to so many files are flushed one by one; more are flushed with everything else on the disk, which takes one wait.
const ONE_BY_ONE_MAX: usize = 3;

impl Blobs {
    /// Makes contents durable and visible, all at once. After an error none of them is kept, and they can be written again.
    pub fn keep(&self, finished: Vec<Finished>) -> Result<(), BlobError> {
        let done = self.flush_these(&finished);
        if done.is_err() {
            for finished in &finished {
                // It may be visible already; then it is whole, and nobody was told.
                let _ = fs::remove_file(&finished.path);
            }
        }
        done
    }

    fn flush_these(&self, finished: &[Finished]) -> Result<(), BlobError> {
        if finished.is_empty() {
            return Ok(());
        }
        let files: Vec<&Path> = finished.iter().map(|finished| finished.path.as_path()).collect();
        self.sync(&files)?;
        let mut folders = BTreeSet::<PathBuf>::new();
        for finished in finished {
            let path = self.path_of(finished.native);
            let folder = path.parent().expect("contents lie in a folder").to_owned();
            if !folders.contains(&folder) && !folder.exists() {
                fs::create_dir_all(&folder).map_err(|source| io_error(&folder, source))?;
                folders.insert(self.folder.clone());
            }
            let is_new = !path.exists();
            fs::rename(&finished.path, &path).map_err(|source| io_error(&path, source))?;
            folders.insert(folder);
            if is_new {
                self.count(|usage| {
                    usage.count += 1;
                    usage.bytes += finished.size;
                });
            }
        }
        if cfg!(windows) {
            // There, a rename is flushed with the file, and a folder can't be opened.
            return Ok(());
        }
        self.sync(&folders.iter().map(PathBuf::as_path).collect::<Vec<_>>())
    }

    /// Flushes files or folders.
    fn sync(&self, paths: &[&Path]) -> Result<(), BlobError> {
        if paths.len() > ONE_BY_ONE_MAX
            && sync_file_system(&self.folder).map_err(|error| io_error(&self.folder, error))?
        {
            return Ok(());
        }
        for path in paths {
            let is_file = path.is_file();
            // Windows flushes only what is open for writing; a folder can't be.
            let opened = fs::File::options().read(true).write(is_file).open(path);
            opened.and_then(|file| file.sync_all()).map_err(|source| io_error(path, source))?;
        }
        Ok(())
    }
}

/// Flushes everything on the disk that holds `folder`; false where the system can't.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn sync_file_system(folder: &Path) -> io::Result<bool> {
    rustix::fs::syncfs(fs::File::open(folder)?)?;
    Ok(true)
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn sync_file_system(_: &Path) -> io::Result<bool> {
    Ok(false)
}
