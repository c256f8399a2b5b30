//! What the file system is asked beyond std: renaming without replacing, exchanging, flushing, and what kind it is.

use crate::{StoreError, staging::random_hex};
use std::{
    fs::{File, Metadata, OpenOptions},
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

/// Renames `from` to `to`, failing with [`ErrorKind::AlreadyExists`] when `to` is taken.
pub(super) fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
    match flagged_rename(from, to, rustix::fs::RenameFlags::NOREPLACE) {
        Ok(()) => return Ok(()),
        Err(error) if !flags_unsupported(&error) => return Err(error),
        Err(_) => {}
    }
    match std::fs::hard_link(from, to) {
        Ok(()) => std::fs::remove_file(from),
        Err(error) if error.kind() == ErrorKind::AlreadyExists || error.kind() == ErrorKind::NotFound => Err(error),
        // Neither flags nor links (some network and memory card file systems, and folders): a check is all there is.
        Err(_) => match std::fs::symlink_metadata(to) {
            Ok(_) => Err(ErrorKind::AlreadyExists.into()),
            Err(error) if error.kind() == ErrorKind::NotFound => std::fs::rename(from, to),
            Err(error) => Err(error),
        },
    }
}

/// Swaps two files in one step. `false`: this file system can't.
pub(super) fn exchange(a: &Path, b: &Path) -> io::Result<bool> {
    #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
    return match flagged_rename(a, b, rustix::fs::RenameFlags::EXCHANGE) {
        Ok(()) => Ok(true),
        Err(error) if flags_unsupported(&error) => Ok(false),
        Err(error) => Err(error),
    };
    #[cfg(windows)]
    return exchange_by_replacing(a, b);
    #[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple", windows)))]
    {
        let _ = (a, b);
        Ok(false)
    }
}

/// Ends an exchange that a crash cut in two: no file is lost from sight.
pub(super) fn finish_exchange(a: &Path, b: &Path) {
    let kept = kept(a);
    if kept.symlink_metadata().is_ok() {
        // Nothing stands at `b` only if the system itself was cut off.
        let _ = rename_new(&kept, b).or_else(|_| rename_new(&kept, a));
    }
}

/// Where the file at `b` stands for a moment while it is exchanged with `a`.
fn kept(a: &Path) -> PathBuf {
    let mut kept = a.as_os_str().to_owned();
    kept.push("-kept");
    kept.into()
}

/// Windows replaces a file in one step as well, and gives what stood there another name.
#[cfg(windows)]
fn exchange_by_replacing(a: &Path, b: &Path) -> io::Result<bool> {
    let kept = kept(a);
    match super::replace_file::replace(b, a, &kept) {
        Ok(true) => std::fs::rename(&kept, a).map(|()| true),
        refused => {
            finish_exchange(a, b);
            refused
        }
    }
}

#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
fn flagged_rename(from: &Path, to: &Path, flags: rustix::fs::RenameFlags) -> io::Result<()> {
    rustix::fs::renameat_with(rustix::fs::CWD, from, rustix::fs::CWD, to, flags).map_err(io::Error::from)
}

#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
fn flags_unsupported(error: &io::Error) -> bool {
    use rustix::io::Errno;
    [Errno::INVAL, Errno::NOSYS, Errno::NOTSUP].iter().any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
}

/// Makes a folder's entries durable. Windows does so by itself and can't open folders this way.
pub(super) fn sync_dir(path: &Path) -> io::Result<()> {
    if cfg!(windows) { Ok(()) } else { File::open(path)?.sync_all() }
}

/// Makes everything on the file system of `path` durable. `false`: this system has no such call.
pub(super) fn sync_file_system(path: &Path) -> io::Result<bool> {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    {
        rustix::fs::syncfs(File::open(path)?)?;
        Ok(true)
    }
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    {
        let _ = path;
        Ok(false)
    }
}

/// Whether [`sync_file_system`] works here.
pub(super) const CAN_SYNC_FILE_SYSTEM: bool = cfg!(any(target_os = "linux", target_os = "android"));

/// Opens a regular file for reading. Links are not followed, and pipes neither block nor count.
pub(crate) fn open_regular(path: &Path) -> io::Result<(File, Metadata)> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::CLOEXEC;
        options.custom_flags(flags.bits() as i32);
    }
    #[cfg(not(unix))]
    if std::fs::symlink_metadata(path)?.file_type().is_symlink() {
        return Err(ErrorKind::NotFound.into());
    }
    let file = options.open(path)?;
    let metadata = file.metadata()?;
    if metadata.is_file() { Ok((file, metadata)) } else { Err(ErrorKind::NotFound.into()) }
}

/// Reads a small file of ours or of another mail program, refusing more than `bytes_max`.
pub(crate) fn read_small(path: &Path, bytes_max: u64) -> io::Result<Vec<u8>> {
    use std::io::Read;
    let (file, _) = open_regular(path)?;
    let mut bytes = Vec::new();
    file.take(bytes_max + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > bytes_max { Err(ErrorKind::FileTooLarge.into()) } else { Ok(bytes) }
}

/// Writes a small file beside `path` and renames it there, so that nobody ever sees half of it.
pub(super) fn write_small(path: &Path, bytes: &[u8]) -> io::Result<()> {
    use std::io::Write;
    let temporary = path.with_file_name(format!(".tandem-{}.tmp", random_hex::<16>()));
    let written = File::create_new(&temporary).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    let renamed = written.and_then(|()| std::fs::rename(&temporary, path));
    if renamed.is_err() {
        let _ = std::fs::remove_file(&temporary);
    }
    renamed
}

/// What a file system keeps and how far away it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct FileSystemFacts {
    /// Listings may be partial for a while after a disconnection.
    pub(super) is_remote: bool,
    /// A file keeps its number over a remount, so the number can be part of a revision.
    pub(super) keeps_file_ids: bool,
    /// A folder's time changes whenever a name in it does, so an unchanged time means unchanged names.
    pub(super) dates_folders: bool,
}

/// Asks what kind of file system `path` lies on.
pub(super) fn file_system_facts(path: &Path) -> FileSystemFacts {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    if let Ok(stat) = rustix::fs::statfs(path) {
        let magic = stat.f_type as u64 & 0xffff_ffff;
        // From linux/magic.h: NFS, AFS (two), CEPH, CODA, 9P.
        let is_remote = [0x6969, 0x5346_414f, 0x6b41_4653, 0x00c3_6400, 0x7375_7245, 0x0102_1997].contains(&magic);
        // FUSE may be anything; exFAT's driver there renames files without dating the folder.
        let is_fuse = magic == 0x6573_5546;
        // SMB, CIFS, SMB2, FUSE: remote or not known, and file numbers are made up at each mount.
        let is_made_up = is_fuse || [0x517b, 0xff53_4d42, 0xfe53_4d42].contains(&magic);
        // FAT and exFAT number files as they meet them.
        let is_fat = [0x4d44, 0x2011_bab0].contains(&magic);
        return FileSystemFacts {
            is_remote: is_remote || is_made_up,
            keeps_file_ids: !is_made_up && !is_fat,
            dates_folders: !is_fuse && !is_fat,
        };
    }
    #[cfg(target_vendor = "apple")]
    if let Ok(stat) = rustix::fs::statfs(path) {
        let name: Vec<u8> = stat.f_fstypename.iter().map(|&c| c as u8).take_while(|&c| c != 0).collect();
        let is_fuse = [&b"macfuse"[..], b"osxfuse"].contains(&&name[..]);
        let is_remote = is_fuse || [&b"nfs"[..], b"smbfs", b"afpfs", b"webdav"].contains(&&name[..]);
        let is_fat = [&b"msdos"[..], b"exfat"].contains(&&name[..]);
        return FileSystemFacts {
            is_remote,
            keeps_file_ids: !is_remote && !is_fat,
            dates_folders: !is_fuse && !is_fat,
        };
    }
    let is_remote = cfg!(windows) && path.to_string_lossy().replace('/', "\\").starts_with(r"\\");
    FileSystemFacts {
        is_remote,
        keeps_file_ids: false,
        dates_folders: cfg!(windows) && dates_folders(path).unwrap_or(false),
    }
}

/// Tries out whether a folder's time changes with the names in it. Windows' FAT leaves it as it is, NTFS doesn't.
fn dates_folders(path: &Path) -> io::Result<bool> {
    let folder = path.join(format!(".tandem-{}.tmp", random_hex::<16>()));
    std::fs::create_dir(&folder)?;
    let tried = (|| {
        let before = folder.metadata()?.modified()?;
        // Longer than a tick of any system's clock.
        std::thread::sleep(std::time::Duration::from_millis(40));
        File::create_new(folder.join("a"))?;
        Ok(folder.metadata()?.modified()? != before)
    })();
    let _ = std::fs::remove_dir_all(&folder);
    tried
}

/// Whether another program has a file open and lets nobody else in, for now.
#[must_use]
pub fn is_in_use(error: &io::Error) -> bool {
    // Windows has no kind of error for it: ERROR_SHARING_VIOLATION and ERROR_LOCK_VIOLATION.
    let is_locked = cfg!(windows) && matches!(error.raw_os_error(), Some(32 | 33));
    is_locked || matches!(error.kind(), ErrorKind::ResourceBusy | ErrorKind::ExecutableFileBusy)
}

/// Says what an error means for a store. `path` is shown to people; `need` is what was to be written, in bytes.
pub(super) fn store_error(error: &io::Error, path: &Path, need: u64) -> StoreError {
    let path = path.to_string_lossy().into_owned();
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => StoreError::NotFound,
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => StoreError::Permission { path },
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => StoreError::NoSpace { need },
        _ if is_in_use(error) => StoreError::InUse { path },
        ErrorKind::StaleNetworkFileHandle
        | ErrorKind::NotConnected
        | ErrorKind::TimedOut
        | ErrorKind::HostUnreachable
        | ErrorKind::NetworkUnreachable
        | ErrorKind::NetworkDown => StoreError::Unavailable { reason: error.to_string() },
        _ => StoreError::Io { reason: error.to_string(), path },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trying_it_out_tells_that_folders_are_dated_here_and_leaves_nothing_behind() {
        let home = tempfile::tempdir().unwrap();
        assert_eq!(dates_folders(home.path()).unwrap(), file_system_facts(home.path()).dates_folders);
        assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0);
    }
}
