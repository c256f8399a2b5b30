//! Each promise in `PROMISES.md` names tests, and they exist.

use crate::workspace::{read, root};
use std::{collections::BTreeSet, fs, path::Path};

#[test]
fn the_tests_that_keep_the_promises_exist() {
    let mut here = BTreeSet::new();
    for folder in ["crates", "src-tauri/src", "tests"] {
        tests_in(&root().join(folder), &mut here);
    }
    let page = read(&root().join("tests/PROMISES.md"));
    let rows: Vec<&str> = page.lines().filter(|line| line.starts_with("| ") && line.contains('`')).collect();
    assert!(rows.len() >= 30, "the table has only {} rows", rows.len());
    for row in rows {
        let named: Vec<&str> = row.split('`').skip(1).step_by(2).collect();
        for test in named {
            assert!(here.contains(test), "there is no test {test}, which tests/PROMISES.md names");
        }
    }
}

/// Names of functions that are tests.
fn tests_in(folder: &Path, names: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            tests_in(&path, names);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            // Those of `proptest!` and other macros begin like functions, too.
            let text = read(&path);
            let functions = text.lines().filter_map(|line| line.trim_start().split_once("fn ")).map(|(_, rest)| rest);
            names.extend(functions.filter_map(|rest| Some(rest.split_once(['(', '<'])?.0.to_owned())));
            // Those that a macro makes of a list of names.
            let listed = text.lines().filter_map(|line| line.trim().strip_suffix("\",")?.split_once(": \""));
            names.extend(listed.map(|(name, _)| name.to_owned()));
        }
    }
}
