//! What the program tells about itself.

use crate::computer::Computer;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    process::Command,
};

/// The commands that the help of a command lists.
fn commands_in(help: &str) -> Vec<String> {
    let listed = help.split("\nCommands:\n").nth(1).unwrap_or_default();
    let lines = listed.lines().take_while(|line| !line.is_empty());
    let names = lines.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    names.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help").map(str::to_owned).collect()
}

/// The long options in a text: `--name`.
fn options_in(text: &str) -> BTreeSet<String> {
    let name = |rest: &str| rest.chars().take_while(|c| c.is_ascii_lowercase() || *c == '-').collect::<String>();
    let options = text.split("--").skip(1).map(name);
    options.filter(|name| name.starts_with(|c: char| c.is_ascii_lowercase())).map(|name| format!("--{name}")).collect()
}

/// The options that the help of a command lists, each at the beginning of a line.
fn options_listed(help: &str) -> BTreeSet<String> {
    let is_one = |line: &&str| line.trim_start().starts_with('-');
    let first =
        |line: &str| line.split("  ").map(str::trim).find(|part| !part.is_empty()).unwrap_or_default().to_owned();
    help.lines().filter(is_one).flat_map(|line| options_in(&first(line))).collect()
}

/// Commands with the options each has.
type Seen = BTreeMap<String, BTreeSet<String>>;

fn visit(computer: &Computer, path: &[String], seen: &mut Seen) {
    let arguments: Vec<&str> = path.iter().map(String::as_str).chain(["--help"]).collect();
    let help = computer.tandem(&arguments).went_well().stdout;
    assert!(help.contains("Usage: tandem"), "{path:?}: {help}");
    assert!(help.contains("--json"), "{path:?}: {help}");
    seen.insert(path.join(" "), options_listed(&help));
    for name in commands_in(&help) {
        visit(computer, &[path, &[name]].concat(), seen);
    }
}

#[test]
fn every_command_explains_itself_and_is_in_the_documentation() {
    let computer = Computer::new();
    let mut seen = Seen::new();
    visit(&computer, &[], &mut seen);
    for command in ["join", "conflicts resolve", "devices takeover allow", "import", "log path"] {
        assert!(seen.contains_key(command), "{command} isn't among {seen:?}");
    }
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/cli.md")).unwrap();
    let (for_all, rest) = page.split_once("## Exit codes").unwrap();
    let common = options_in(for_all);
    for (command, options) in seen.iter().filter(|(command, _)| !command.is_empty()) {
        let called = format!("tandem {command}");
        assert!(page.contains(&called), "docs/cli.md doesn't have {called}");
        let told: BTreeSet<String> = rest.lines().filter(|line| line.contains(&called)).flat_map(options_in).collect();
        for option in options.iter().filter(|option| *option != "--help") {
            assert!(common.contains(option) || told.contains(option), "docs/cli.md: {called} lacks {option}");
        }
    }
    let known: BTreeSet<&String> = seen.values().flatten().collect();
    for option in &options_in(&page) {
        assert!(known.contains(option), "docs/cli.md has {option}, which no command knows");
    }
}

/// The fields of an answer, by the types that are made from the program for the window.
fn fields_of(answer: &str) -> Vec<String> {
    let path = format!("{}/../../ui/src/ipc/bindings/{answer}.ts", env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(path).unwrap();
    let code = text.split("/**").map(|part| part.split_once("*/").map_or("", |(_, code)| code));
    let fields = code.filter_map(|code| code.trim().split_once(':').map(|(name, _)| name.trim_end_matches('?')));
    fields.map(str::to_owned).collect()
}

#[test]
fn every_field_of_the_json_is_in_the_documentation() {
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/cli.md")).unwrap();
    for (answer, begins, ends) in [
        ("Status", "A **status**:", "A **preview**"),
        ("Preview", "A **preview** has", "`serve` and"),
        ("PreviewFolder", "A **preview** has", "`serve` and"),
        ("FolderView", "| `folders` |", "\n"),
        ("HeldView", "| `held` |", "\n"),
        ("ConflictView", "| `conflicts` |", "\n"),
        ("ConflictDetail", "| `conflicts show` |", "\n"),
        ("RunView", "| `history` |", "\n"),
        ("EntryView", "| `history RUN` |", "\n"),
        ("DeviceView", "| `devices` |", "\n"),
        ("PublicationView", "| `publish`, `revoke` |", "\n"),
        ("RelayView", "| `relay` |", "\n"),
        ("FirewallView", "| `firewall` |", "\n"),
        ("RendezvousView", "| `rendezvous` |", "\n"),
        ("Check", "| `doctor` |", "\n"),
    ] {
        let (_, rest) = page.split_once(begins).unwrap();
        let (told, _) = rest.split_once(ends).unwrap();
        let fields = fields_of(answer);
        assert!(!fields.is_empty(), "{answer}");
        for field in fields {
            let is_told = told.contains(&format!("`{field}`")) || field == "shape";
            assert!(is_told, "docs/cli.md: {begins} lacks {field} of {answer}");
        }
    }
}

#[test]
fn manual_pages_exist_for_every_command_and_render() {
    let computer = Computer::new();
    let folder = computer.path("man");
    computer.tandem(&["man", "--out", &folder.display().to_string()]).went_well();
    let pages: BTreeSet<String> =
        fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    for page in ["tandem.1", "tandem-serve.1", "tandem-conflicts-resolve.1", "tandem-devices-takeover-allow.1"] {
        assert!(pages.contains(page), "{page} isn't among {pages:?}");
    }
    for page in &pages {
        let text = fs::read_to_string(folder.join(page)).unwrap();
        assert!(text.contains(".TH ") && text.contains(".SH SYNOPSIS"), "{page}");
        let Ok(shown) = Command::new("man").args(["-l", "-P", "cat"]).arg(folder.join(page)).output() else { continue };
        let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
        assert!(shown.is_empty() || shown.contains("tandem"), "{page}: {shown}");
    }
    assert!(computer.tandem(&["man"]).went_well().stdout.contains(".TH tandem 1"));
}

#[test]
fn completions_are_made_for_every_shell_and_load_where_it_is_installed() {
    let computer = Computer::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = computer.tandem(&["completions", shell]).went_well().stdout;
        assert!(script.contains("conflicts"), "{shell}");
        let file = computer.path(shell);
        fs::write(&file, &script).unwrap();
        let arguments = match shell {
            "bash" => vec!["--norc".to_owned(), "-c".to_owned(), format!("source {}", file.display())],
            "zsh" => vec!["-n".to_owned(), file.display().to_string()],
            "fish" => vec!["--no-execute".to_owned(), file.display().to_string()],
            _ => continue,
        };
        if let Ok(loaded) = Command::new(shell).args(arguments).output() {
            assert!(loaded.status.success(), "{shell}: {loaded:?}");
        }
    }
}

#[test]
fn the_log_and_the_version_are_where_they_should_be() {
    let computer = Computer::new();
    let path = computer.tandem(&["log", "path"]).went_well().stdout;
    assert_eq!(path.trim(), computer.path("profile/log").display().to_string());
    assert!(computer.tandem(&["--version"]).went_well().stdout.starts_with("tandem 0."));
}

#[test]
fn problems_are_told_in_the_language_asked_for_and_as_json_on_standard_output() {
    let computer = Computer::new();
    let said = computer.tandem(&["status", "--lang", "de"]);
    said.told(2, "C05");
    assert!(said.stderr.contains("eingerichtet"), "{}", said.stderr);
    let ran = computer.tandem(&["status", "--json"]);
    assert_eq!((ran.exit, ran.stderr.as_str()), (2, ""));
    let problem = ran.json();
    assert_eq!((problem["shape"].as_u64(), problem["problem"]["code"].as_str()), (Some(1), Some("C05")));
    for part in ["headline", "message", "action", "command"] {
        assert!(problem["problem"][part].as_str().is_some_and(|text| !text.is_empty()), "{problem}");
    }
    let ran = computer.tandem(&["status", "--sideways", "--json"]);
    assert_eq!((ran.exit, ran.json()["problem"]["code"].as_str()), (2, Some("C11")));
    let ran = computer.tandem(&["sideways"]);
    assert_eq!(ran.exit, 2);
    assert!(ran.stderr.contains("sideways"), "{ran:?}");
}
