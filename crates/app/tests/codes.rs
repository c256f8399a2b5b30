//! Every message is one that somebody can meet, and those of the specification were met in a test.

#![allow(clippy::unwrap_used)] // Here, a panic is the message.

use app::message::Code;
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// The numbered messages of the specification, and by which test each is provoked: for real where that is possible
/// here, else with a made-up cause (D01 and D02 need Windows). M04 is part of M03, and there is no M15.
const MESSAGES: [(&str, Code, &str); 29] = [
    ("M01", Code::NoServerFound, "a_server_is_found_joined_and_followed_to_another_address"),
    ("M02", Code::ServerIdMistyped, "an_id_is_read_as_people_write_it_and_a_typo_is_said_before_anything_is_asked"),
    ("M03", Code::ServerIdNotPublished, "who_takes_tandem_off_the_computer_is_published_no_more"),
    ("M05", Code::Offline, "revoking_without_a_network_is_queued_and_carried_out_later"),
    ("M06", Code::DirectorySilent, "what_a_directory_that_is_off_should_have_deleted_it_deletes_when_it_is_back"),
    ("M07", Code::RouterClosed, "a_router_that_maps_nothing_is_named"),
    ("M08", Code::InvitationDamaged, "a_damaged_a_newer_and_no_invitation_at_all_are_told_apart"),
    ("M09", Code::InvitationNewer, "a_damaged_a_newer_and_no_invitation_at_all_are_told_apart"),
    ("M10", Code::TicketExpired, "an_invitation_whose_ticket_has_expired_says_so_and_can_be_used_with_the_password"),
    ("M11", Code::PasswordWrong, "a_wrong_password_and_a_wrong_key_are_said_and_change_nothing"),
    ("M12", Code::KeyDiffers, "a_wrong_password_and_a_wrong_key_are_said_and_change_nothing"),
    ("M13", Code::ServerSilent, "doctor_stops_at_what_stands_in_the_way"),
    ("M14", Code::ServerPaused, "a_pause_on_either_side_holds_everything_and_the_end_of_it_lets_all_go_on"),
    ("M16", Code::VersionsDiffer, "a_laptop_hears_which_of_the_two_to_update_and_keeps_everything"),
    ("M17", Code::KeyringLocked, "the_password_store_in_every_state"),
    ("M18", Code::NoKeyring, "the_password_store_in_every_state"),
    ("M19", Code::OutlookAsks, "what_outlook_does_instead_of_answering_is_said_each_in_its_own_way"),
    (
        "M20",
        Code::DataInUse,
        "data_that_another_program_uses_alone_is_tried_again_and_nobody_is_told_that_it_is_broken",
    ),
    ("M21", Code::DeletionsHeld, "half_a_folder_deleted_on_the_laptop_waits_at_the_office_until_somebody_allows_it"),
    ("M22", Code::NoRoom, "a_laptops_full_disk_is_said_and_filled_when_there_is_room"),
    ("M23", Code::ConnectionBroke, "a_link_that_breaks_in_the_middle_is_told_with_what_is_done_and_goes_on_by_itself"),
    ("M24", Code::SettingsNotSaved, "settings_that_cannot_be_written_are_told_with_their_folder"),
    ("M25", Code::ItemsLeftOut, "a_message_with_more_keywords_than_can_be_carried_is_counted_and_the_rest_goes_on"),
    (
        "M26",
        Code::InternetOffOnServer,
        "nothing_leaves_the_house_while_the_switch_is_off_and_a_server_whose_switch_is_off_says_so",
    ),
    (
        "M27",
        Code::InternetOffHere,
        "nothing_leaves_the_house_while_the_switch_is_off_and_a_server_whose_switch_is_off_says_so",
    ),
    ("M28", Code::NoWayToServer, "what_makes_publishing_useless_is_said_first"),
    ("M29", Code::AnswerDoesNotMatchId, "a_record_that_somebody_swapped_in_the_directory_is_named"),
    ("M30", Code::Removed, "a_removed_laptop_is_cut_off_at_once_and_comes_back_with_password_and_permission"),
    ("M31", Code::DoorClosedInternet, "a_closed_door_is_the_one_at_which_this_computer_stands"),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The texts of all Rust files in these folders.
fn sources(folders: &[PathBuf]) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut left = folders.to_vec();
    while let Some(folder) = left.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let path = entry.unwrap().path();
            if path.is_dir() {
                left.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    found
}

fn crates(part: &str) -> Vec<PathBuf> {
    let crates = fs::read_dir(root().join("crates")).unwrap().map(|entry| entry.unwrap().path().join(part));
    crates.filter(|folder| folder.is_dir()).collect()
}

/// `NoRoom`, as the code is called in the source.
fn name(code: Code) -> String {
    format!("{code:?}")
}

/// Whether a code is made here, and not only looked for.
fn is_made(source: &str, code: &str) -> bool {
    let code = format!("Code::{code}");
    source.match_indices(&code).any(|(at, _)| {
        let (before, after) = (&source[..at], &source[at + code.len()..]);
        let is_whole = !after.starts_with(|c: char| c.is_alphanumeric());
        let is_value = ["new(", "=> ", "{ ", "about(", "with_port(", "other_version(", "then_some("]
            .iter()
            .any(|way| before.ends_with(way));
        let is_pattern = [" =>", " |", " if "].iter().any(|way| after.starts_with(way));
        is_whole && is_value && !is_pattern
    })
}

#[test]
fn every_code_is_made_somewhere_outside_of_tests() {
    let mut folders = crates("src");
    folders.push(root().join("src-tauri/src"));
    let all = sources(&folders);
    let program: String = all
        .iter()
        .filter(|(path, _)| !path.ends_with("message/code.rs") && !path.to_string_lossy().contains("tests"))
        .map(|(_, text)| text.split("#[cfg(test)]\nmod ").next().unwrap_or_default())
        .collect();
    let unused: Vec<String> = Code::ALL
        .iter()
        .filter(|code| !is_made(&program, &name(**code)))
        .map(|code| format!("{code} {code:?}"))
        .collect();
    assert_eq!(unused, [""; 0], "nobody can ever meet these: make them where they belong, or take them away");
}

#[test]
fn what_is_looked_for_is_not_taken_for_made() {
    assert!(is_made("Problem::new(Code::NoRoom)", "NoRoom") && is_made("Full => Code::NoRoom,", "NoRoom"));
    assert!(!is_made("Code::NoRoom => 1", "NoRoom") && !is_made("x == Code::NoRoom", "NoRoom"));
    assert!(!is_made("{ Code::NoRoom | Code::Other => 1 }", "NoRoom") && !is_made("new(Code::NoRoomLeft)", "NoRoom"));
}

#[test]
fn each_message_of_the_specification_is_met_in_the_test_that_is_named_for_it() {
    let mut folders = [crates("src"), crates("tests")].concat();
    folders.push(root().join("tests"));
    let all = sources(&folders);
    for (number, code, test) in MESSAGES {
        let is_it = |text: &String| text.contains(&format!("fn {test}("));
        let files: Vec<&(PathBuf, String)> =
            all.iter().filter(|(path, text)| !path.ends_with("app/tests/codes.rs") && is_it(text)).collect();
        let [(path, text)] = files.as_slice() else { panic!("{number}: {} tests are called {test}", files.len()) };
        let tells = text.contains(&format!("Code::{}", name(code))) || text.contains(&format!("\"{code}\""));
        assert!(tells, "{number}: {} says nothing of {code}", path.display());
    }
    let numbers: BTreeSet<&str> = MESSAGES.iter().map(|(number, ..)| *number).collect();
    assert_eq!(numbers.len(), MESSAGES.len(), "no message is there twice");
}

#[test]
fn each_step_of_the_connection_check_has_words_in_the_window_and_in_the_terminal() {
    let source = fs::read_to_string(root().join("crates/app/src/node/check.rs")).unwrap();
    let mut steps = BTreeSet::new();
    for before in ["rung(\"", "unknown(\"", "skip(\"", "    (\""] {
        let found = source.split(before).skip(1).filter_map(|rest| rest.split('"').next());
        steps.extend(found.filter(|id| id.chars().all(|c| c.is_ascii_lowercase() || c == '-')));
    }
    assert!(steps.len() >= 12 && steps.contains("mapping") && steps.contains("server-online"), "{steps:?}");
    for language in ["en", "de"] {
        let read = |path: &str| fs::read_to_string(root().join(format!("{path}/{language}.ftl"))).unwrap();
        let (window, terminal) = (read("ui/locales"), read("crates/cli/locales"));
        for step in &steps {
            assert!(window.contains(&format!("\ncheck-{step} = ")), "{language}: no check-{step} in the window");
            assert!(terminal.contains(&format!("\n        [{step}] ")), "{language}: no [{step}] in the terminal");
        }
    }
}
