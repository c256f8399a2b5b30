//! Outlook items: `.msg` files of real programs, and the way through other formats and back.
#![allow(clippy::unwrap_used)]

use pim::{Flag, Flags, FolderKind, Format, Kind, examine};
use std::{fs, path::Path};
use stores::mapi::{Attachment, Bag, Key, Message, Value, Zone, from_item, to_item};

fn corpus(folder: &str) -> Vec<(String, Vec<u8>)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/corpus").join(folder);
    let mut files: Vec<_> = fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty());
    files
        .into_iter()
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read(&path).unwrap()))
        .collect()
}

fn folder_of(kind: Kind) -> FolderKind {
    match kind {
        Kind::Message => FolderKind::Mail,
        Kind::Contact | Kind::DistributionList => FolderKind::Contacts,
        Kind::Event | Kind::Journal => FolderKind::Calendar,
        Kind::Task => FolderKind::Tasks,
        Kind::Note => FolderKind::Notes,
    }
}

/// Through a `.msg` file, as Outlook would get it.
fn through_msg(message: &Message) -> Message {
    Message::from_msg(&message.to_msg().unwrap()).unwrap()
}

fn made(folder: FolderKind, format: Format, text: &str) -> Message {
    from_item(folder, format, text.as_bytes(), &Flags::default(), &Zone::utc()).unwrap()
}

fn text_of(message: &Message) -> String {
    String::from_utf8(to_item(message).unwrap().bytes).unwrap().replace("\r\n ", "")
}

#[test]
fn msg_files_of_real_programs_are_read_and_written_without_loss() {
    let support = Key::Tag(0x340D);
    for (name, bytes) in corpus("msg") {
        let mut read = Message::from_msg(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        let mut again = through_msg(&read);
        for message in [&mut read, &mut again] {
            message.properties.0.remove(&support);
        }
        assert!(read == again, "{name}");
        assert!(read.properties.0.len() > 20, "{name}");
        let item = to_item(&read).unwrap();
        assert_eq!(item, to_item(&read).unwrap(), "{name}: the same item gives the same bytes");
        let examined = examine(folder_of(item.kind), item.format, &item.bytes);
        assert!(!examined.opaque && !examined.title.is_empty(), "{name}: {}", String::from_utf8_lossy(&item.bytes));
        assert_eq!(examined.kind, item.kind, "{name}");
    }
}

#[test]
fn what_a_msg_file_says_is_what_the_item_says() {
    let files = corpus("msg");
    let item = |name: &str| {
        let (_, bytes) = files.iter().find(|(known, _)| known == name).unwrap();
        to_item(&Message::from_msg(bytes).unwrap()).unwrap()
    };
    let contact = item("contact-unicode.msg");
    assert_eq!((contact.kind, contact.format), (Kind::Contact, Format::VCard));
    let note = item("note.msg");
    assert_eq!(note.kind, Kind::Note);
    let mail = item("piste.msg");
    let parsed = mail_parser::MessageParser::default().parse(&mail.bytes[..]).unwrap();
    assert!(parsed.subject().is_some() && parsed.from().is_some() && parsed.date().is_some());
    assert!(parsed.html_body_count() + parsed.text_body_count() > 0);
}

/// Replays the corpus with bytes changed, cut and repeated: whatever comes, there is an answer.
#[test]
fn damaged_msg_files_never_bring_the_reader_down() {
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = move |below: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        usize::try_from(random % below as u64).unwrap()
    };
    let rounds = std::env::var("TANDEM_FUZZ_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(150);
    for (_, bytes) in corpus("msg") {
        for _ in 0..rounds {
            let mut damaged = bytes.clone();
            for _ in 0..=next(8) {
                let (at, value) = (next(damaged.len()), next(256));
                match next(4) {
                    0 => damaged.truncate(at.max(512)),
                    1 => {
                        let (from, count) = (next(damaged.len()), next(64));
                        let piece: Vec<u8> = damaged[from..].iter().take(count).copied().collect();
                        let end = (at + piece.len()).min(damaged.len());
                        damaged[at..end].copy_from_slice(&piece[..end - at]);
                    }
                    _ => damaged[at] = u8::try_from(value).unwrap(),
                }
            }
            if let Ok(message) = Message::from_msg(&damaged) {
                let _ = to_item(&message);
                let _ = message.to_msg();
            }
        }
    }
}

#[test]
fn mail_of_the_corpus_survives_the_way_through_outlook() {
    let parser = mail_parser::MessageParser::default();
    for (name, bytes) in corpus("eml") {
        let Some(before) = parser.parse(&bytes[..]) else { continue };
        let flags = Flags([Flag::Seen, Flag::Flagged, Flag::Keyword("Büro".to_owned())].into());
        let Ok(message) = from_item(FolderKind::Mail, Format::Rfc5322, &bytes, &flags, &Zone::utc()) else { continue };
        let item = to_item(&through_msg(&message)).unwrap();
        assert_eq!(item.flags, flags, "{name}");
        let after = parser.parse(&item.bytes[..]).unwrap();
        assert_eq!(before.subject().map(str::trim), after.subject().map(str::trim), "{name}");
        assert_eq!(before.message_id(), after.message_id(), "{name}");
        // As text: what is no date to one reader is one to another.
        let date = |mail: &mail_parser::Message<'_>| {
            let text = mail.header_raw(mail_parser::HeaderName::Date)?.trim().lines().next()?.trim().to_owned();
            Some(text)
        };
        assert_eq!(date(&before), date(&after), "{name}");
        let people = |mail: &mail_parser::Message<'_>| {
            let fields = [mail.from(), mail.to(), mail.cc()].into_iter().flatten();
            fields.flat_map(|field| field.iter().filter_map(|one| one.address().map(str::to_owned))).collect::<Vec<_>>()
        };
        assert_eq!(people(&before), people(&after), "{name}");
        let text = |mail: &mail_parser::Message<'_>| {
            mail.text_bodies()
                .find_map(|part| match &part.body {
                    mail_parser::PartType::Text(text) => Some(text.replace("\r\n", "\n").trim().to_owned()),
                    _ => None,
                })
                .unwrap_or_default()
        };
        if !name.contains("signed") {
            assert_eq!(text(&before).replace('\0', ""), text(&after).replace('\0', ""), "{name}");
        }
    }
}

#[test]
fn attachments_pictures_and_messages_inside_survive() {
    let inner = "From: inner@example.org\r\nSubject: Inneres\r\nDate: Thu, 1 Jan 2026 09:00:00 +0000\r\n\r\nInnen\r\n";
    let data: Vec<u8> = (0..=255).cycle().take(70_000).map(|byte: u16| byte as u8).collect();
    let encoded = String::from_utf8(mail_builder::encoders::base64::base64_encode(&data).unwrap()).unwrap();
    let lines: Vec<&str> = encoded.as_bytes().chunks(76).map(|line| std::str::from_utf8(line).unwrap()).collect();
    let mail = format!(
        "From: =?utf-8?Q?Zo=C3=AB?= <zoe@example.org>\r\nTo: \"Doe, J.\" <j@example.org>, b@example.org\r\n\
        Bcc: hidden@example.org\r\nSubject: Re: Angebot\r\nMessage-ID: <1@example.org>\r\n\
        Date: Thu, 1 Jan 2026 10:00:00 +0100\r\nMIME-Version: 1.0\r\n\
        Content-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\nContent-Type: multipart/related; boundary=r\r\n\r\n\
        --r\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>Grüße <img src=\"cid:pic\"></p>\r\n\
        --r\r\nContent-Type: image/png\r\nContent-ID: <pic>\r\nContent-Transfer-Encoding: base64\r\n\
        Content-Disposition: inline; filename=p.png\r\n\r\niVBORw==\r\n--r--\r\n\
        --m\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=\"Grü.pdf\"\r\n\
        Content-Transfer-Encoding: base64\r\n\r\n{}\r\n\
        --m\r\nContent-Type: message/rfc822\r\n\r\n{inner}\r\n--m--\r\n",
        lines.join("\r\n")
    );
    let message = through_msg(&made(FolderKind::Mail, Format::Rfc5322, &mail));
    assert_eq!(message.recipients.len(), 3);
    assert_eq!(message.properties.text(&Key::Tag(0x0E1D)).as_deref(), Some("Angebot"));
    assert_eq!(message.attachments.iter().filter(|attachment| attachment.message.is_some()).count(), 1);
    let item = to_item(&message).unwrap();
    let parsed = mail_parser::MessageParser::default().parse(&item.bytes[..]).unwrap();
    let contents: Vec<Vec<u8>> = parsed.attachments().map(|part| part.contents().to_vec()).collect();
    assert!(contents.contains(&data) && contents.contains(&b"\x89PNG".to_vec()));
    let nested = parsed.attachments().find_map(mail_parser::MessagePart::message).unwrap();
    assert_eq!((nested.subject(), nested.body_text(0).unwrap().trim()), (Some("Inneres"), "Innen"));
    assert!(parsed.body_html(0).unwrap().contains("Grüße"));
    assert_eq!(to_item(&through_msg(&message)).unwrap(), item);
}

#[test]
fn a_signed_message_stays_as_it_was() {
    let entity = "--b\r\nContent-Type: text/plain\r\n\r\nsigned \r\n--b\r\nContent-Type: application/pkcs7-signature\r\n\r\nxx\r\n--b--\r\n";
    let mail = format!(
        "From: a@example.org\r\nSubject: s\r\nContent-Type: multipart/signed; micalg=sha-256;\r\n boundary=b\r\n\r\n{entity}"
    );
    let message = through_msg(&made(FolderKind::Mail, Format::Rfc5322, &mail));
    let item = to_item(&message).unwrap();
    assert!(String::from_utf8(item.bytes).unwrap().contains(entity));
}

#[test]
fn cards_of_the_corpus_say_the_same_after_outlook() {
    let mut cards = 0;
    for (name, bytes) in corpus("vcf") {
        let Ok(message) = from_item(FolderKind::Contacts, Format::VCard, &bytes, &Flags::default(), &Zone::utc())
        else {
            continue;
        };
        cards += 1;
        let message = through_msg(&message);
        let item = to_item(&message).unwrap();
        let read = |bytes: &[u8]| pim::components(Format::VCard, bytes).unwrap().remove(0);
        let (before, after) = (read(&bytes), read(&item.bytes));
        for field in ["FN", "NOTE", "TITLE", "BDAY"] {
            let text = |card: &pim::Component| {
                let text = card.text(field).unwrap_or_default().replace("\r\n", "\n");
                if field == "BDAY" { text.replace('-', "").chars().take(8).collect() } else { text.trim().to_owned() }
            };
            if field != "BDAY" || text(&before).len() == 8 {
                assert_eq!(text(&after), text(&before), "{name}: {field}");
            }
        }
        let emails = |card: &pim::Component| {
            let mut all: Vec<String> = card.all("EMAIL").map(|line| line.text().trim().to_owned()).collect();
            all.retain(|email| !email.is_empty());
            all.sort();
            all
        };
        if emails(&before).len() <= 3 {
            assert_eq!(emails(&after), emails(&before), "{name}");
        }
        // Outlook's own bag stays what it is from here on.
        let again =
            from_item(FolderKind::Contacts, Format::VCard, &item.bytes, &Flags::default(), &Zone::utc()).unwrap();
        assert_eq!(to_item(&again).unwrap().bytes, item.bytes, "{name}");
    }
    assert!(cards > 8, "{cards}");
}

#[test]
fn a_contact_keeps_every_field_outlook_has() {
    let card = "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:u1\r\nFN:Dr. Zoë M. Müller-Lüd jr.\r\nN:Müller-Lüd;Zoë;M.;Dr.;jr.\r\n\
        ORG:Acme;Sales;Room 7\r\nEMAIL;TYPE=INTERNET,PREF:z@example.org\r\nEMAIL;TYPE=INTERNET:z2@example.org\r\n\
        TEL;TYPE=WORK,VOICE:+49 1\r\nTEL;TYPE=WORK,VOICE:+49 2\r\nTEL;TYPE=HOME,VOICE:+49 3\r\nTEL;TYPE=CELL:+49 4\r\n\
        TEL;TYPE=WORK,FAX:+49 5\r\nTEL;TYPE=X-EVOLUTION-ASSISTANT:+49 6\r\n\
        ADR;TYPE=HOME:;;Weg 1\\nHinterhaus;Köln;NW;50667;Germany\r\nADR;TYPE=WORK,PREF:PO 5;;Platz 2;Bonn;;53111;Germany\r\n\
        TITLE:Head\r\nROLE:Engineer\r\nNICKNAME:Zo\r\nX-EVOLUTION-FILE-AS:Müller\\, Z\r\nX-EVOLUTION-MANAGER:Ann\r\n\
        X-EVOLUTION-SPOUSE:Bob\r\nIMPP:xmpp:z@example.org\r\nX-MICROSOFT-USER-1:one\r\nURL;TYPE=HOME:https://home.example\r\n\
        URL:https://work.example\r\nBDAY:1980-03-22\r\nX-EVOLUTION-ANNIVERSARY:2005-06-07\r\nX-GENDER:Female\r\n\
        X-MICROSOFT-CHILDREN:Kim,Lee\r\nCATEGORIES:Friends,Über\r\nNOTE:one\\ntwo\r\nCLASS:PRIVATE\r\n\
        PHOTO;ENCODING=b;TYPE=PNG:iVBORw==\r\nREV:20260101T000000Z\r\nEND:VCARD\r\n";
    let here = Zone::from_struct(&berlin(), "W. Europe Standard Time").unwrap();
    let message = from_item(FolderKind::Contacts, Format::VCard, card.as_bytes(), &Flags::default(), &here).unwrap();
    let after = text_of(&through_msg(&message));
    for line in card.split("\r\n").filter(|line| !line.starts_with("REV")) {
        assert!(after.contains(&format!("{line}\r\n")) || line.is_empty(), "{line} is missing in\n{after}");
    }
}

/// `PidLidTimeZoneStruct` of Berlin.
fn berlin() -> Vec<u8> {
    let mut bytes = Vec::new();
    for bias in [-60_i32, 0, -60] {
        bytes.extend(bias.to_le_bytes());
    }
    for (month, hour) in [(10_u16, 3_u16), (3, 2)] {
        bytes.extend([0; 2]);
        bytes.extend([0, month, 0, 5, hour, 0, 0, 0].map(u16::to_le_bytes).concat());
    }
    bytes
}

const SERIES: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VTIMEZONE\r\nTZID:Europe/Berlin\r\n\
    BEGIN:STANDARD\r\nDTSTART:19961027T030000\r\nRRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU\r\nTZOFFSETFROM:+0200\r\n\
    TZOFFSETTO:+0100\r\nEND:STANDARD\r\nBEGIN:DAYLIGHT\r\nDTSTART:19810329T020000\r\n\
    RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200\r\nEND:DAYLIGHT\r\nEND:VTIMEZONE\r\n\
    BEGIN:VEVENT\r\nUID:abc@example.org\r\nDTSTAMP:20260101T000000Z\r\nSUMMARY:Jour fixe\r\nDESCRIPTION:Text\\nzwei\r\n\
    DTSTART;TZID=Europe/Berlin:20260304T090000\r\nDTEND;TZID=Europe/Berlin:20260304T100000\r\nLOCATION:Raum 1\r\n\
    RRULE:FREQ=WEEKLY;BYDAY=WE;UNTIL=20260429T070000Z\r\nEXDATE;TZID=Europe/Berlin:20260318T090000\r\n\
    CATEGORIES:Team\r\nORGANIZER;CN=Boss:mailto:boss@example.org\r\n\
    ATTENDEE;CN=\"Doe, J\";ROLE=OPT-PARTICIPANT;PARTSTAT=TENTATIVE:mailto:j@example.org\r\n\
    BEGIN:VALARM\r\nACTION:DISPLAY\r\nDESCRIPTION:Reminder\r\nTRIGGER:-PT30M\r\nEND:VALARM\r\nEND:VEVENT\r\n\
    BEGIN:VEVENT\r\nUID:abc@example.org\r\nDTSTAMP:20260101T000000Z\r\n\
    RECURRENCE-ID;TZID=Europe/Berlin:20260401T090000\r\nSUMMARY:Jour fixe (später)\r\nDESCRIPTION:Anders\r\n\
    DTSTART;TZID=Europe/Berlin:20260401T140000\r\nDTEND;TZID=Europe/Berlin:20260401T150000\r\nLOCATION:Raum 2\r\n\
    ORGANIZER;CN=Boss:mailto:boss@example.org\r\n\
    ATTENDEE;CN=\"Doe, J\";ROLE=OPT-PARTICIPANT;PARTSTAT=TENTATIVE:mailto:j@example.org\r\n\
    BEGIN:VALARM\r\nACTION:DISPLAY\r\nDESCRIPTION:Reminder\r\nTRIGGER:-PT30M\r\nEND:VALARM\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

#[test]
fn a_series_with_exceptions_and_its_time_zone_survives() {
    let message = made(FolderKind::Calendar, Format::ICalendar, SERIES);
    let start = message.properties.time(&Key::Id(appointment(), 0x820D)).unwrap();
    assert_eq!(start.utc_text(), "20260304T080000Z");
    let after = text_of(&through_msg(&message));
    for line in [
        "UID:abc@example.org",
        "DTSTART;TZID=Europe/Berlin:20260304T090000",
        "DTEND;TZID=Europe/Berlin:20260304T100000",
        "RRULE:FREQ=WEEKLY;BYDAY=WE;UNTIL=20260429T070000Z",
        "EXDATE;TZID=Europe/Berlin:20260318T090000",
        "RECURRENCE-ID;TZID=Europe/Berlin:20260401T090000",
        "DTSTART;TZID=Europe/Berlin:20260401T140000",
        "SUMMARY:Jour fixe (später)",
        "DESCRIPTION:Anders",
        "LOCATION:Raum 2",
        "ORGANIZER;CN=Boss:mailto:boss@example.org",
        "ATTENDEE;CN=\"Doe, J\";ROLE=OPT-PARTICIPANT;PARTSTAT=TENTATIVE:mailto:j@example.org",
        "TRIGGER:-PT30M",
        "CATEGORIES:Team",
        "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU",
    ] {
        assert!(after.contains(&format!("{line}\r\n")), "{line} is missing in\n{after}");
    }
    let examined = examine(FolderKind::Calendar, Format::ICalendar, after.as_bytes());
    assert!(!examined.opaque);
    assert_eq!(examined.identity, examine(FolderKind::Calendar, Format::ICalendar, SERIES.as_bytes()).identity);
    // From here on nothing changes any more.
    assert_eq!(text_of(&made(FolderKind::Calendar, Format::ICalendar, &after)), after);
}

fn appointment() -> stores::mapi::Guid {
    stores::mapi::Guid::new(0x0006_2002, 0, 0, [0xC0, 0, 0, 0, 0, 0, 0, 0x46])
}

#[test]
fn whole_days_stay_whole_days_in_any_zone() {
    let event = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:d\r\nDTSTART;VALUE=DATE:20260329\r\n\
        DTEND;VALUE=DATE:20260330\r\nRRULE:FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=29;COUNT=3\r\nSUMMARY:Tag\r\nEND:VEVENT\r\n\
        END:VCALENDAR\r\n";
    for here in [Zone::utc(), Zone::from_struct(&berlin(), "W. Europe Standard Time").unwrap()] {
        let message =
            from_item(FolderKind::Calendar, Format::ICalendar, event.as_bytes(), &Flags::default(), &here).unwrap();
        let after = text_of(&through_msg(&message));
        for line in ["DTSTART;VALUE=DATE:20260329", "DTEND;VALUE=DATE:20260330"] {
            assert!(after.contains(line), "{after}");
        }
        assert!(after.contains("RRULE:FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=29;COUNT=3\r\n"), "{after}");
    }
}

#[test]
fn calendars_of_the_corpus_survive_or_are_refused() {
    let mut held = 0;
    for (name, bytes) in corpus("ics") {
        let Ok(message) = from_item(FolderKind::Calendar, Format::ICalendar, &bytes, &Flags::default(), &Zone::utc())
        else {
            continue;
        };
        held += 1;
        let after = text_of(&through_msg(&message));
        let calendar = pim::components(Format::ICalendar, after.as_bytes());
        assert!(calendar.is_some_and(|all| all.len() == 1), "{name}: {after}");
    }
    assert!(held > 10, "{held}");
}

#[test]
fn tasks_notes_lists_and_journal_entries_survive() {
    let task = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VTODO\r\nUID:t1\r\nSUMMARY:Steuer\r\nDTSTART;VALUE=DATE:20260301\r\n\
        DUE;VALUE=DATE:20260331\r\nSTATUS:IN-PROCESS\r\nPERCENT-COMPLETE:25\r\nPRIORITY:1\r\nCLASS:CONFIDENTIAL\r\n\
        RRULE:FREQ=MONTHLY;BYMONTHDAY=1;COUNT=3\r\nBEGIN:VALARM\r\nACTION:DISPLAY\r\nDESCRIPTION:Reminder\r\n\
        TRIGGER;VALUE=DATE-TIME:20260330T080000Z\r\nEND:VALARM\r\nEND:VTODO\r\nEND:VCALENDAR\r\n";
    let after = text_of(&through_msg(&made(FolderKind::Tasks, Format::ICalendar, task)));
    for line in task.split("\r\n") {
        assert!(after.contains(line), "{line} is missing in\n{after}");
    }
    let note = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VJOURNAL\r\nUID:n1\r\nSUMMARY:Einkauf\r\n\
        DESCRIPTION:Einkauf\\nMilch\r\nCATEGORIES:Heim\r\nCOLOR:green\r\nEND:VJOURNAL\r\nEND:VCALENDAR\r\n";
    let message = through_msg(&made(FolderKind::Notes, Format::ICalendar, note));
    let after = text_of(&message);
    for line in note.split("\r\n") {
        assert!(after.contains(line), "{line} is missing in\n{after}");
    }
    assert_eq!(to_item(&message).unwrap().kind, Kind::Note);
    let list = "BEGIN:VCARD\r\nVERSION:4.0\r\nKIND:group\r\nUID:l1\r\nFN:Verein\r\n\
        MEMBER;X-CN=Zoë:mailto:zoe@example.org\r\nMEMBER:mailto:b@example.org\r\nEND:VCARD\r\n";
    let message = through_msg(&made(FolderKind::Contacts, Format::VCard, list));
    let after = text_of(&message);
    for line in list.split("\r\n") {
        assert!(after.contains(line), "{line} is missing in\n{after}");
    }
    assert_eq!(to_item(&message).unwrap().kind, Kind::DistributionList);
    let entry = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VJOURNAL\r\nUID:j1\r\nSUMMARY:Anruf\r\n\
        DTSTART:20260301T090000Z\r\nX-MICROSOFT-JOURNAL-DURATION:PT30M\r\nX-MICROSOFT-JOURNAL-TYPE:Phone call\r\n\
        CONTACT:Ann\r\nEND:VJOURNAL\r\nEND:VCALENDAR\r\n";
    let after = text_of(&through_msg(&made(FolderKind::Calendar, Format::ICalendar, entry)));
    for line in entry.split("\r\n") {
        assert!(after.contains(line), "{line} is missing in\n{after}");
    }
}

#[test]
fn an_item_of_a_program_is_no_item() {
    let mut message = Message::default();
    let class = Key::Tag(0x001A);
    for (name, is_item) in [
        ("IPM.Microsoft.ScheduleData.FreeBusy", false),
        ("IPM.Configuration.Rss", false),
        ("IPC.MS.REN.USERFIELDS", false),
        ("IPM.Note.Custom", true),
        ("REPORT.IPM.Note.NDR", true),
        ("IPM.Contact.Company", true),
    ] {
        message.properties.set_text(class.clone(), name);
        assert_eq!(to_item(&message).is_ok(), is_item, "{name}");
    }
}

#[test]
fn every_type_of_value_survives_a_msg_file() {
    let mut message = Message::default();
    let set = appointment();
    let values = [
        Value::I16(-2),
        Value::I32(i32::MIN),
        Value::F32(1.5),
        Value::F64(-0.25),
        Value::Currency(-1),
        Value::FloatingTime(2.5),
        Value::Error(5),
        Value::Bool(true),
        Value::I64(i64::MAX),
        Value::Time(133_801_632_000_000_000),
        Value::Guid(set),
        Value::Text("é中😀".to_owned()),
        Value::Text(String::new()),
        Value::Binary(vec![0; 5_000]),
        Value::Many { of: 0x1F, values: vec![Value::Text("a".to_owned()), Value::Text("é".to_owned())] },
        Value::Many { of: 0x102, values: vec![Value::Binary(vec![1, 0]), Value::Binary(Vec::new())] },
        Value::Many { of: 0x03, values: vec![Value::I32(1), Value::I32(2)] },
        Value::Many { of: 0x48, values: vec![Value::Guid(set)] },
        Value::Many { of: 0x40, values: Vec::new() },
    ];
    for (at, value) in (0u16..).zip(values) {
        message.properties.set(Key::Tag(0x6000 + at), value.clone());
        message.properties.set(Key::Id(set, u32::from(at)), value.clone());
        message.properties.set(Key::Name(set, format!("name {at} é").into()), value);
    }
    let object = {
        let mut file = cfb::CompoundFile::create(std::io::Cursor::new(Vec::new())).unwrap();
        file.create_storage("/inner").unwrap();
        std::io::Write::write_all(&mut file.create_stream("/inner/data").unwrap(), b"ole").unwrap();
        file.into_inner().into_inner()
    };
    message.attachments.push(Attachment { object: Some(object), ..Attachment::default() });
    let again = through_msg(&message);
    let without_mask = Bag(again
        .properties
        .0
        .iter()
        .filter(|(key, _)| **key != Key::Tag(0x340D))
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect());
    assert!(without_mask == message.properties);
    let object = again.attachments[0].object.as_deref().unwrap();
    let mut file = cfb::CompoundFile::open(std::io::Cursor::new(object)).unwrap();
    let mut data = String::new();
    std::io::Read::read_to_string(&mut file.open_stream("/inner/data").unwrap(), &mut data).unwrap();
    assert_eq!(data, "ole");
}
