//! `ReplaceFile`, which std lacks: on Windows the only way to put a file in the place of another and keep that.
#![allow(unsafe_code)]

use std::{io, os::windows::ffi::OsStrExt as _, path::Path};
use windows::{
    Win32::{
        Foundation::{ERROR_CALL_NOT_IMPLEMENTED, ERROR_INVALID_FUNCTION, ERROR_NOT_SUPPORTED, WIN32_ERROR},
        Storage::FileSystem::{REPLACE_FILE_FLAGS, ReplaceFileW},
    },
    core::PCWSTR,
};

/// Puts `with` in the place of `path`; what stood there is called `kept` then. `false`: this file system can't. After an
/// error either may have been done.
pub(super) fn replace(path: &Path, with: &Path, kept: &Path) -> io::Result<bool> {
    let wide = |path: &Path| path.as_os_str().encode_wide().chain([0]).collect::<Vec<u16>>();
    let names = [path, with, kept].map(wide);
    let [path, with, kept] = [&names[0], &names[1], &names[2]].map(|name| PCWSTR(name.as_ptr()));
    // SAFETY: three names that end in zero and outlive the call.
    let replaced = unsafe { ReplaceFileW(path, with, kept, REPLACE_FILE_FLAGS(0), None, None) };
    let Err(error) = replaced else { return Ok(true) };
    match WIN32_ERROR::from_error(&error) {
        Some(ERROR_CALL_NOT_IMPLEMENTED | ERROR_INVALID_FUNCTION | ERROR_NOT_SUPPORTED) => Ok(false),
        Some(code) => Err(io::Error::from_raw_os_error(code.0.cast_signed())),
        None => Err(error.into()),
    }
}
