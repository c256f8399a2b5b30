//! Every crate takes part in what the workspace decided: lints, licence, a page that says what it is for.

use crate::workspace::{Member, members, read, root, rust_files};

/// The files that may hold `unsafe` code, because they bind to an operating system.
const FILES_WITH_UNSAFE_CODE: [&str; 5] = [
    "crates/app/src/memory.rs",
    "crates/stores/src/files/replace_file.rs",
    "crates/stores/src/outlook/com.rs",
    "crates/stores/tests/outlook/server.rs",
    "src-tauri/src/tray.rs",
];

#[test]
fn every_crate_inherits_the_lints_of_the_workspace() {
    for member in members() {
        let manifest = read(&member.manifest);
        let lints = manifest.split("[lints]").nth(1).unwrap_or_default().trim_start();
        assert!(lints.starts_with("workspace = true"), "{} doesn't inherit the lints", member.manifest.display());
    }
}

#[test]
fn unsafe_code_is_refused_and_nobody_opts_out() {
    assert!(read(&root().join("Cargo.toml")).contains("unsafe_code = \"deny\""), "the workspace must deny unsafe code");
    for member in members() {
        for file in rust_files(member.folder()) {
            let opts_out = ["allow", "expect", "warn"].map(|level| format!("{level}(unsafe_code")).into_iter();
            let source = read(&file);
            let name = file.strip_prefix(root()).expect("crates lie in the workspace").display().to_string();
            if opts_out.into_iter().any(|attribute| source.contains(&attribute)) {
                assert!(FILES_WITH_UNSAFE_CODE.contains(&name.as_str()), "{name} switches the lint off");
            }
        }
    }
}

#[test]
fn every_crate_inherits_edition_licence_and_publishing_from_the_workspace() {
    for member in members() {
        let manifest = read(&member.manifest);
        for line in ["edition.workspace = true", "license.workspace = true", "publish.workspace = true"] {
            assert!(manifest.contains(line), "{} has no line {line:?}", member.manifest.display());
        }
    }
}

#[test]
fn every_crate_says_what_it_is_for() {
    let silent: Vec<_> = members()
        .into_iter()
        .filter(|member| !member.folder().join("README.md").is_file() && longest_front_page(member) < 60)
        .map(|member| member.name)
        .collect();
    assert!(silent.is_empty(), "neither a README nor `//!` lines that tell their story: {silent:?}");
}

/// Letters in the `//!` lines at the top of the library or the program, whichever says more.
fn longest_front_page(member: &Member) -> usize {
    member
        .entries
        .iter()
        .filter(|entry| entry.kind == "lib" || entry.kind == "bin")
        .map(|entry| {
            let source = read(&entry.path);
            source.lines().map_while(|line| line.strip_prefix("//!")).map(|line| line.trim().chars().count()).sum()
        })
        .max()
        .unwrap_or_default()
}
