//! What an item turns out to be.

use pim::{Examined, Examiner, FieldHashes, FolderKind, Format, Kind, describe, examine, fields, merge};

const MAIL: &str = "Received: by home\nMessage-ID: <1@example.org>\nDate: Mon, 05 Jan 2026 10:00:00 +0100\n\
    From: Ann <Ann@Example.org>\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\n\tfrom Ulm\n\nHello\nStatus: in the body\n";

fn mail(text: &str) -> Examined {
    examine(FolderKind::Mail, Format::Rfc5322, text.as_bytes())
}

fn calendar(text: &str) -> Examined {
    examine(FolderKind::Calendar, Format::ICalendar, text.as_bytes())
}

fn contact(text: &str) -> Examined {
    examine(FolderKind::Contacts, Format::VCard, text.as_bytes())
}

fn card(lines: &str) -> String {
    format!("BEGIN:VCARD\nVERSION:3.0\n{lines}END:VCARD\n")
}

fn component(name: &str, lines: &str) -> String {
    format!("BEGIN:VCALENDAR\nVERSION:2.0\nBEGIN:{name}\n{lines}END:{name}\nEND:VCALENDAR\n")
}

#[test]
fn a_message_has_a_subject_and_an_identity_and_one_hash_when_no_store_touched_it() {
    let examined = mail(MAIL);
    assert_eq!((examined.kind, examined.opaque, &examined.title[..]), (Kind::Message, false, "Grüße from Ulm"));
    assert_eq!(examined.native.0, examined.canon.0);
    assert!(examined.identity.is_some() && examined.lookalikes.is_empty() && examined.object_uid.is_none());
}

#[test]
fn the_same_mail_fetched_twice_has_one_identity_and_two_hashes() {
    let other = mail(&MAIL.replace("by home", "by laptop").replace("10:00:00 +0100", "09:00:00 +0000"));
    assert_eq!(other.identity, mail(MAIL).identity);
    assert_ne!(other.canon, mail(MAIL).canon);
    for missing in
        ["Message-ID: <1@example.org>\n", "Date: Mon, 05 Jan 2026 10:00:00 +0100\n", "From: Ann <Ann@Example.org>\n"]
    {
        assert_eq!(mail(&MAIL.replace(missing, "")).identity, None, "without {missing}");
    }
}

#[test]
fn what_a_mailbox_program_notes_in_the_header_is_no_edit() {
    let noted = MAIL.replace("Subject", "status: RO\nX-Keywords: a\n  b\nX-UID: 7\nSubject").replace('\n', "\r\n");
    assert_eq!(mail(&noted).canon, mail(MAIL).canon);
    assert_ne!(mail(&noted).native, mail(MAIL).native);
    assert_ne!(mail(&MAIL.replace("Status: in", "Status: not in")).canon, mail(MAIL).canon);
    assert_ne!(mail(&MAIL.replace("Subject", "X-Statusbar: 1\nSubject")).canon, mail(MAIL).canon);
    // After a line that is no header field nothing is known to be one.
    let text = "Just text\nStatus: good\n";
    assert_ne!(mail(text).canon, mail(&text.replace("good", "bad")).canon);
}

#[test]
fn a_huge_message_streams_by_and_a_huge_header_is_hashed_as_it_is() {
    let header = format!("Subject: big\nX-Long: {}\nStatus: RO\n\nbody", "x".repeat(300_000));
    let examined = mail(&header);
    assert_eq!((&examined.title[..], examined.native.0), ("big", examined.canon.0));

    let mut examiner = Examiner::new(FolderKind::Mail, Format::Rfc5322);
    examiner.update(MAIL.as_bytes());
    let line = [&[b'x'; 1022][..], b"\r\n"].concat();
    (0..20_000).for_each(|_| examiner.update(&line));
    assert_eq!(examiner.finish().size, MAIL.len() as u64 + 20_000 * 1_024);
}

#[test]
fn kinds_come_from_the_content_and_the_folder() {
    let kind = |folder, text: &str| examine(folder, Format::ICalendar, text.as_bytes()).kind;
    let journal = component("VJOURNAL", "UID:1\nSUMMARY:x\n");
    assert_eq!(kind(FolderKind::Notes, &journal), Kind::Note);
    assert_eq!(kind(FolderKind::Calendar, &journal), Kind::Journal);
    assert_eq!(kind(FolderKind::Calendar, &component("VTODO", "UID:1\n")), Kind::Task);
    assert_eq!(kind(FolderKind::Tasks, &component("VEVENT", "UID:1\n")), Kind::Event);
    assert_eq!(kind(FolderKind::Tasks, "nothing"), Kind::Task);
    assert_eq!(contact(&card("UID:1\nFN:x\n")).kind, Kind::Contact);
    assert_eq!(contact(&card("UID:1\nKIND:Group\n")).kind, Kind::DistributionList);
    assert_eq!(contact(&card("UID:1\nX-ADDRESSBOOKSERVER-KIND:group\n")).kind, Kind::DistributionList);
    assert_eq!(examine(FolderKind::Notes, Format::Markdown, b"# x").kind, Kind::Note);
}

#[test]
fn a_file_of_several_uids_or_an_event_without_one_is_opaque_and_still_has_a_title() {
    let two = component("VEVENT", "UID:1\nSUMMARY:One\n")
        .replace("END:VCALENDAR", "BEGIN:VEVENT\nUID:2\nEND:VEVENT\nEND:VCALENDAR");
    for examined in
        [calendar(&two), calendar(&component("VEVENT", "SUMMARY:One\n")), contact(&card("UID:1\nUID:2\nFN:One\n"))]
    {
        assert_eq!(
            (examined.opaque, examined.identity, examined.object_uid, &examined.title[..]),
            (true, None, None, "One")
        );
    }
    let twice = calendar(&two.replace("UID:2", "UID:1"));
    assert_eq!(
        (twice.opaque, twice.identity, twice.object_uid),
        (true, None, calendar(&component("VEVENT", "UID:1\n")).identity)
    );
    assert!(calendar("BEGIN:VCALENDAR\nnot a line\nEND:VCALENDAR\n").opaque);
}

#[test]
fn a_series_with_exceptions_is_one_item() {
    let series = component("VEVENT", "UID:1\nRRULE:FREQ=DAILY\n")
        .replace("END:VCALENDAR", "BEGIN:VEVENT\nUID:1\nRECURRENCE-ID:20260105\nEND:VEVENT\nEND:VCALENDAR");
    let examined = calendar(&series);
    assert_eq!((examined.opaque, examined.identity), (false, calendar(&component("VEVENT", "UID:1\n")).identity));
    assert_ne!(contact(&card("UID:1\n")).identity, examined.identity, "a contact is never paired with an event");
}

#[test]
fn look_alikes_share_a_key_across_ways_of_writing() {
    let shares = |one: Examined, other: Examined| one.lookalikes.iter().any(|key| other.lookalikes.contains(key));
    let ann = || contact(&card("UID:1\nFN:Ann  Example\nTEL:+49 (0) 1\nEMAIL:x@example.org\n"));
    assert!(shares(ann(), contact("BEGIN:VCARD\nVERSION:2.1\nN:example;ann\nTEL;HOME:+4901\nEND:VCARD\n")));
    assert!(shares(ann(), contact(&card("UID:2\nFN:ANN EXAMPLE\nEMAIL;TYPE=WORK:X@Example.org\n"))));
    assert!(!shares(ann(), contact(&card("UID:2\nFN:Bob\nEMAIL:x@example.org\n"))));
    assert!(contact(&card("UID:1\nFN:Ann\n")).lookalikes.is_empty());
    assert_eq!(contact(&card(&format!("UID:1\nFN:Ann\n{}", "TEL:1\n".repeat(9)))).lookalikes.len(), 1);

    let tea = |lines: &str| calendar(&component("VEVENT", lines));
    assert!(shares(
        tea("UID:1\nSUMMARY:Tea\nDTSTART:20260105T100000\n"),
        tea("UID:2\nSUMMARY:tea\nDTSTART;TZID=X:20260105T100000\n")
    ));
    assert!(!shares(tea("UID:1\nSUMMARY:Tea\nDTSTART:20260105\n"), tea("UID:2\nSUMMARY:Tea\nDTSTART:20260106\n")));
    let note = |format, text: &str| examine(FolderKind::Notes, format, text.as_bytes());
    assert!(shares(
        note(Format::Text, "buy milk\n"),
        note(Format::ICalendar, &component("VJOURNAL", "UID:1\nSUMMARY:x\nDESCRIPTION:buy\\nmilk\n"))
    ));
}

#[test]
fn notes_are_their_text() {
    let note = |text: &str| examine(FolderKind::Notes, Format::Markdown, text.as_bytes());
    assert_eq!(&note("\n## Shopping \u{202e}list\nmilk").title, "Shopping list");
    assert_eq!(note("\u{feff}a\r\nb\r\n").canon, note("a\nb").canon);
    assert_ne!(note("a\nb").canon, note("a\n\nb").canon);
    assert_ne!(note("e\u{301}").canon, note("é").canon);
    assert_eq!((note("a").opaque, note("a").identity), (false, None));
}

#[test]
fn a_contact_or_note_of_nine_mebibytes_is_carried_as_it_is() {
    let text = format!("a\r\n{}", "b".repeat(9 * 1024 * 1024));
    for format in [Format::Text, Format::VCard] {
        let examined = examine(FolderKind::Notes, format, text.as_bytes());
        assert!(examined.opaque);
        assert_eq!(examined.canon.0, *blake3::hash(text.replace('\r', "").as_bytes()).as_bytes());
        assert_eq!(fields(examined.kind, format, text.as_bytes()), None);
        assert_eq!(merge(examined.kind, format, &FieldHashes::default(), text.as_bytes(), b"x"), None);
    }
}

#[test]
fn what_is_debugged_shows_no_subject() {
    assert!(!format!("{:?}", mail(MAIL)).contains("Ulm"));
}

/// Each of these would take hours if any step looked at everything again for each part of it.
#[test]
fn hostile_files_cost_no_more_than_their_size() {
    let many = |piece: &str| piece.repeat(1024 * 1024 / piece.len());
    let hostile = [
        card(&format!("UID:1\nCATEGORIES:{}\n", many("a,"))),
        card(&format!("UID:1\nCATEGORIES{}:{}\n", many(";X=1"), many("a,"))),
        card(&format!("UID:1\nCATEGORIES:{}\n", (0..16_000).map(|n| format!("{n},")).collect::<String>())),
        card(&format!("UID:1\n{}", (0..16_000).map(|n| format!("X-{n}:{n}\n")).collect::<String>())),
        card(&format!("UID:1\n{}", (0..16_000).map(|n| format!("g{n}.TEL:{n}\n")).collect::<String>())),
        card(&format!(
            "UID:1\n{}",
            (0..16_000).map(|n| format!("item{n}.TEL:{n}\nitem{n}.X-A:1\n")).collect::<String>()
        )),
        card(&format!("UID:1\nNOTE{}\n", many("\n ="))),
        card(&format!("UID:1\nNOTE;ENCODING=QUOTED-PRINTABLE:{}\n", many("=\n"))),
        card(&format!("UID:1\nNOTE:{}\n", many("\\"))),
        card(&many("UID:1\n")[..300_000]),
        component("VEVENT", &format!("UID:1\n{}", "BEGIN:VALARM\nEND:VALARM\n".repeat(16_000))),
        component("VEVENT", &format!("UID:1\n{}", "BEGIN:A\n".repeat(100_000))),
        component("VEVENT", &format!("UID:1\nRRULE:{}\nEXDATE:{}\n", many("A=1;"), many("20260101,"))),
        component(
            "VEVENT",
            &format!("UID:1\n{}", (0..16_000).map(|n| format!("ATTENDEE:mailto:{n}\n")).collect::<String>()),
        ),
        many("\r"),
        many("\n"),
        many("BEGIN:VCARD\n"),
        format!("Subject: x\n{}", many("\n y")),
        format!("From: {}\n\n", many("<")),
        format!("From: {}\n\n", many("a,")),
        format!("Subject: {}\n\n", many("=?utf-8?q?=")),
        format!(
            "Content-Type: multipart/mixed; boundary=a\n\n{}",
            many("--a\nContent-Type: multipart/mixed; boundary=a\n\n")
        ),
    ];
    let stranger = |text: &str| text.replacen("UID:1\n", "UID:1\nFN:stranger\n", 1).replace(":1", ":2");
    for text in hostile {
        for format in [Format::Rfc5322, Format::VCard, Format::ICalendar, Format::Text] {
            let examined = examine(FolderKind::Contacts, format, text.as_bytes());
            let _ = describe(examined.kind, format, text.as_bytes());
            let other = stranger(&text);
            let base = fields(examined.kind, format, other.as_bytes()).unwrap_or_default();
            let _ = merge(examined.kind, format, &FieldHashes::default(), text.as_bytes(), other.as_bytes());
            let _ = merge(examined.kind, format, &base, text.as_bytes(), other.as_bytes());
            let _ = merge(examined.kind, format, &base, text.as_bytes(), card("UID:1\n").as_bytes());
        }
    }
}
