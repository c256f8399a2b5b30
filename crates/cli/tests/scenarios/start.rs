//! The guided start.

use crate::computer::Computer;

#[test]
fn without_a_terminal_the_samples_cross_and_nothing_is_asked() {
    let computer = Computer::new();
    let ran = computer.tandem(&["start"]).went_well();
    for said in ["Office PC", "Laptop", "Lunch on Thursday?", "added on «Office PC»", "+49 170 9876543", "COMPLETED"]
    {
        assert!(ran.stdout.contains(said), "{said} is missing: {}", ran.stdout);
    }
    assert!(ran.stdout.contains("init --server"), "it says how to go on: {}", ran.stdout);
    assert!(!computer.path("profile").join("config.toml").exists(), "the user's own profile is untouched");
}

#[test]
fn the_samples_can_be_kept_and_are_not_overwritten() {
    let computer = Computer::new();
    let place = computer.path("samples").display().to_string();
    let ran = computer.json(&["start", "--dir", &place]);
    let crossings = ran["crossings"].as_array().unwrap();
    assert_eq!(crossings.len(), 3);
    assert!(crossings.iter().all(|crossing| crossing["seconds"].as_f64().unwrap() < 30.0), "{ran:#}");
    let read =
        |computer: &str| std::fs::read_to_string(format!("{place}/{computer}/data/contacts/Friends/bert.vcf")).unwrap();
    for computer in ["office", "laptop"] {
        assert!(read(computer).contains("+49 170 5555555") && read(computer).contains("Master carpenter"));
    }
    computer.tandem(&["start", "--dir", &place]).told(2, "C19");
}
