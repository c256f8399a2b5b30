//! Says which commands the page may call (one), and sees to it that there is a page.

use std::{fs, path::Path};

/// `npm start` builds the page. Whoever only compiles needs none, but the compiler does.
const NO_PAGE: &str = "<!doctype html><html lang=\"en\"><title>Tandem</title><h1>The page wasn't built</h1>\
    <p>Start Tandem with <code>npm start</code>.</p>";

fn main() {
    let page = Path::new("../ui/dist/index.html");
    if !page.exists() {
        fs::create_dir_all("../ui/dist").expect("the folder for the page can be made");
        fs::write(page, NO_PAGE).expect("a page can be written");
    }
    // What this writes into `permissions/` is under version control: written anew, it would have everything built a second
    // time at the second start.
    let commands = tauri_build::AppManifest::new().commands(&["call"]);
    let attributes = tauri_build::Attributes::new().app_manifest(commands);
    tauri_build::try_build(attributes).expect("the configuration is complete");
}
