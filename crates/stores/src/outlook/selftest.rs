//! The suite of [`crate::conformance`] in the Outlook that is running.
//!
//! It works in a data file of its own, which it adds to the profile and takes out again, so nobody's folders are touched.
//! The [`Report`] says what was kept, what wasn't and how long calls took, and nothing of anybody's data.

mod calls;
mod report;
mod scratch;

pub use calls::Calls;
pub use report::{Kept, Report};

use super::{
    Door, Doors,
    dispatch::{Pulse, Standing, application},
};
use crate::{
    Program, ProgramState, StoreError,
    conformance::{SENTENCES, Sentence, Subject, figures},
};
use calls::Tally;
use pim::FolderKind;
use scratch::Scratch;
use std::{
    cell::RefCell,
    panic::{self, AssertUnwindSafe, PanicHookInfo},
    path::Path,
    sync::{
        Arc,
        mpsc::{self, RecvTimeoutError},
    },
    thread,
    time::Instant,
};

/// Items that speed is measured with.
const MEASURED: usize = 200;

/// Runs it. `place` is a folder of our own that is there; data files and what is staged lie in it meanwhile. `tell` is given
/// how many sentences of how many are done. Fails if Outlook can't be asked, or takes no data file.
pub fn run(doors: &Doors, place: &Path, tell: &mut dyn FnMut(usize, usize)) -> Result<Report, StoreError> {
    let tally = Tally::default();
    let doors = tally.counting(doors);
    let (patience, pulse, place) = (doors().patience(), Pulse::default(), place.to_owned());
    let (progress, coming) = mpsc::channel();
    let beating = pulse.clone();
    // Objects belong to the thread that got them, and this one may not be ours to make one that gets any.
    let test = thread::spawn(move || {
        let door = doors();
        beating.goes_through(&*door);
        on_own_thread(&doors, &*door, &tally, &place, &progress)
    });
    let mut standing = Standing::of(&pulse);
    loop {
        match coming.recv_timeout(Standing::look_after(patience)) {
            Ok((at, of)) => tell(at, of),
            Err(RecvTimeoutError::Timeout) if !standing.is_longer(&pulse, patience) => {}
            Err(RecvTimeoutError::Timeout) => {
                return Err(StoreError::Program { program: Program::Outlook, state: ProgramState::Waiting });
            }
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    test.join().unwrap_or_else(|payload| {
        let said = payload.downcast_ref::<String>().map(String::as_str).or(payload.downcast_ref::<&str>().copied());
        let reason = format!("the self-test itself failed: {}", scrubbed(said.unwrap_or_default().to_owned()));
        Err(StoreError::Io { reason, path: "selftest".to_owned() })
    })
}

fn on_own_thread(
    doors: &Doors,
    door: &dyn Door,
    tally: &Tally,
    place: &Path,
    progress: &mpsc::Sender<(usize, usize)>,
) -> Result<Report, StoreError> {
    let application = application(door)?;
    let version = application.text("Version")?;
    let mut scratch = Scratch::make(doors, application, place)?;
    let listening = Listening::start();
    let mut kept = Vec::with_capacity(SENTENCES.len());
    for (at, (name, sentence)) in SENTENCES.iter().enumerate() {
        // Whoever waited has gone if it can't be told.
        let _ = progress.send((at, SENTENCES.len()));
        let begun = Instant::now();
        let outcome =
            scratch.clean().map_err(|error| format!("{error:?}")).and_then(|()| keeps(*sentence, &mut scratch));
        kept.push(Kept { sentence: name, millis: begun.elapsed().as_millis(), failed: outcome.err().map(scrubbed) });
    }
    let figures = scratch
        .clean()
        .map_err(|error| format!("{error:?}"))
        .and_then(|()| caught(|| figures(&mut *scratch.store(None), FolderKind::Contacts, MEASURED)));
    drop(listening);
    let is_removed = scratch.remove();
    let (speed, speed_failed) = match figures {
        Ok(figures) => (Some(figures), None),
        Err(why) => (None, Some(scrubbed(why))),
    };
    Ok(Report { outlook: version, sentences: kept, speed, speed_failed, calls: tally.told(), is_removed })
}

fn keeps(sentence: Sentence, subject: &mut Scratch) -> Result<(), String> {
    caught(|| sentence(subject))
}

thread_local! {
    /// What was said by the last panic of this thread.
    static SAID: RefCell<String> = const { RefCell::new(String::new()) };
}

fn caught<T>(act: impl FnOnce() -> T) -> Result<T, String> {
    panic::catch_unwind(AssertUnwindSafe(act)).map_err(|_| SAID.take())
}

type Hook = dyn Fn(&PanicHookInfo<'_>) + Send + Sync;

/// Keeps what panics of this thread say, instead of printing it.
struct Listening(Arc<Hook>);

impl Listening {
    fn start() -> Self {
        let (before, ours): (Arc<Hook>, _) = (panic::take_hook().into(), thread::current().id());
        let others = Arc::clone(&before);
        panic::set_hook(Box::new(move |info| {
            if thread::current().id() != ours {
                return others(info);
            }
            let payload = info.payload();
            let said = payload.downcast_ref::<String>().map(String::as_str).or(payload.downcast_ref::<&str>().copied());
            let line = info.location().map_or(0, std::panic::Location::line);
            SAID.set(format!("line {line}: {}", said.unwrap_or_default()));
        }));
        Self(before)
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let before = Arc::clone(&self.0);
        panic::set_hook(Box::new(move |info| before(info)));
    }
}

/// Without what stands in quotes: Outlook's own words, names, paths and IDs do. Its codes stay.
fn scrubbed(said: String) -> String {
    const LENGTH_MAX: usize = 400;
    let mut kept = String::new();
    // Quotes in quoted text don't end it.
    let said = said.replace(r"\\", "").replace(r#"\""#, "");
    for (at, part) in said.split('"').enumerate() {
        if at % 2 == 0 {
            kept.push_str(part);
            continue;
        }
        let codes = part.match_indices("0x").filter_map(|(from, _)| part.get(from..from + 10));
        let codes: Vec<&str> = codes.filter(|code| code[2..].bytes().all(|byte| byte.is_ascii_hexdigit())).collect();
        kept.push_str(&format!("\"…{}\"", codes.concat()));
    }
    kept.chars().take(LENGTH_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_failed_is_told_without_what_stands_in_quotes() {
        let said =
            "line 7: it can be created: Io { reason: \"Can't find Anna's folder (0x8004010f)\", path: \"C:\\\\Anna\" }";
        let told = scrubbed(said.to_owned());
        assert_eq!(told, "line 7: it can be created: Io { reason: \"…0x8004010f\", path: \"…\" }");
        let reason = "can't open \"Anna Berg\" in C:\\Anna\\ (0x8004010f)".to_owned();
        let said = format!("{:?}", StoreError::Io { reason, path: "C:\\Anna\\".to_owned() });
        assert_eq!(scrubbed(said), "Io { reason: \"…0x8004010f\", path: \"…\" }");
    }
}
