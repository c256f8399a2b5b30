//! The suite that every connector passes, with the real program of this computer.

use crate::message::Result;
use std::path::PathBuf;
pub use stores::outlook::selftest::Report;

/// A report, and where something of the self-test was left because the program wouldn't let go of it.
#[derive(Debug)]
pub struct Tested {
    /// What was found.
    pub report: Report,
    /// To be deleted once the program was closed.
    pub left: Option<PathBuf>,
}

/// Runs it with Outlook, in a data file of its own. `tell` is given how much of how much is done.
#[cfg(windows)]
pub fn outlook(tell: &mut dyn FnMut(usize, usize)) -> Result<Tested> {
    use crate::message::Problem;
    let unwritable = |error: std::io::Error| {
        let reason = error.to_string();
        Problem::with_store(
            stores::StoreError::Io { reason, path: std::env::temp_dir().display().to_string() },
            "outlook:",
        )
    };
    let place = tempfile::Builder::new().prefix("tandem-selftest-").tempdir().map_err(unwritable)?;
    let report = stores::outlook::selftest::run(&stores::outlook::doors(), place.path(), tell)
        .map_err(|error| Problem::with_store(error, "outlook:"))?;
    let left = (!report.is_removed).then(|| place.keep());
    Ok(Tested { report, left })
}

/// There is no Outlook that could be asked.
#[cfg(not(windows))]
pub fn outlook(_: &mut dyn FnMut(usize, usize)) -> Result<Tested> {
    Err(crate::message::Problem::new(crate::message::Code::OutlookMissing))
}
