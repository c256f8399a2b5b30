//! Tables in the documentation that are made by trying.

use std::{fs, path::Path};

/// Every table, between `<!-- NAME -->` and `<!-- end of NAME -->` of a page in `docs/`, is as it was made just now.
/// `TANDEM_WRITE_DOCS=1` writes them instead.
pub(crate) fn assert_tables(page: &str, tables: &[(&str, String)]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(page);
    let before = fs::read_to_string(&path).expect("the page is there");
    let mut now = before.clone();
    for (name, table) in tables {
        let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- end of {name} -->"));
        let from = now.find(&begin).expect("the table has a place") + begin.len();
        let to = now.find(&end).expect("the table's place ends");
        now.replace_range(from..to, &format!("\n{}\n\n", table.trim()));
    }
    if std::env::var_os("TANDEM_WRITE_DOCS").is_some() {
        fs::write(path, now).expect("the page can be written");
    } else {
        assert!(now == before, "docs/{page} isn't what was seen: write it by TANDEM_WRITE_DOCS=1\n{now}");
    }
}
