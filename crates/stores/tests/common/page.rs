//! Tables in the documentation that are made by trying.

use std::{
    fs,
    ops::Range,
    path::{Path, PathBuf},
};

/// Every table, between `<!-- NAME -->` and `<!-- end of NAME -->` of a page in `docs/`, is as it was made just now.
/// `TANDEM_WRITE_DOCS=1` writes them instead.
pub(crate) fn assert_tables(page: &str, tables: &[(&str, String)]) {
    let path = path(page);
    let before = fs::read_to_string(&path).expect("the page is there");
    let mut now = before.clone();
    for (name, table) in tables {
        let place = place(&now, name);
        now.replace_range(place, &format!("\n{}\n\n", table.trim()));
    }
    if std::env::var_os("TANDEM_WRITE_DOCS").is_some() {
        fs::write(path, now).expect("the page can be written");
    } else {
        assert!(now == before, "docs/{page} isn't what was seen: write it by TANDEM_WRITE_DOCS=1\n{now}");
    }
}

/// A table as it is written.
pub(crate) fn table(page: &str, name: &str) -> String {
    let page = fs::read_to_string(path(page)).expect("the page is there");
    page[place(&page, name)].to_owned()
}

fn path(page: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(page)
}

fn place(page: &str, name: &str) -> Range<usize> {
    let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- end of {name} -->"));
    let from = page.find(&begin).expect("the table has a place") + begin.len();
    from..page.find(&end).expect("the table's place ends")
}
