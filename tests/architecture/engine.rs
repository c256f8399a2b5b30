//! The engine is told; it does not look: no clock, no file, no network, no threads of its own.
//!
//! `clippy.toml` in these crates knows the same methods by their resolved paths, which a search in the text can't. The
//! search sees what clippy can't: names of whole crates and modules, and code for systems that aren't built here.

use crate::workspace::{cargo, member_named, read, rust_files};

const ENGINE: [&str; 3] = ["pim", "identity", "sync"];

const OUTSIDE_WORLD: [&str; 14] = [
    "std::env",
    "std::fs",
    "std::process",
    "std::thread",
    "std::os",
    "tokio",
    "Instant::now",
    "SystemTime::now",
    "TcpListener",
    "TcpStream",
    "UdpSocket",
    "UnixStream",
    "ToSocketAddrs",
    "OpenOptions",
];

const CRATES_THAT_DO_IO: [&str; 8] = ["mio", "notify", "quinn", "rusqlite", "rustls", "socket2", "tokio", "tempfile"];

/// Chance is an argument too. `identity` makes keys, and may ask the system for random bytes; nothing else may.
const CRATES_OF_CHANCE: [&str; 4] = ["fastrand", "getrandom", "rand", "rand_core"];

#[test]
fn engine_sources_name_no_clock_no_file_and_no_socket() {
    for name in ENGINE {
        let files = rust_files(&member_named(name).folder().join("src"));
        assert!(!files.is_empty(), "{name} has no sources");
        for file in files {
            let source = read(&file);
            for (number, line) in code_before_tests(&source) {
                let found = OUTSIDE_WORLD.iter().find(|word| line.contains(*word));
                assert!(found.is_none(), "{}:{number}: {} belongs outside the engine", file.display(), found.unwrap());
            }
        }
    }
}

#[test]
fn engine_crates_pull_in_no_crate_that_does_io() {
    for name in ENGINE {
        let tree = cargo(&["tree", "--package", name, "--edges", "normal", "--prefix", "none", "--locked"]);
        for line in tree.lines() {
            let used = line.split(' ').next().unwrap_or_default();
            assert!(!CRATES_THAT_DO_IO.contains(&used), "{name} pulls in {used}, which does I/O");
        }
    }
}

#[test]
fn the_planner_and_the_items_have_no_source_of_chance() {
    for name in ["pim", "sync"] {
        for used in member_named(name).dependencies.iter().filter(|dependency| dependency.is_normal) {
            assert!(!CRATES_OF_CHANCE.contains(&used.name.as_str()), "{name} uses {}", used.name);
        }
    }
}

#[test]
fn clippy_watches_the_same_crates() {
    for name in ENGINE {
        let rules = read(&member_named(name).folder().join("clippy.toml"));
        for method in ["std::time::Instant::now", "std::time::SystemTime::now", "std::fs::read", "std::net::UdpSocket"]
        {
            assert!(rules.contains(method), "crates/{name}/clippy.toml doesn't refuse {method}");
        }
        // A crate's own clippy.toml replaces the one at the root.
        assert!(rules.contains("allow-unwrap-in-tests = true"), "crates/{name}/clippy.toml forgets the root's setting");
    }
}

/// The lines of a source file with their numbers, without comments, up to its test module. Unit tests stand last in a
/// file and may read samples from disk.
fn code_before_tests(source: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut lines = source.lines().enumerate().peekable();
    std::iter::from_fn(move || {
        let (index, line) = lines.next()?;
        let next_opens_a_module = lines.peek().is_some_and(|(_, next)| next.trim_start().starts_with("mod "));
        let is_end = line.trim() == "#[cfg(test)]" && next_opens_a_module;
        (!is_end).then_some((index + 1, line))
    })
    .filter(|(_, line)| !line.trim_start().starts_with("//"))
}

#[test]
fn the_search_sees_code_but_neither_comments_nor_the_test_module() {
    let source = "use a;\n// std::fs is for others\n#[cfg(test)]\nuse b;\nlet c;\n#[cfg(test)]\nmod tests {\n}\n";
    let seen: Vec<_> = code_before_tests(source).collect();
    assert_eq!(seen, [(1, "use a;"), (3, "#[cfg(test)]"), (4, "use b;"), (5, "let c;")]);
}
