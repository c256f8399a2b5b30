//! Outlook's files as other programs read them: libpff and readpst read what we read, extract-msg reads what we write.
//!
//! The Python packages are looked for in `target/oracles` (`npm test` makes it); what isn't there is skipped with a line.
#![allow(clippy::unwrap_used)]

use pim::{Flags, FolderKind, Format, Kind};
use serde_json::{Value as Json, json};
use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
};
use stores::{
    mapi::{Key, Message, Zone, from_item, kind_of_class, to_item},
    pst::Pst,
};

const CLASS: Key = Key::Tag(0x001A);
const SUBJECT: Key = Key::Tag(0x0037);
const BODY: Key = Key::Tag(0x1000);

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn corpus(folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join("tests/fixtures/corpus").join(folder)).unwrap();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// What a script says about a file; `None` where the packages it needs aren't there.
fn ask(script: &str, package: &str, file: &Path) -> Option<Json> {
    let python = if cfg!(windows) { "target/oracles/Scripts/python.exe" } else { "target/oracles/bin/python" };
    let python = root().join(python);
    let has_package = Command::new(&python).args(["-c", &format!("import {package}")]).output();
    if !has_package.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: {package} is not in {}; npm test installs it", python.display());
        return None;
    }
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/oracles").join(script);
    let output = Command::new(&python).arg(script).arg(file).output().unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {complaint}", file.display());
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

fn messages(file: &Path) -> Vec<Message> {
    let mut pst = Pst::open(File::open(file).unwrap()).unwrap();
    let items: Vec<u32> = pst.folders().into_iter().flat_map(|folder| folder.items).collect();
    items.into_iter().map(|item| pst.message(item).unwrap()).collect()
}

fn text(message: &Message, key: &Key) -> String {
    message.properties.text(key).unwrap_or_default().trim().to_owned()
}

#[test]
fn libpff_finds_the_same_items() {
    for file in corpus("pst") {
        let Some(theirs) = ask("pst.py", "pypff", &file) else { return };
        let is_item = |item: &&Json| kind_of_class(item["class"].as_str().unwrap()).is_some();
        let mut theirs: Vec<Json> = theirs.as_array().unwrap().iter().filter(is_item).cloned().collect();
        let mut ours: Vec<Json> = messages(&file)
            .iter()
            .filter(|message| kind_of_class(&text(message, &CLASS)).is_some())
            .map(|message| {
                // libpff tells the text of messages alone.
                let is_told = !matches!(kind_of_class(&text(message, &CLASS)), Some(Kind::DistributionList));
                json!({
                    "class": text(message, &CLASS),
                    "subject": text(message, &SUBJECT),
                    "body": if is_told { text(message, &BODY) } else { String::new() },
                    "attachments": message.attachments.len(),
                })
            })
            .collect();
        for item in &mut theirs {
            item["attachments"] = json!(item["attachments"].as_array().unwrap().len());
            item.as_object_mut().unwrap().remove("recipients");
        }
        let order = |item: &Json| item.to_string();
        theirs.sort_by_key(order);
        ours.sort_by_key(order);
        assert_eq!(ours, theirs, "{}", file.display());
    }
}

#[test]
fn readpst_finds_the_same_contacts_events_and_subjects() {
    for file in corpus("pst") {
        let out = tempfile::tempdir().unwrap();
        let run = Command::new("readpst").args(["-q", "-e", "-o"]).arg(out.path()).arg(&file).output();
        if run.is_err() {
            eprintln!("skipped: readpst is not there (apt-get install pst-utils)");
            return;
        }
        let theirs = all_text(out.path());
        let ours: String = messages(&file)
            .iter()
            .filter_map(|message| to_item(message).ok())
            // It has no lists.
            .filter(|item| item.kind != Kind::DistributionList)
            .map(|item| String::from_utf8_lossy(&item.bytes).replace("\r\n", "\n"))
            .collect();
        let count = |text: &str, line: &str| text.lines().filter(|known| known.starts_with(line)).count();
        assert_eq!(count(&ours, "BEGIN:VCARD"), count(&theirs, "BEGIN:VCARD"), "{}", file.display());
        // It leaves changed occurrences out.
        let events = count(&ours, "BEGIN:VEVENT") - count(&ours, "RECURRENCE-ID");
        assert_eq!(events, count(&theirs, "BEGIN:VEVENT"), "{}", file.display());
        let subjects = |text: &str| {
            let mut all: Vec<String> =
                text.lines().filter(|line| line.starts_with("Subject: ")).map(str::to_owned).collect();
            all.sort();
            all
        };
        assert_eq!(subjects(&ours), subjects(&theirs), "{}", file.display());
    }
}

fn all_text(folder: &Path) -> String {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .map(|path| {
            if path.is_dir() {
                all_text(&path)
            } else {
                String::from_utf8_lossy(&fs::read(&path).unwrap()).replace("\r\n", "\n")
            }
        })
        .collect()
}

#[test]
fn extract_msg_reads_the_same_from_what_we_write() {
    let place = tempfile::tempdir().unwrap();
    for file in corpus("msg") {
        let Some(before) = ask("msg.py", "extract_msg", &file) else { return };
        let message = Message::from_msg(&fs::read(&file).unwrap()).unwrap();
        let had_mask = message.properties.0.contains_key(&Key::Tag(0x340D));
        let again = place.path().join(file.file_name().unwrap());
        fs::write(&again, message.to_msg().unwrap()).unwrap();
        let mut after = ask("msg.py", "extract_msg", &again).unwrap();
        // That strings are in Unicode is said in every file we write.
        let count = after["properties"].as_u64().unwrap() - u64::from(!had_mask);
        after["properties"] = json!(count);
        assert_eq!(after, before, "{}", file.display());
    }
}

#[test]
fn extract_msg_reads_what_we_make_of_mail() {
    let place = tempfile::tempdir().unwrap();
    let mail = "From: Zoë <zoe@example.org>\r\nTo: ann@example.org, bob@example.org\r\nSubject: Grüße 中\r\n\
        Date: Thu, 1 Jan 2026 10:00:00 +0100\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=m\r\n\r\n\
        --m\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nHallo Welt\r\n--m\r\nContent-Type: application/pdf\r\n\
        Content-Disposition: attachment; filename=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nQUJDREVGRw==\r\n--m--\r\n";
    let message =
        from_item(FolderKind::Mail, Format::Rfc5322, mail.as_bytes(), &Flags::default(), &Zone::utc()).unwrap();
    let file = place.path().join("made.msg");
    fs::write(&file, message.to_msg().unwrap()).unwrap();
    let Some(read) = ask("msg.py", "extract_msg", &file) else { return };
    assert_eq!(read["class"], "IPM.Note");
    assert_eq!(read["subject"], "Grüße 中");
    assert_eq!(read["body"], "Hallo Welt");
    assert_eq!(read["recipients"], json!(["ann@example.org", "bob@example.org"]));
    assert_eq!(read["attachments"], json!([7]));
}
