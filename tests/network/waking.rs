//! Computers that were asleep: what others kept for them is gone, and they don't know how long they slept.

use crate::{
    computer::{Computer, Staying},
    lab::{Lab, must, until, until_within},
    packets::Capture,
    roaming::AGAIN_WITHIN,
    router::{EVERY_PROTOCOL, Home, PUBLIC},
};
use std::{
    fs,
    path::PathBuf,
    process::Command,
    time::{Duration, Instant},
};

/// A link is given up after half a minute without a packet.
const GIVEN_UP_WITHIN: Duration = Duration::from_secs(90);
/// Shorter sleeps don't count as such.
const LONG_ENOUGH: Duration = Duration::from_secs(14);

/// A clock that stands still while its computer sleeps.
struct Clock {
    folder: tempfile::TempDir,
    library: PathBuf,
}

impl Clock {
    fn build() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let library = folder.path().join("asleep.so");
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/network/asleep.c");
        must(Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&library).arg(source));
        Self { folder, library }
    }

    fn of<'a>(&self, computer: Computer<'a>) -> Computer<'a> {
        let slept = self.folder.path().join("slept").display().to_string();
        computer.with(("LD_PRELOAD", self.library.display().to_string())).with(("TANDEM_TEST_SLEPT", slept))
    }

    /// The program sleeps until something is so.
    fn sleeps_until(&self, program: &Staying, what: &str, is_so: impl Fn() -> bool) {
        program.set_asleep(true);
        let begun = Instant::now();
        until_within(GIVEN_UP_WITHIN, what, || (is_so() && begun.elapsed() > LONG_ENOUGH).then_some(()));
        let slept = begun.elapsed();
        fs::write(self.folder.path().join("slept"), slept.as_nanos().to_string()).unwrap();
        program.set_asleep(false);
        eprintln!("slept {slept:?}");
    }
}

#[test]
fn a_laptop_that_wakes_up_is_connected_again_within_five_seconds() {
    let Some(lab) = Lab::switched(&[("office", 2), ("laptop", 3)], &["cc"]) else { return };
    let clock = Clock::build();
    let (office, laptop) = (Computer::new(&lab, "office"), clock.of(Computer::new(&lab, "laptop")));
    office.write("notes/Ideas/one.txt", "one\n");
    office.become_server("Office PC", &[]);
    let _serving = office.stay(&["serve"]);
    laptop.join(&["--lan", "Office PC"]).went_well();
    let running = laptop.stay(&["run"]);
    let is_here = || office.tandem(&["status"]).json()["isConnected"] == true;
    until("they are connected", || is_here().then_some(()));

    clock.sleeps_until(&running, "the server has given the link up", || !is_here());
    office.write("notes/Ideas/two.txt", "two\n");
    let ((), took) = until("a change is here", || laptop.has("notes/Ideas/two.txt").then_some(()));
    eprintln!("awake, and a change here after {took:?}");
    assert!(took < AGAIN_WITHIN, "{took:?}");
}

#[test]
fn a_server_that_wakes_up_opens_its_router_again_and_says_where_it_is() {
    let Some(home) = Home::new(&["cc"]) else { return };
    let clock = Clock::build();
    let office = clock.of(home.server());
    // UPnP, which is asked every ten minutes only.
    let daemon = home.miniupnpd(PUBLIC, EVERY_PROTOCOL[2]);
    let serving = office.stay(&["serve"]);
    until("the router forwards", || home.forwards().then_some(()));
    let is_said = || office.tandem(&["publish"]).json()["saysInternet"] == true;
    until("it has said where it is", || is_said().then_some(()));

    let _daemon = home.restart(daemon, EVERY_PROTOCOL[2]);
    let packets = Capture::start(&home.lab, "office", office.path("packets"));
    clock.sleeps_until(&serving, "it sleeps long enough", || true);
    let ((), took) = until("the router forwards again", || home.forwards().then_some(()));
    eprintln!("the router forwards {took:?} after that");
    assert!(took < AGAIN_WITHIN, "{took:?}");
    // As those who store it are asked to (BEP 44).
    let ((), took) = until("it says where it is", || packets.holds("1:q3:put").then_some(()));
    eprintln!("and it is said after {took:?}");
}
