//! The workspace as cargo sees it.

use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// A crate of this workspace.
pub(crate) struct Member {
    pub(crate) name: String,
    /// Its `Cargo.toml`.
    pub(crate) manifest: PathBuf,
    /// Every dependency it names itself, also those for building and testing.
    pub(crate) dependencies: Vec<Dependency>,
    /// The files its targets start from: `src/lib.rs`, `src/main.rs`, …
    pub(crate) entries: Vec<Entry>,
}

pub(crate) struct Dependency {
    pub(crate) name: String,
    /// Whether it lies in this workspace.
    pub(crate) is_ours: bool,
    /// Whether the built crate uses it, rather than its tests or its build script.
    pub(crate) is_normal: bool,
}

pub(crate) struct Entry {
    pub(crate) kind: String,
    pub(crate) path: PathBuf,
}

impl Member {
    pub(crate) fn folder(&self) -> &Path {
        self.manifest.parent().expect("a manifest lies in a folder")
    }
}

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ lies in the workspace").to_owned()
}

pub(crate) fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What `cargo` prints. It works without a network once the crates in the lock file are on this computer.
pub(crate) fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO")).args(arguments).current_dir(root()).output().expect("cargo starts");
    assert!(output.status.success(), "cargo {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("cargo prints UTF-8")
}

pub(crate) fn members() -> Vec<Member> {
    let printed = cargo(&["metadata", "--no-deps", "--format-version", "1", "--locked"]);
    let metadata: Value = serde_json::from_str(&printed).expect("cargo metadata prints JSON");
    let members: Vec<Member> = list(&metadata["packages"]).iter().map(member).collect();
    assert!(members.len() >= 8, "cargo lists only {} crates of this workspace", members.len());
    members
}

pub(crate) fn member_named(name: &str) -> Member {
    members().into_iter().find(|member| member.name == name).unwrap_or_else(|| panic!("no crate {name} here"))
}

/// Every Rust file below a folder, sorted.
pub(crate) fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    for path in entries.map(|entry| entry.expect("a folder can be listed to its end").path()) {
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

fn member(package: &Value) -> Member {
    Member {
        name: text(&package["name"]),
        manifest: PathBuf::from(text(&package["manifest_path"])),
        dependencies: list(&package["dependencies"])
            .iter()
            .map(|dependency| Dependency {
                name: text(&dependency["name"]),
                is_ours: dependency["path"].is_string(),
                is_normal: dependency["kind"].is_null(),
            })
            .collect(),
        entries: list(&package["targets"])
            .iter()
            .map(|target| Entry { kind: text(&target["kind"][0]), path: PathBuf::from(text(&target["src_path"])) })
            .collect(),
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("cargo metadata holds {value} where a text belongs")).to_owned()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap_or_else(|| panic!("cargo metadata holds {value} where a list belongs"))
}
