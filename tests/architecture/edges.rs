//! The crates use each other only as `docs/architecture.md` says.

use crate::workspace::{members, read, root};
use std::collections::{BTreeMap, BTreeSet};

#[test]
fn crates_use_only_the_crates_that_the_architecture_page_allows() {
    let allowed = documented_edges(&read(&root().join("docs/architecture.md")));
    for member in members() {
        let may_use = allowed
            .get(&member.name)
            .unwrap_or_else(|| panic!("crate {} is missing from the table in docs/architecture.md", member.name));
        for used in member.dependencies.iter().filter(|dependency| dependency.is_ours) {
            assert!(
                may_use.contains(&used.name),
                "{} uses {}, which docs/architecture.md doesn't allow",
                member.name,
                used.name
            );
        }
    }
}

#[test]
fn the_architecture_page_names_no_crate_that_is_gone() {
    let here: BTreeSet<String> = members().into_iter().map(|member| member.name).collect();
    for (name, uses) in documented_edges(&read(&root().join("docs/architecture.md"))) {
        assert!(here.contains(&name), "docs/architecture.md has a row for {name}, which is no crate here");
        let gone: Vec<_> = uses.difference(&here).collect();
        assert!(gone.is_empty(), "docs/architecture.md lets {name} use {gone:?}, which aren't crates here");
    }
}

#[test]
fn the_documented_edges_have_no_circle() {
    let mut left = documented_edges(&read(&root().join("docs/architecture.md")));
    while !left.is_empty() {
        let before = left.len();
        let waiting: BTreeSet<String> = left.keys().cloned().collect();
        left.retain(|_, uses| uses.iter().any(|used| waiting.contains(used)));
        assert!(left.len() < before, "these crates use each other in a circle: {waiting:?}");
    }
}

/// Rows like ``| `net` | an authenticated link | `identity` |``.
fn documented_edges(page: &str) -> BTreeMap<String, BTreeSet<String>> {
    let edges: BTreeMap<_, _> = page
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(|row| {
            let cells: Vec<&str> = row.trim_matches('|').split('|').collect();
            let [name, _, uses] = cells.as_slice() else { panic!("a row with other than three cells: {row}") };
            (code_words(name).next().expect("the first cell names a crate"), code_words(uses).collect())
        })
        .collect();
    assert!(!edges.is_empty(), "docs/architecture.md has no table of crates");
    edges
}

fn code_words(cell: &str) -> impl Iterator<Item = String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned)
}
