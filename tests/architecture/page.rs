//! What the window's page may do: show itself and speak to the host by one command. Names, subjects and messages of other
//! people are shown on it.

use crate::workspace::{read, root};
use serde_json::Value;
use std::{collections::BTreeSet, fs, path::Path};

fn configuration() -> Value {
    serde_json::from_str(&read(&root().join("src-tauri/tauri.conf.json"))).expect("the configuration is JSON")
}

#[test]
fn the_page_loads_nothing_but_its_own_parts_and_runs_nothing_else() {
    let configuration = configuration();
    let security = &configuration["app"]["security"];
    let policy = security["csp"].as_str().expect("there is a content security policy");
    let directives: BTreeSet<&str> = policy.split(';').map(str::trim).collect();
    for directive in [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-src 'none'",
        "object-src 'none'",
        "frame-ancestors 'none'",
        "connect-src ipc: http://ipc.localhost",
    ] {
        assert!(directives.contains(directive), "{directive} is missing: {policy}");
    }
    for loophole in ["unsafe-", "data:", "blob:", "https:", "*"] {
        assert!(!policy.contains(loophole), "{loophole} lets others in: {policy}");
    }
    assert_eq!(security.get("dangerousDisableAssetCspModification"), None);
    assert_eq!((&security["freezePrototype"], &configuration["app"]["withGlobalTauri"]), (&true.into(), &false.into()));
    for system in ["linux", "macos", "windows"] {
        let own: Value =
            serde_json::from_str(&read(&root().join(format!("src-tauri/tauri.{system}.conf.json")))).unwrap();
        assert_eq!(own.pointer("/app/security"), None, "{system} has rules of its own");
    }
    let window = read(&root().join("src-tauri/src/window.rs"));
    assert!(window.contains(".on_navigation(") && window.contains("NewWindowResponse::Deny"));
}

#[test]
fn the_page_has_one_command_and_no_more_is_allowed_than_there_is() {
    let capabilities = root().join("src-tauri/capabilities");
    let files: Vec<_> = fs::read_dir(&capabilities).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(files, ["main.json"]);
    assert_eq!(configuration()["app"]["security"]["capabilities"], serde_json::json!(["main"]));
    let main: Value = serde_json::from_str(&read(&capabilities.join("main.json"))).unwrap();
    assert_eq!(main["windows"], serde_json::json!(["main"]));
    assert_eq!((main.get("remote"), main.get("webviews")), (None, None));
    let allowed = ["allow-call", "core:event:allow-listen", "core:event:allow-unlisten"];
    assert_eq!(main["permissions"], serde_json::json!(allowed));
    // A command that isn't declared could be called by every window.
    assert!(read(&root().join("src-tauri/build.rs")).contains(".commands(&[\"call\"])"));
    assert!(read(&root().join("src-tauri/src/main.rs")).contains("generate_handler![door::commands::call]"));
    let manifest = read(&root().join("src-tauri/Cargo.toml"));
    for plugin in ["fs", "shell", "http", "updater", "process", "opener"] {
        assert!(!manifest.contains(&format!("tauri-plugin-{plugin}")), "the page could use the plugin {plugin}");
    }
}

#[test]
fn nothing_that_others_wrote_becomes_part_of_the_page() {
    // The guide, which is a part of the program.
    const OWN: [&str; 1] = ["help/HelpPage.svelte"];
    let sources = root().join("ui/src");
    let mut seen = 0;
    walk(&sources, &mut |path, text| {
        seen += 1;
        let is_own = OWN.iter().any(|own| path.ends_with(own));
        for way in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "{@html"]
        {
            assert!(!text.contains(way) || (is_own && way == "{@html"), "{}: {way}", path.display());
        }
    });
    assert!(seen > 50, "only {seen} files of the page were found");
}

fn walk(folder: &Path, each: &mut impl FnMut(&Path, &str)) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        if path.is_dir() {
            walk(&path, each);
        } else if ["ts", "svelte", "html"].contains(&ending) {
            each(&path, &read(&path));
        }
    }
}
