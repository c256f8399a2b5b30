//! Programs that are killed at any moment. Afterwards both computers hold the same: everything, and once.
//!
//! `KILLS=200` kills that often.
#![allow(clippy::unwrap_used, reason = "tests say what they expect")]

#[path = "common/mod.rs"]
mod common;

use app::node::{Node, OpenOptions, Use};
use common::{Computer, contact, joined, mail, server, until, until_same};
use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader, Read},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

const PROFILE: &str = "TANDEM_TEST_PROFILE";
const PART: &str = "TANDEM_TEST_PART";
const DIES_AT: &str = "TANDEM_TEST_DIES_AT";

/// Not a test: the program that the tests start and kill.
#[test]
#[ignore = "started by the other tests"]
fn a_computer_of_its_own() {
    let Some(profile) = std::env::var_os(PROFILE) else { return };
    common::trace();
    if let Ok(point) = std::env::var(DIES_AT) {
        let (name, passes) = point.split_once('@').unwrap();
        let left = Arc::new(AtomicI64::new(passes.parse().unwrap()));
        fail::cfg_callback(name, move || {
            if left.fetch_sub(1, Ordering::SeqCst) <= 0 {
                std::process::abort();
            }
        })
        .unwrap();
    }
    let use_as = if std::env::var(PART).unwrap() == "server" { Use::Serve } else { Use::Run };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let profile = app::profile::Profile::in_folder(std::path::Path::new(&profile));
        let node = Node::open(&profile, use_as, OpenOptions::default()).await.unwrap();
        println!("is running");
        // Until whoever started this program closes its input.
        tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await.unwrap().ok();
        node.shut_down().await;
    });
}

struct Program(Child);

impl Program {
    fn start(computer: &Computer, part: &str, dies_at: Option<&str>) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--ignored", "--exact", "a_computer_of_its_own", "--nocapture"]);
        command.env(PROFILE, computer.profile_folder()).env(PART, part);
        if let Some(point) = dies_at {
            command.env(DIES_AT, point);
        }
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        // A program that dies at its start has nothing to say.
        lines.find(|line| line.contains("is running"));
        // The test runner in it says after a minute how long it is running, and ends if nobody listens.
        std::thread::spawn(move || lines.for_each(drop));
        Self(child)
    }

    fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    fn has_died(&mut self, within: Duration) -> bool {
        let until = Instant::now() + within;
        while Instant::now() < until {
            if self.0.try_wait().unwrap().is_some() {
                return true;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        false
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// Chance that can be told again.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

async fn two_programs() -> (Computer, Computer) {
    let (office, laptop) = (Computer::new("office"), Computer::new("laptop"));
    office.mails("mail", 0..60);
    office.mails("mail/.Archive", 1000..1030);
    for number in 0..10 {
        let uid = format!("p{number}");
        office.write(&format!("contacts/people/{uid}.vcf"), contact(&uid, &uid, "+49 0"));
    }
    let server = server(&office).await;
    let client = joined(&server, &laptop).await;
    until_same(&[&office, &laptop], 100).await;
    client.shut_down().await;
    server.shut_down().await;
    (office, laptop)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_any_moment_both_end_with_everything_and_once() {
    let kills = std::env::var("KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(24);
    let seed = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(7);
    let (office, laptop) = two_programs().await;
    let mut chance = Chance(seed);
    let computers = [&office, &laptop];
    let parts = ["server", "client"];
    let mut programs = [Program::start(&office, "server", None), Program::start(&laptop, "client", None)];
    let mut alive: BTreeSet<u32> = (0..60).chain(1000..1030).collect();
    let (mut next, mut phones, mut deleted) = (2000, [0; 10], 0);
    for _ in 0..kills {
        for _ in 0..=chance.below(4) {
            let who = computers[chance.below(2) as usize];
            match chance.below(5) {
                0 | 1 => {
                    let count = 1 + chance.below(12) as u32;
                    who.mails("mail", next..next + count);
                    alive.extend(next..next + count);
                    next += count;
                }
                2 => {
                    let which = chance.below(10) as usize;
                    if let Some(file) = who.find("contacts/people", &format!("UID:p{which}\r")) {
                        phones[which] += 1;
                        let phone = format!("+49 {}", phones[which]);
                        let uid = format!("p{which}");
                        std::fs::write(file, contact(&uid, &uid, &phone)).unwrap();
                    }
                }
                3 if deleted < 18 => {
                    let number = chance.below(60) as u32;
                    if alive.contains(&number)
                        && let Some(file) = who.find("mail/cur", &format!("hello {number}."))
                        && std::fs::remove_file(&file).is_ok()
                    {
                        deleted += 1;
                        alive.remove(&number);
                    }
                }
                _ => {
                    let number = 1000 + chance.below(30);
                    if let Some(file) = who.find("mail/.Archive/cur", &format!("hello {number}.")) {
                        std::fs::rename(&file, who.path("mail/cur").join(file.file_name().unwrap())).ok();
                    }
                }
            }
        }
        tokio::time::sleep(Duration::from_millis(chance.below(700))).await;
        let which = chance.below(2) as usize;
        programs[which].kill();
        programs[which] = Program::start(computers[which], parts[which], None);
    }
    let total = alive.len() + 10;
    for _ in 0..600 {
        if office.items() == laptop.items() && office.total() == total {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    until_same(&computers, total).await;
    for number in &alive {
        let found = computers.map(|computer| {
            let is_it = |((_, bytes), _): &(&(String, Vec<u8>), &usize)| **bytes == *mail(*number).as_bytes();
            computer.items().iter().filter(is_it).map(|(_, count)| count).sum::<usize>()
        });
        assert_eq!(found, [1, 1], "message {number}, seed {seed}");
    }
}

/// What takes a computer through every step of a change in its store: the other one does all there is to do.
fn do_everything(other: &Computer, round: u32) {
    other.mails("mail", 3000 + round * 10..3003 + round * 10);
    for number in [0, 1] {
        let uid = format!("p{number}");
        other.edit("contacts/people", &format!("UID:{uid}\r"), contact(&uid, &uid, &format!("+49 {round}")));
    }
    let flagged = other.found("mail/cur", "hello 40.");
    let name = flagged.to_string_lossy().into_owned();
    let flags = if name.ends_with(":2,S") { ":2,FS" } else { ":2,S" };
    std::fs::rename(&flagged, format!("{}{flags}", name.split(":2,").next().unwrap())).unwrap();
    let (from, to) =
        if round.is_multiple_of(2) { ("mail/cur", "mail/.Archive/cur") } else { ("mail/.Archive/cur", "mail/cur") };
    let moved = other.found(from, "hello 41.");
    std::fs::rename(&moved, other.path(to).join(moved.file_name().unwrap())).unwrap();
    other.delete("mail/cur", &format!("hello {round}."));
}

async fn dies_at_each(points: &[&str], is_office: bool) {
    let (office, laptop) = two_programs().await;
    let (dying, part, other, other_part) =
        if is_office { (&office, "server", &laptop, "client") } else { (&laptop, "client", &office, "server") };
    let mut total = 100;
    let _other_program = Program::start(other, other_part, None);
    for (round, point) in (0..).zip(points) {
        // Not at the first item where there are several.
        let at = format!("{point}@{}", u32::from(point.contains("place")));
        let mut program = Program::start(dying, part, Some(&at));
        do_everything(other, round);
        total += 2;
        let has_died = tokio::task::block_in_place(|| program.has_died(Duration::from_secs(15)));
        assert!(has_died, "{point} was never reached");
        drop(program);
        let program = Program::start(dying, part, None);
        until_same(&[&office, &laptop], total).await;
        until("the edit is there", || {
            dying.find("contacts/people", "UID:p0\r").is_some_and(|file| {
                std::fs::read_to_string(file).is_ok_and(|text| text.contains(&format!("+49 {round}\r")))
            })
        })
        .await;
        drop(program);
    }
}

const IN_THE_ENGINE: [&str; 4] =
    ["engine::after_stage", "engine::after_intents", "engine::after_store_commit", "engine::before_base"];
const IN_THE_STORE: [&str; 9] = [
    "files::before_flush",
    "files::before_place",
    "files::after_place",
    "files::before_exchange",
    "files::after_exchange",
    "files::before_rename",
    "files::after_rename",
    "files::before_aside",
    "files::after_aside",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_laptop_that_dies_at_any_step_of_a_change_goes_on_as_if_it_had_not() {
    dies_at_each(&[&IN_THE_ENGINE[..], &IN_THE_STORE[..]].concat(), false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_office_that_dies_at_any_step_of_a_change_goes_on_as_if_it_had_not() {
    dies_at_each(&[&IN_THE_ENGINE[..], &IN_THE_STORE[..]].concat(), true).await;
}
