//! What foreign crates may be in the lock file. `deny.toml` holds the same rules for `cargo deny`; these tests hold
//! where that program isn't installed.

use crate::workspace::{cargo, read, root};

/// Older versions have holes that are public.
const MINIMUM_VERSIONS: [(&str, Version); 3] = [
    // Panics and unbounded memory from one peer's packets.
    ("quinn-proto", Version(0, 11, 19)),
    // Data accepted at the wrong encryption level; secrets in debug output.
    ("rustls", Version(0, 23, 46)),
    // A panic while reading a certificate list.
    ("rustls-webpki", Version(0, 103, 13)),
];

/// A second TLS provider panics at run time beside the first, and doubles what has to be trusted.
const BANNED: [&str; 4] = ["native-tls", "openssl", "openssl-sys", "ring"];

const SYSTEMS: [&str; 3] = ["x86_64-unknown-linux-gnu", "x86_64-pc-windows-msvc", "aarch64-apple-darwin"];

#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Version(u64, u64, u64);

impl Version {
    /// The three numbers. What follows them (`-alpha`, `+build`) is left out.
    fn parse(text: &str) -> Option<Self> {
        let numbers = text.split(['-', '+']).next()?;
        let mut parts = numbers.split('.').map(|part| part.parse().ok());
        let version = Self(parts.next()??, parts.next()??, parts.next()??);
        parts.next().is_none().then_some(version)
    }
}

#[test]
fn the_lock_file_holds_no_version_with_a_known_hole() {
    let locked = locked_packages(&read(&root().join("Cargo.lock")));
    for (name, minimum) in MINIMUM_VERSIONS {
        let versions: Vec<_> = locked.iter().filter(|package| package.name == name).collect();
        assert!(!versions.is_empty(), "{name} isn't in Cargo.lock any more; then its line here can go");
        for package in versions {
            let version = Version::parse(&package.version).expect("a version has three numbers");
            assert!(version >= minimum, "{name} {} is older than {minimum:?}", package.version);
        }
    }
}

#[test]
fn deny_toml_knows_the_same_minimum_versions() {
    let rules = read(&root().join("deny.toml"));
    for (name, Version(major, minor, patch)) in MINIMUM_VERSIONS {
        let ban = format!("crate = \"{name}:<{major}.{minor}.{patch}\"");
        assert!(rules.contains(&ban), "deny.toml has no {ban}");
    }
}

#[test]
fn every_foreign_crate_comes_from_the_registry() {
    for package in locked_packages(&read(&root().join("Cargo.lock"))) {
        let source = package.source.as_deref().unwrap_or("registry+");
        assert!(source.starts_with("registry+"), "{} comes from {source}", package.name);
    }
}

/// The lock file can't tell: it lists what any system might use, `ring` for the browser among it.
#[test]
fn no_system_gets_a_second_tls_provider() {
    for system in SYSTEMS {
        let tree = cargo(&["tree", "--workspace", "--target", system, "--prefix", "none", "--locked"]);
        let used: Vec<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
        assert!(used.contains(&"aws-lc-rs"), "{system} should use aws-lc-rs");
        for name in BANNED {
            assert!(!used.contains(&name), "{system} pulls in {name}");
        }
    }
}

struct Locked {
    name: String,
    version: String,
    /// Nothing for the crates of this workspace.
    source: Option<String>,
}

fn locked_packages(lock: &str) -> Vec<Locked> {
    let packages: Vec<Locked> = lock
        .split("[[package]]")
        .skip(1)
        .map(|block| Locked {
            name: field(block, "name").expect("a locked package has a name"),
            version: field(block, "version").expect("a locked package has a version"),
            source: field(block, "source"),
        })
        .collect();
    assert!(packages.len() > 50, "only {} packages were read from Cargo.lock", packages.len());
    packages
}

fn field(block: &str, name: &str) -> Option<String> {
    let value = block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(" = "))?;
    Some(value.trim_matches('"').to_owned())
}

#[test]
fn versions_compare_by_number_and_not_by_letter() {
    assert!(Version::parse("0.11.9") < Version::parse("0.11.19"));
    assert_eq!(Version::parse("1.2.3-rc.1+spec-1.1.0"), Some(Version(1, 2, 3)));
    assert_eq!(Version::parse("1.2"), None);
}
