//! Sample data: a few real messages, contacts, events, tasks and notes, as other programs would write them.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// The contact that is changed while one watches.
pub const ANNA: &str = "contacts/Friends/anna.vcf";
/// The contact that is changed on both computers at once.
pub const BERT: &str = "contacts/Friends/bert.vcf";
/// The task that is done while one watches.
pub const PLANTS: &str = "tasks/Home/plants.ics";

/// The appointment that is changed on both computers.
pub const MEETING_FILE: &str = "calendars/Work/meeting.ics";

/// What the first computer has: folders and items of every kind.
const OFFICE: [(&str, &str); 11] = [
    ("mail/cur/1795000001.M1.office:2,S", LUNCH),
    ("mail/new/1795000002.M2.office", INVOICE),
    ("mail/.Archive.2025/cur/1795000003.M3.office:2,FS", CONTRACT),
    (ANNA, ANNA_CARD),
    (BERT, BERT_CARD),
    ("calendars/Work/meeting.ics", MEETING),
    ("calendars/Private/birthday.ics", BIRTHDAY),
    (PLANTS, PLANTS_TASK),
    ("tasks/Home/tax.ics", TAX_TASK),
    ("notes/Ideas/garden.md", "# Garden\n\nTomatoes along the wall, beans behind them.\n"),
    ("notes/Ideas/presents.txt", "Clara: a book about stars\nBert: nothing with batteries\n"),
];

/// What the second computer has before it connects: one contact that is the same, and one of its own.
const LAPTOP: [(&str, &str); 2] = [(BERT, BERT_CARD), ("contacts/Friends/clara.vcf", CLARA_CARD)];

const LUNCH: &str = "From: Bert Brook <bert@example.org>
To: Anna Abel <anna@example.org>
Subject: Lunch on Thursday?
Date: Mon, 16 Nov 2026 10:12:05 +0100
Message-ID: <lunch-1@example.org>
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8

Hello Anna,

the new place at the corner has opened. Shall we go there on Thursday?

Bert
";

const INVOICE: &str = "From: Bikes & More <office@bikes.example>
To: Anna Abel <anna@example.org>
Subject: Your invoice 2026-118
Date: Tue, 17 Nov 2026 16:40:31 +0100
Message-ID: <invoice-118@bikes.example>
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8

New brakes: 48.00
Work: 30.00
";

const CONTRACT: &str = "From: City Library <desk@library.example>
To: Anna Abel <anna@example.org>
Subject: Your reading card
Date: Fri, 10 Oct 2025 09:00:00 +0200
Message-ID: <card-77@library.example>
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8

Your card is valid until October 2027.
";

const ANNA_CARD: &str = "BEGIN:VCARD\r
VERSION:3.0\r
UID:7f1c1b1e-0001-4c5e-9a2b-000000000001\r
FN:Anna Abel\r
N:Abel;Anna;;;\r
EMAIL;TYPE=INTERNET:anna@example.org\r
TEL;TYPE=CELL:+49 170 1111111\r
END:VCARD\r
";

const BERT_CARD: &str = "BEGIN:VCARD\r
VERSION:3.0\r
UID:7f1c1b1e-0002-4c5e-9a2b-000000000002\r
FN:Bert Brook\r
N:Brook;Bert;;;\r
EMAIL;TYPE=INTERNET:bert@example.org\r
TEL;TYPE=CELL:+49 170 2222222\r
TITLE:Carpenter\r
END:VCARD\r
";

const CLARA_CARD: &str = "BEGIN:VCARD\r
VERSION:3.0\r
UID:7f1c1b1e-0003-4c5e-9a2b-000000000003\r
FN:Clara Clark\r
N:Clark;Clara;;;\r
EMAIL;TYPE=INTERNET:clara@example.org\r
END:VCARD\r
";

const MEETING: &str = "BEGIN:VCALENDAR\r
VERSION:2.0\r
PRODID:-//Tandem//Sample//EN\r
BEGIN:VEVENT\r
UID:meeting-2026-12@example.org\r
DTSTAMP:20261116T080000Z\r
DTSTART:20261203T090000Z\r
DTEND:20261203T100000Z\r
SUMMARY:Planning next year\r
LOCATION:Room 2\r
END:VEVENT\r
END:VCALENDAR\r
";

const BIRTHDAY: &str = "BEGIN:VCALENDAR\r
VERSION:2.0\r
PRODID:-//Tandem//Sample//EN\r
BEGIN:VEVENT\r
UID:birthday-clara@example.org\r
DTSTAMP:20261116T080000Z\r
DTSTART;VALUE=DATE:20261212\r
RRULE:FREQ=YEARLY\r
SUMMARY:Clara's birthday\r
END:VEVENT\r
END:VCALENDAR\r
";

const PLANTS_TASK: &str = "BEGIN:VCALENDAR\r
VERSION:2.0\r
PRODID:-//Tandem//Sample//EN\r
BEGIN:VTODO\r
UID:plants@example.org\r
DTSTAMP:20261116T080000Z\r
SUMMARY:Water the plants\r
STATUS:NEEDS-ACTION\r
END:VTODO\r
END:VCALENDAR\r
";

const TAX_TASK: &str = "BEGIN:VCALENDAR\r
VERSION:2.0\r
PRODID:-//Tandem//Sample//EN\r
BEGIN:VTODO\r
UID:tax@example.org\r
DTSTAMP:20261116T080000Z\r
DUE;VALUE=DATE:20261231\r
SUMMARY:Collect the papers for the tax office\r
STATUS:NEEDS-ACTION\r
END:VTODO\r
END:VCALENDAR\r
";

/// Writes what the first computer has.
pub fn write_office(data: &Path) -> io::Result<()> {
    write(data, &OFFICE)
}

/// Messages enough that deleting half of them is more than anybody deletes by hand.
const ORDERS: u32 = 60;

/// Writes a folder with many messages.
pub fn write_orders(data: &Path) -> io::Result<()> {
    for number in 1..=ORDERS {
        let path = format!("mail/.Orders/cur/17960{number:05}.M{number}.office:2,S");
        let (day, hour) = (1 + number % 28, 8 + number % 10);
        let text = format!(
            "From: Bikes & More <office@bikes.example>\nTo: Anna Abel <anna@example.org>\nSubject: Order {number}\n\
             Date: {day:02} Oct 2026 {hour:02}:00:00 +0200\nMessage-ID: <order-{number}@bikes.example>\nMIME-Version: 1.0\n\
             Content-Type: text/plain; charset=utf-8\n\n{number} brake pads, {} spokes.\n",
            number * 3
        );
        write(data, &[(path.as_str(), text.as_str())])?;
    }
    Ok(())
}

/// Writes what the second computer has.
pub fn write_laptop(data: &Path) -> io::Result<()> {
    write(data, &LAPTOP)
}

fn write(data: &Path, items: &[(&str, &str)]) -> io::Result<()> {
    for (path, text) in items {
        let file = data.join(file_name(path));
        let folder = file.parent().unwrap_or(data);
        fs::create_dir_all(folder)?;
        if let (true, Some(maildir)) = (path.starts_with("mail/"), folder.parent()) {
            for part in ["cur", "new", "tmp"] {
                fs::create_dir_all(maildir.join(part))?;
            }
        }
        fs::write(file, text)?;
    }
    Ok(())
}

/// Windows has no colons in file names; Maildirs there use a semicolon.
fn file_name(path: &str) -> String {
    if cfg!(windows) { path.replace(':', ";") } else { path.to_owned() }
}

/// Changes a text in a file like an editor does: the file is replaced as a whole.
pub fn edit(file: &Path, from: &str, to: &str) -> io::Result<()> {
    let text = fs::read_to_string(file)?;
    if !text.contains(from) {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "the sample isn't as it was written"));
    }
    replace(file, &text.replace(from, to))
}

fn replace(file: &Path, text: &str) -> io::Result<()> {
    let folder = file.parent().unwrap_or(file);
    // A leading dot: programs that work in the same folder leave such files alone.
    let mut edited = tempfile::Builder::new().prefix(".edit").tempfile_in(folder)?;
    io::Write::write_all(&mut edited, text.as_bytes())?;
    edited.persist(file)?;
    Ok(())
}

/// The file that an item's name in the store means: Maildir files carry their flags behind it.
#[must_use]
pub fn file_of(data: &Path, href: &str) -> Option<PathBuf> {
    let path = data.join(href);
    if path.is_file() {
        return Some(path);
    }
    let (folder, name) = (path.parent()?, path.file_name()?.to_string_lossy().into_owned());
    let files = ["cur", "new"].iter().flat_map(|part| fs::read_dir(folder.join(part)).into_iter().flatten().flatten());
    files.map(|entry| entry.path()).find(|file| {
        let other = file.file_name().unwrap_or_default().to_string_lossy();
        other.strip_prefix(&name).is_some_and(|flags| flags.is_empty() || flags.starts_with([':', ';', '!']))
    })
}

/// Adds an item to a folder, as a program that works in it would. `path` is the folder's, with the kind first.
pub fn add(folder: &Path, path: &str, number: u32, from: &str) -> io::Result<()> {
    let uid = format!("added-{number}-{from}@example.org");
    let calendar = |part: &str, line: &str| {
        format!(
            "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Tandem//Sample//EN\r\nBEGIN:{part}\r\nUID:{uid}\r\n\
             DTSTAMP:20261116T080000Z\r\n{line}SUMMARY:New on {from} {number}\r\nEND:{part}\r\nEND:VCALENDAR\r\n"
        )
    };
    let (name, text) = match path.split('/').next().unwrap_or_default() {
        "mail" => {
            let file = file_name(&format!("new/1797{number:06}.A{number}.{from}"));
            let text = format!(
                "From: {from} <{from}@example.org>\nTo: Anna Abel <anna@example.org>\nSubject: New on {from} {number}\n\
                 Date: Sun, 22 Nov 2026 12:00:00 +0100\nMessage-ID: <{uid}>\nMIME-Version: 1.0\n\
                 Content-Type: text/plain; charset=utf-8\n\nWritten on {from}.\n"
            );
            (file, text)
        }
        "contacts" => {
            let text = format!(
                "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:{uid}\r\nFN:New on {from} {number}\r\n\
                 N:{from} {number};New on;;;\r\nTEL;TYPE=CELL:+49 170 000{number:04}\r\nEND:VCARD\r\n"
            );
            (format!("added-{number}-{from}.vcf"), text)
        }
        "tasks" => (format!("added-{number}-{from}.ics"), calendar("VTODO", "STATUS:NEEDS-ACTION\r\n")),
        "notes" => (format!("New on {from} {number}.txt"), format!("New on {from} {number}\n")),
        _ => (format!("added-{number}-{from}.ics"), calendar("VEVENT", "DTSTART:20261204T090000Z\r\n")),
    };
    fs::write(folder.join(name), text)
}

/// Changes an item: a phone number, a title, a line; a message, which never changes itself, gets or loses a flag.
pub fn change(file: &Path) -> io::Result<()> {
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    if let Some(part) = file.parent().filter(|part| part.ends_with("cur") || part.ends_with("new")) {
        let separator = if cfg!(windows) { ';' } else { ':' };
        let (base, flags) = name.split_once(separator).unwrap_or((&name, "2,"));
        let flags = match flags.strip_prefix("2,").unwrap_or_default() {
            flags if flags.contains('F') => flags.replace('F', ""),
            flags => format!("F{flags}"),
        };
        let cur = part.with_file_name("cur");
        return fs::rename(file, cur.join(format!("{base}{separator}2,{flags}")));
    }
    let text = fs::read_to_string(file)?;
    let line = ["TEL", "SUMMARY"].iter().find_map(|start| text.lines().find(|line| line.starts_with(start)));
    match line {
        Some(line) => {
            let changed = match line.strip_suffix(" (changed)") {
                Some(before) => before.to_owned(),
                None if line.starts_with("TEL") => format!("{}9", line.trim_end_matches('9')),
                None => format!("{line} (changed)"),
            };
            let changed = if changed == line { format!("{line}8") } else { changed };
            edit(file, line, &changed)
        }
        None => replace(file, &format!("{text}Changed.\n")),
    }
}

/// Gives an appointment another title.
pub fn retitle(file: &Path, title: &str) -> io::Result<()> {
    let line = line_with(file, "SUMMARY:").ok_or(io::ErrorKind::NotFound)?;
    edit(file, &line, &format!("SUMMARY:{title}"))
}

/// Moves an item to another folder of its kind; where there is none, one is made.
pub fn move_elsewhere(file: &Path) -> io::Result<()> {
    let name = file.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    let folder = file.parent().ok_or(io::ErrorKind::InvalidInput)?;
    if folder.ends_with("cur") || folder.ends_with("new") {
        let maildir = folder.parent().ok_or(io::ErrorKind::InvalidInput)?;
        let root = if maildir.file_name().is_some_and(|name| name == "mail") { maildir } else { up(maildir)? };
        let target = if root == maildir { root.join(".Archive.2025") } else { root.to_owned() };
        for part in ["cur", "new", "tmp"] {
            fs::create_dir_all(target.join(part))?;
        }
        return fs::rename(file, target.join("cur").join(name));
    }
    let others = fs::read_dir(up(folder)?)?.flatten().map(|entry| entry.path());
    let is_other = |path: &PathBuf| {
        path.is_dir() && path != folder && !path.file_name().unwrap_or_default().to_string_lossy().starts_with('.')
    };
    let target = others.filter(is_other).min().unwrap_or_else(|| folder.with_file_name("Elsewhere"));
    fs::create_dir_all(&target)?;
    fs::rename(file, target.join(name))
}

fn up(folder: &Path) -> io::Result<&Path> {
    folder.parent().ok_or_else(|| io::ErrorKind::InvalidInput.into())
}

/// Deletes every second message of a folder.
pub fn delete_half(maildir: &Path) -> io::Result<()> {
    let mut files: Vec<PathBuf> = fs::read_dir(maildir.join("cur"))?.flatten().map(|entry| entry.path()).collect();
    files.sort();
    files.iter().step_by(2).try_for_each(fs::remove_file)
}

/// The line of the file that has this in it, or nothing.
pub fn line_with(file: &Path, part: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    text.lines().find(|line| line.contains(part)).map(str::to_owned)
}

/// Every item in the folder as a person would name it, by folder.
pub fn titles(data: &Path) -> Vec<(String, Vec<String>)> {
    let mut folders = Vec::new();
    collect(data, data, &mut folders);
    folders.sort();
    folders
}

fn collect(data: &Path, folder: &Path, folders: &mut Vec<(String, Vec<String>)>) {
    let mut titles = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        if path.is_dir() {
            if name != "tmp" && !name.starts_with(".tandem") {
                collect(data, &path, folders);
            }
        } else if !name.starts_with('.') && name != "maildirfolder" {
            titles.push(title(&path).unwrap_or(name));
        }
    }
    if !titles.is_empty() {
        titles.sort();
        let below = folder.strip_prefix(data).unwrap_or(folder);
        let parts: Vec<String> = below.iter().map(|part| part.to_string_lossy().into_owned()).collect();
        let name = parts.join("/").trim_end_matches("/cur").trim_end_matches("/new").replace("mail/.", "mail/");
        match folders.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => known.extend(titles),
            None => folders.push((name, titles)),
        }
    }
}

fn title(file: &Path) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let value = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).map(|value| value.trim().to_owned());
    let first_line = || text.lines().next().map(|line| line.trim_start_matches('#').trim().to_owned());
    value("FN:").or_else(|| value("SUMMARY:")).or_else(|| value("Subject:")).or_else(first_line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_samples_are_written_in_the_layout_and_named_as_people_would() {
        let data = tempfile::tempdir().unwrap();
        write_office(data.path()).unwrap();
        let titles = titles(data.path());
        let folders: Vec<&str> = titles.iter().map(|(folder, _)| folder.as_str()).collect();
        let expected = [
            "calendars/Private",
            "calendars/Work",
            "contacts/Friends",
            "mail",
            "mail/Archive.2025",
            "notes/Ideas",
            "tasks/Home",
        ];
        assert_eq!(folders, expected);
        assert_eq!(titles[2].1, ["Anna Abel", "Bert Brook"]);
        assert!(titles[3].1.contains(&"Lunch on Thursday?".to_owned()));
        for part in ["mail/tmp", "mail/.Archive.2025/new"] {
            assert!(data.path().join(part).is_dir(), "{part}");
        }
    }

    #[test]
    fn an_edit_changes_one_line_and_leaves_nothing_behind() {
        let data = tempfile::tempdir().unwrap();
        write_laptop(data.path()).unwrap();
        let file = data.path().join(BERT);
        edit(&file, "+49 170 2222222", "+49 170 3333333").unwrap();
        assert_eq!(line_with(&file, "TEL"), Some("TEL;TYPE=CELL:+49 170 3333333".to_owned()));
        assert!(edit(&file, "+49 170 2222222", "").is_err());
        assert_eq!(fs::read_dir(file.parent().unwrap()).unwrap().count(), 2);
    }
}
