//! Which published members of Outlook's items travel and how, by trying each: the report in `docs/outlook.md`.
//!
//! `TANDEM_WRITE_DOCS=1` writes it; without, it must be as written.

use super::patch::{self, Patch, Settable};
use crate::mapi::{self, Address, Attachment, Guid, Key, Message, Value, Zone, kind, names, rtf};
use pim::{Flag, Flags, FolderKind};
use std::{borrow::Cow, collections::BTreeMap, convert::Infallible, fmt::Write as _};

#[path = "../../tests/common/page.rs"]
#[allow(dead_code)]
mod page;

const FACTS: &str = include_str!("../../tests/outlook/facts.txt");
const MEMBERS: &str = include_str!("../../tests/outlook/members.txt");

const RTF: &[u8] = br"{\rtf1\ansi Hello \b Bert\b0}";

const CALENDAR: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y//EN\r\n\
    BEGIN:VTIMEZONE\r\nTZID:Somewhere\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nTZOFFSETFROM:+0300\r\n\
    TZOFFSETTO:+0300\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n";

struct Sample {
    class: &'static str,
    title: &'static str,
    kind: FolderKind,
    text: String,
    /// Parts of it that are more than a property, and a word by which each is known again after the way there and back.
    parts: &'static [(&'static str, &'static str)],
}

fn samples() -> Vec<Sample> {
    let calendar = |body: &str| format!("{CALENDAR}{body}END:VCALENDAR\r\n");
    let attachment = "ATTACH;VALUE=BINARY;ENCODING=BASE64;X-FILENAME=plan.txt:cGxhbg==\r\n";
    vec![
        Sample {
            class: "MailItem",
            title: "Messages",
            kind: FolderKind::Mail,
            text: "From: Anna <anna@example.org>\r\nReply-To: Office <office@example.org>\r\nTo: Bert <bert@example.org>\r\n\
                Cc: Carl <carl@example.org>\r\nBcc: Dora <dora@example.org>\r\nSubject: Hello\r\n\
                Date: Thu, 1 Jan 2026 10:00:00 +0000\r\nMessage-ID: <a@example.org>\r\nMIME-Version: 1.0\r\n\
                Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n\
                <p>Hello <b>Bert</b></p>\r\n--b\r\nContent-Type: text/plain; name=plan.txt\r\n\
                Content-Disposition: attachment; filename=plan.txt\r\n\r\nplan\r\n--b--\r\n"
                .to_owned(),
            parts: &[
                ("attachments", "plan.txt"),
                ("recipients", "dora@example.org"),
                ("html", "<b>Bert</b>"),
                ("reply-to", "office@example.org"),
                ("sender", "anna@example.org"),
                ("times", "Date: Thu, 1 Jan 2026 10:00:00"),
                ("flags", ""),
            ],
        },
        Sample {
            class: "ContactItem",
            title: "Contacts",
            kind: FolderKind::Contacts,
            text: "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:a\r\nFN:Anna Berg\r\nN:Berg;Anna;;;\r\nEMAIL:one@example.org\r\n\
                EMAIL:two@example.org\r\nEMAIL:three@example.org\r\nTEL;TYPE=WORK:+49 1\r\nTEL;TYPE=WORK:+49 2\r\n\
                PHOTO;ENCODING=b;TYPE=PNG:iVBORw0KGgo=\r\nEND:VCARD\r\n"
                .to_owned(),
            parts: &[
                ("email1", "one@example.org"),
                ("email2", "two@example.org"),
                ("email3", "three@example.org"),
                ("picture", "PHOTO"),
                ("second-phone", "+49 2"),
            ],
        },
        Sample {
            class: "DistListItem",
            title: "Distribution lists",
            kind: FolderKind::Contacts,
            text: "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:l\r\nFN:Friends\r\nN:Friends;;;;\r\nX-EVOLUTION-LIST:TRUE\r\n\
                EMAIL;X-EVOLUTION-DEST-NAME=Anna;X-EVOLUTION-DEST-EMAIL=anna@example.org:Anna <anna@example.org>\r\nEND:VCARD\r\n"
                .to_owned(),
            parts: &[("members", "anna@example.org")],
        },
        Sample {
            class: "AppointmentItem",
            title: "Appointments",
            kind: FolderKind::Calendar,
            text: calendar(&format!(
                "BEGIN:VEVENT\r\nUID:e@example.org\r\nDTSTAMP:20260101T100000Z\r\nDTSTART;TZID=Somewhere:20260105T100000\r\n\
                 DTEND;TZID=Somewhere:20260105T110000\r\nRRULE:FREQ=WEEKLY;COUNT=5\r\nSUMMARY:Meeting\r\n\
                 ORGANIZER:mailto:anna@example.org\r\nATTENDEE:mailto:bert@example.org\r\n{attachment}\
                 BEGIN:VALARM\r\nACTION:DISPLAY\r\nDESCRIPTION:Meeting\r\nTRIGGER:-PT15M\r\nEND:VALARM\r\nEND:VEVENT\r\n"
            )),
            parts: &[
                ("attachments", "cGxhbg=="),
                ("recipients", "bert@example.org"),
                ("organizer", "anna@example.org"),
                ("times", ":20260105T110000"),
                ("zones", "TZID=Somewhere"),
                ("recurrence", ";COUNT=5"),
                ("uid", "UID:e@example.org"),
                ("reminder", "TRIGGER:-PT15M"),
            ],
        },
        Sample {
            class: "TaskItem",
            title: "Tasks",
            kind: FolderKind::Tasks,
            text: calendar(&format!(
                "BEGIN:VTODO\r\nUID:t\r\nDTSTAMP:20260101T100000Z\r\nDTSTART;VALUE=DATE:20260201\r\n\
                 DUE;VALUE=DATE:20260301\r\nRRULE:FREQ=WEEKLY;COUNT=5\r\nSUMMARY:Plants\r\nSTATUS:IN-PROCESS\r\n\
                 PERCENT-COMPLETE:30\r\n{attachment}BEGIN:VALARM\r\nACTION:DISPLAY\r\nDESCRIPTION:Plants\r\n\
                 TRIGGER;VALUE=DATE-TIME:20260228T080000Z\r\nEND:VALARM\r\nEND:VTODO\r\n"
            )),
            parts: &[
                ("attachments", "cGxhbg=="),
                ("times", "DUE;VALUE=DATE:20260301"),
                ("progress", "PERCENT-COMPLETE:30"),
                ("reminder", "20260228T080000Z"),
                ("recurrence", ";COUNT=5"),
            ],
        },
        Sample {
            class: "NoteItem",
            title: "Notes",
            kind: FolderKind::Notes,
            text: calendar(
                "BEGIN:VJOURNAL\r\nUID:n\r\nDTSTAMP:20260101T100000Z\r\nSUMMARY:Idea\r\nDESCRIPTION:Idea of three\r\nEND:VJOURNAL\r\n",
            ),
            parts: &[("body", "Idea of three")],
        },
        Sample {
            class: "JournalItem",
            title: "Journal entries",
            kind: FolderKind::Calendar,
            text: calendar(&format!(
                "BEGIN:VJOURNAL\r\nUID:j\r\nDTSTAMP:20260101T100000Z\r\nDTSTART:20260105T100000Z\r\nSUMMARY:Call\r\n\
                 DESCRIPTION:Long\r\n{attachment}END:VJOURNAL\r\n"
            )),
            parts: &[("attachments", "cGxhbg=="), ("times", "20260105T100000Z")],
        },
    ]
}

fn message(kind: FolderKind, bytes: &[u8], flags: &Flags) -> Message {
    mapi::from_item(kind, kind.format(), bytes, flags, &Zone::utc()).expect("a sample is an item")
}

/// The item as other computers get it, made an item of Outlook's again.
fn there_and_back(kind: FolderKind, item: &Message) -> (Message, String) {
    let other = mapi::to_item(item).expect("an item of Outlook's is one elsewhere");
    let text = String::from_utf8_lossy(&other.bytes).replace("\r\n ", "");
    (message(kind, &other.bytes, &other.flags), text)
}

fn key(place: &str, number: &str) -> Key {
    let set = |first| Guid::new(first, 0, 0, [0xC0, 0, 0, 0, 0, 0, 0, 0x46]);
    let number = || u32::from_str_radix(number, 16).expect("a number in the list of members");
    match place {
        "tag" => Key::Tag(u16::try_from(number()).expect("a tag in the list of members")),
        "address" => Key::Id(set(0x0006_2004), number()),
        "appointment" => Key::Id(set(0x0006_2002), number()),
        "task" => Key::Id(set(0x0006_2003), number()),
        "common" => Key::Id(set(0x0006_2008), number()),
        "log" => Key::Id(set(0x0006_200A), number()),
        "note" => Key::Id(set(0x0006_200E), number()),
        "public" => names::KEYWORDS,
        "user" => Key::Name(names::PS_PUBLIC_STRINGS, Cow::Borrowed("Shelf")),
        other => panic!("{other} is no set of properties"),
    }
}

/// A value that says something, and another one: what conversion makes anyway proves nothing.
fn values(kind: &str) -> [Value; 2] {
    let text = |text: &str| Value::Text(text.to_owned());
    // Midnight, as a birthday is.
    let day = |day: u64| Value::Time((150_000 + day) * 864_000_000_000);
    match kind {
        "text" => [text("+49 30 17"), text("example")],
        "texts" => ["one", "two"].map(|word| Value::Many { of: 0x1F, values: vec![text(word)] }),
        "i16" => [Value::I16(1), Value::I16(2)],
        "i32" => [Value::I32(2), Value::I32(1)],
        // Private and confidential.
        "sensitivity" => [Value::I32(2), Value::I32(3)],
        "bool" => [Value::Bool(true), Value::Bool(false)],
        "time" => [day(0), day(1)],
        "binary" => [Value::Binary(vec![1, 2, 3]), Value::Binary(vec![3, 2, 1])],
        other => panic!("{other} is no type"),
    }
}

enum Way {
    /// Set alone when it changes.
    Alone,
    /// Brought by a new item when it changes.
    WithTheItem,
    /// Isn't told, and isn't touched.
    Stays,
}

fn way(sample: &Sample, what: &str, kind: &str) -> Way {
    let base = message(sample.kind, sample.text.as_bytes(), &Flags::default());
    if let Some(part) = what.strip_prefix("part:") {
        if part == "flags" {
            let flags = Flags([Flag::Seen, Flag::Flagged].into());
            let marked = message(sample.kind, sample.text.as_bytes(), &flags);
            assert_eq!(mapi::to_item(&marked).expect("a message is one").flags, flags);
            return Way::Alone;
        }
        let is_whole_day = part == "all-day" && {
            let text = sample.text.replace(";TZID=Somewhere:20260105T100000", ";VALUE=DATE:20260105");
            let text = text.replace(";TZID=Somewhere:20260105T110000", ";VALUE=DATE:20260106");
            there_and_back(sample.kind, &message(sample.kind, text.as_bytes(), &Flags::default()))
                .1
                .contains("VALUE=DATE")
        };
        if let Some((_, word)) = sample.parts.iter().find(|(name, _)| *name == part) {
            let text = there_and_back(sample.kind, &base).1;
            // A word that is lost is an error, not a line of the report.
            assert!(text.contains(word), "{}: {word} isn't in {text}", sample.class);
            return Way::WithTheItem;
        }
        if is_whole_day {
            return Way::WithTheItem;
        }
        let Part { add, is_there, keys } = part_of(part);
        let mut item = base;
        add(&mut item);
        if !is_there(&there_and_back(sample.kind, &item).0) {
            assert_stays(sample, what, &item, &keys, is_there);
            return Way::Stays;
        }
        return Way::WithTheItem;
    }
    let (place, number) = what.split_once(':').expect("the list of members says where");
    let key = key(place, number);
    let with = |value: &Value| {
        let mut item = base.clone();
        // Written in Outlook, not received: what came over the Internet keeps its header as it came.
        item.properties.0.remove(&names::TRANSPORT_MESSAGE_HEADERS);
        item.properties.set(key.clone(), value.clone());
        item
    };
    let values = values(kind);
    let travels = values.iter().all(|value| {
        let back = there_and_back(sample.kind, &with(value)).0;
        // What isn't said isn't so.
        back.properties.get(&key).map_or(*value == Value::Bool(false), |found| found == value)
    });
    if travels {
        let is_mail = sample.kind == FolderKind::Mail;
        return match patch::variant(&key, &values[0]) {
            Settable::No => Way::WithTheItem,
            _ if is_mail && key != names::KEYWORDS => Way::WithTheItem,
            _ => Way::Alone,
        };
    }
    let is_there = |item: &Message| item.properties.get(&key) == Some(&values[0]);
    assert_stays(sample, what, &with(&values[0]), &[(key.clone(), values[0].kind())], is_there);
    Way::Stays
}

/// Somebody elsewhere changes the title, or adds a file: what isn't told there stays as it is.
fn assert_stays(sample: &Sample, what: &str, old: &Message, keys: &[(Key, u16)], is_there: impl Fn(&Message) -> bool) {
    let same = there_and_back(sample.kind, old).0;
    let mut retitled = same.clone();
    retitled.properties.set(names::SUBJECT, Value::Text("Another title".to_owned()));
    let mut with_file = same;
    with_file.attachments.push(file("more.txt"));
    for new in [retitled, with_file] {
        let is_mail = sample.kind == FolderKind::Mail;
        let again = |item: &Message| Ok::<_, Infallible>(there_and_back(sample.kind, item).0);
        match patch::between(old.clone(), new, is_mail, again).expect("it can't fail") {
            Patch::Properties { set, remove, .. } => {
                for name in keys.iter().map(|(key, kind)| super::schema::of(key, *kind)) {
                    let is_touched = set.iter().any(|(other, _)| *other == name) || remove.contains(&name);
                    assert!(!is_touched, "{}: {what} is touched", sample.class);
                }
            }
            Patch::Replace(item) => assert!(is_there(&item), "{}: {what} is lost", sample.class),
        }
    }
}

/// A part that a sample has no words for: how Outlook's item gets it, whether an item has it, and what it is made of.
struct Part {
    add: fn(&mut Message),
    is_there: fn(&Message) -> bool,
    keys: Vec<(Key, u16)>,
}

fn part_of(name: &str) -> Part {
    match name {
        "attachments" => Part {
            add: |item| item.attachments.push(file("untold.txt")),
            is_there: |item| item.attachments.contains(&file("untold.txt")),
            keys: Vec::new(),
        },
        "recipients" => Part {
            add: |item| item.recipients.push(Address::new("Dora", "dora@example.org").to_recipient(1)),
            is_there: |item| item.recipients.iter().any(|bag| Address::of_recipient(bag).email == "dora@example.org"),
            keys: Vec::new(),
        },
        "reminder" => Part {
            add: |item| item.properties.set(names::REMINDER_IS_SET, Value::Bool(true)),
            is_there: |item| item.properties.is(&names::REMINDER_IS_SET),
            keys: vec![(names::REMINDER_IS_SET, kind::BOOL)],
        },
        "rtf" => Part {
            add: |item| {
                item.properties.0.remove(&names::HTML);
                item.properties.set(names::RTF_COMPRESSED, Value::Binary(rtf::wrap(RTF)));
            },
            is_there: |item| {
                let rtf = item.properties.binary(&names::RTF_COMPRESSED).and_then(rtf::decompress);
                rtf.is_some_and(|rtf| rtf == RTF)
            },
            keys: vec![(names::RTF_COMPRESSED, kind::BINARY)],
        },
        other => panic!("{other} is a part that no sample has and nobody can add"),
    }
}

fn file(name: &str) -> Attachment {
    let mut attachment = Attachment::default();
    attachment.properties.set_text(names::ATTACH_LONG_FILENAME, name);
    attachment.properties.set(names::ATTACH_DATA, Value::Binary(b"plan".to_vec()));
    attachment
}

fn report() -> String {
    let lines = |text: &'static str| text.lines().filter(|line| !line.starts_with('#'));
    let members: BTreeMap<&str, Vec<&str>> = lines(MEMBERS)
        .filter_map(|line| line.split_once(' '))
        .map(|(member, rest)| (member, rest.split(' ').collect()))
        .collect();
    let mut text = String::new();
    for sample in samples() {
        let mut ways: [Vec<&str>; 4] = Default::default();
        for line in lines(FACTS) {
            let Some((name, what)) = line.split_once(' ') else { continue };
            let Some(member) = name.strip_prefix(sample.class).and_then(|rest| rest.strip_prefix('.')) else {
                continue;
            };
            if what == "method" {
                continue;
            }
            let any = format!("*.{member}");
            let at = match members.get(name).or_else(|| members.get(&*any)) {
                Some(known) => match way(&sample, known[0], known.get(1).copied().unwrap_or_default()) {
                    Way::Alone => 0,
                    Way::WithTheItem => 1,
                    Way::Stays => 2,
                },
                None => 3,
            };
            ways[at].push(member);
        }
        let _ = writeln!(text, "\n### {} (`{}`)\n", sample.title, sample.class);
        for (name, members) in [
            "travel, and are set alone when they change",
            "travel, and come with a new item in place of the old one when they change",
            "stay in this Outlook as they are, whatever is changed elsewhere",
            "are Outlook's own: made of others, or about the program, its windows and servers",
        ]
        .into_iter()
        .zip(ways)
        {
            if !members.is_empty() {
                let _ = writeln!(text, "- {} {name}: {}.", members.len(), members.join(", "));
            }
        }
    }
    text
}

#[test]
fn the_report_on_members_says_what_conversion_and_edits_do() {
    page::assert_tables("outlook.md", &[("members", report())]);
}
