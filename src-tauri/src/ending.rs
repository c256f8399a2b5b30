//! Ending, and being started again meanwhile.
//!
//! What is being written at the end may take seconds, and until then this program is the one that holds the profile. Who
//! starts it again in that time means a window and not the one that goes: the start is kept, and made when the end is over.

use crate::Arguments;
use app::host::Given;
use clap::Parser as _;
use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Arc, Mutex, PoisonError},
};
use tauri::{AppHandle, Manager as _};

/// A start that came too late for this window.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Start {
    arguments: Vec<OsString>,
    folder: PathBuf,
}

impl Start {
    /// One start for two: with what both bring, and with a window if one of them wants it. Other options are those of
    /// this profile, which both mean.
    fn also(&mut self, arguments: &[String], folder: &Path) {
        let Ok(Arguments { given, hidden, .. }) = Arguments::try_parse_from(arguments) else { return };
        if !hidden {
            self.arguments.retain(|argument| argument != "--hidden");
        }
        self.arguments.extend(Given::from_arguments(given, folder).into_iter().map(|given| match given {
            Given::File(path) => path.into_os_string(),
            Given::Text(text) => text.into(),
        }));
    }
}

#[derive(Debug, Default, Eq, PartialEq)]
enum State {
    #[default]
    Living,
    /// The last start that came since: files of earlier ones are part of it.
    Ending(Option<Start>),
}

/// Whether the program is about to end, and what is to be done after that.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ending(Arc<Mutex<State>>);

impl Ending {
    /// Keeps a start for later, if the program is about to end. `false`: it lives, and takes it.
    pub(crate) fn keeps(&self, arguments: &[String], folder: &str) -> bool {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let State::Ending(later) = &mut *state else { return false };
        match later {
            Some(later) => later.also(arguments, Path::new(folder)),
            None => {
                // The first is the program itself.
                let arguments = arguments.iter().skip(1).map(OsString::from).collect();
                *later = Some(Start { arguments, folder: PathBuf::from(folder) });
            }
        }
        true
    }

    fn begin(&self) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if *state == State::Living {
            *state = State::Ending(None);
        }
    }

    fn take(&self) -> Option<Start> {
        match &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            State::Living => None,
            State::Ending(later) => later.take(),
        }
    }

    /// Everything is done. From now on another one may be the first; whoever asked meanwhile gets a window now.
    pub(crate) fn over(&self, app: &AppHandle) {
        tauri_plugin_single_instance::destroy(app);
        let Some(start) = self.take() else { return };
        let program = tauri::process::current_binary(&app.env());
        let started = program.and_then(|program| {
            let mut command = Command::new(program);
            command.args(&start.arguments).current_dir(&start.folder);
            command.stdin(Stdio::null()).spawn()
        });
        match started {
            Ok(_) => tracing::info!("started again, as somebody asked while the program ended"),
            Err(error) => tracing::warn!(%error, "the program can't be started again"),
        }
    }
}

/// Ends the program.
pub(crate) fn end(app: &AppHandle) {
    app.state::<Ending>().begin();
    app.exit(0);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_start_is_kept_only_once_the_end_has_begun_and_done_once() {
        let ending = Ending::default();
        assert!(!ending.keeps(&words(&["tandem-desktop", "a.tandem"]), "/home/anna"));
        assert_eq!(ending.take(), None);
        ending.begin();
        assert_eq!(ending.take(), None, "nobody asked");
        assert!(ending.keeps(&words(&["tandem-desktop", "--config-dir", "p", "--hidden", "a.tandem"]), "/home/anna"));
        let later = ["tandem-desktop", "--config-dir", "p", "b.tandem", "tandem:join?v=1"];
        assert!(ending.keeps(&words(&later), "/tmp"));
        let start = ending.take().unwrap();
        let brought = Path::new("/tmp").join("b.tandem").display().to_string();
        assert_eq!(start.arguments, ["--config-dir", "p", "a.tandem", &*brought, "tandem:join?v=1"]);
        assert_eq!((start.folder, ending.take()), (PathBuf::from("/home/anna"), None));
    }
}
