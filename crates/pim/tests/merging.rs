//! What happens to an item that two people edited.

use pim::{FieldHashes, FolderKind, Format, Kind, Merge, examine, fields, merge};
use proptest::prelude::*;
use std::collections::BTreeSet;

const CARD: &str = "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:1\r\nFN:Ann Example\r\nN:Example;Ann;;;\r\nNOTE:met in\r\n  Ulm\r\n\
    X-odd;P=\"a:b\":v,w\r\nTEL;TYPE=HOME:01 23\r\nTEL;TYPE=CELL:01 77\r\nitem1.EMAIL:ann@example.org\r\n\
    item1.X-ABLabel:choir\r\nCATEGORIES:Friends,Choir\r\nREV:2026-01-01T00:00:00Z\r\nEND:VCARD\r\n";

const SERIES: &str = "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//A//A//EN\nBEGIN:VTIMEZONE\nTZID:Europe/Berlin\nBEGIN:STANDARD\n\
    DTSTART:19701025T030000\nTZOFFSETFROM:+0200\nTZOFFSETTO:+0100\nEND:STANDARD\nEND:VTIMEZONE\nBEGIN:VEVENT\nUID:s\n\
    DTSTAMP:20260101T000000Z\nSEQUENCE:1\nSUMMARY:Choir\nLOCATION:Hall\nDTSTART;TZID=Europe/Berlin:20260105T190000\n\
    DURATION:PT2H\nRRULE:FREQ=WEEKLY\nATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:ann@example.org\nBEGIN:VALARM\nTRIGGER:-PT15M\n\
    ACTION:DISPLAY\nEND:VALARM\nEND:VEVENT\nBEGIN:VEVENT\nUID:s\nRECURRENCE-ID;TZID=Europe/Berlin:20260112T190000\n\
    DTSTART;TZID=Europe/Berlin:20260113T190000\nSUMMARY:Choir\nEND:VEVENT\nEND:VCALENDAR\n";

fn card_merge(base: &str, ours: &str, theirs: &str) -> Merge {
    try_merge(Kind::Contact, Format::VCard, base, ours, theirs).expect("contacts merge by field")
}

fn event_merge(base: &str, ours: &str, theirs: &str) -> Merge {
    try_merge(Kind::Event, Format::ICalendar, base, ours, theirs).expect("events merge by field")
}

fn try_merge(kind: Kind, format: Format, base: &str, ours: &str, theirs: &str) -> Option<Merge> {
    let base = if base.is_empty() { FieldHashes::default() } else { fields(kind, format, base.as_bytes())? };
    merge(kind, format, &base, ours.as_bytes(), theirs.as_bytes())
}

fn text(merge: &Merge) -> &str {
    std::str::from_utf8(&merge.bytes).expect("these tests are written in UTF-8")
}

#[test]
fn edits_of_different_fields_both_hold_and_nothing_else_changes_by_a_byte() {
    let home = CARD.replace("FN:Ann Example", "FN:Ann M. Example");
    let laptop = CARD.replace("TEL;TYPE=CELL:01 77", "TEL;TYPE=CELL:01 78").replace("REV:2026-01", "REV:2026-02");
    let merged = card_merge(CARD, &home, &laptop);
    assert_eq!(text(&merged), laptop.replace("FN:Ann Example", "FN:Ann M. Example"));
    assert!(merged.clashes.is_empty());
}

#[test]
fn two_values_for_one_field_are_a_clash_and_theirs_stays() {
    let home = CARD.replace("FN:Ann Example", "FN:Ann One");
    let laptop = CARD.replace("FN:Ann Example", "FN:Ann Two");
    let merged = card_merge(CARD, &home, &laptop);
    assert_eq!(text(&merged), laptop);
    let [clash] = &merged.clashes[..] else { panic!("one clash: {merged:?}") };
    assert_eq!((clash.field.name(), &clash.ours[..], &clash.theirs[..]), ("FN", "Ann One", "Ann Two"));
}

#[test]
fn a_field_removed_here_and_changed_there_is_a_clash() {
    let home = CARD.replace("NOTE:met in\r\n  Ulm\r\n", "");
    let laptop = CARD.replace("met in", "met at");
    let merged = card_merge(CARD, &home, &laptop);
    assert_eq!(text(&merged), laptop);
    assert_eq!((&merged.clashes[0].ours[..], &merged.clashes[0].theirs[..]), ("", "met at Ulm"));
    assert_eq!(text(&card_merge(CARD, &laptop, &home)), home);
}

#[test]
fn numbers_added_on_both_sides_are_both_there() {
    let home = CARD.replace("CATEGORIES", "TEL;TYPE=WORK:0900\r\nCATEGORIES");
    let laptop = CARD.replace("TEL;TYPE=HOME", "TEL;TYPE=FAX:0800\r\nTEL;TYPE=HOME");
    let merged = card_merge(CARD, &home, &laptop);
    assert_eq!(text(&merged), laptop.replace("01 77\r\n", "01 77\r\nTEL;TYPE=WORK:0900\r\n"));
}

#[test]
fn a_number_changed_differently_on_both_sides_is_kept_twice() {
    let home = CARD.replace("01 77", "01 78");
    let laptop = CARD.replace("01 77", "01 79");
    let merged = card_merge(CARD, &home, &laptop);
    assert!(merged.clashes.is_empty());
    assert!(text(&merged).contains("01 78") && text(&merged).contains("01 79") && !text(&merged).contains("01 77"));
}

#[test]
fn a_number_written_with_other_dashes_is_still_that_number() {
    let home = CARD.replace("01 77", "01-77");
    let laptop = CARD.replace("TEL;TYPE=CELL", "TEL;TYPE=WORK");
    let merged = card_merge(CARD, &home, &laptop);
    assert_eq!(merged.clashes.len(), 1, "{merged:?}");
    assert_eq!(text(&merged), laptop);
}

#[test]
fn a_changed_street_is_a_clash_and_no_second_home() {
    let base = CARD.replace("CATEGORIES", "ADR;TYPE=HOME:;;Elm 1;Ulm;;;\r\nCATEGORIES");
    let merged = card_merge(&base, &base.replace("Elm 1", "Elm 2"), &base.replace("Elm 1", "Oak 3"));
    assert_eq!((&merged.clashes[0].ours[..], &merged.clashes[0].theirs[..]), ("Elm 2, Ulm", "Oak 3, Ulm"));
}

#[test]
fn categories_leave_and_join_a_list_one_by_one() {
    let home = CARD.replace("Friends,Choir", "Choir,Rare\\, odd");
    let laptop = CARD.replace("Friends,Choir", "Friends,Choir,Work");
    let merged = card_merge(CARD, &home, &laptop);
    assert_eq!(text(&merged), CARD.replace("Friends,Choir", "Choir,Work,Rare\\, odd"));
    assert_eq!(
        text(&card_merge(CARD, &CARD.replace("CATEGORIES:Friends,Choir\r\n", ""), &laptop)),
        CARD.replace("Friends,Choir", "Work")
    );
}

#[test]
fn grouped_lines_travel_together_and_never_join_a_strange_group() {
    let home = CARD.replace("CATEGORIES", "item2.URL:https://a.example\r\nitem2.X-ABLabel:club\r\nCATEGORIES");
    let laptop = CARD.replace("CATEGORIES", "item2.ADR:;;Elm 1;;;;\r\nitem2.X-ABLabel:cabin\r\nCATEGORIES");
    let merged = card_merge(CARD, &home, &laptop);
    let added = "item3.URL:https://a.example\r\nitem3.X-ABLabel:club\r\n";
    assert!(text(&merged).contains(added), "{}", text(&merged));
    assert!(text(&merged).contains("item2.ADR:;;Elm 1;;;;\r\nitem2.X-ABLabel:cabin\r\n"));
    // Numbering groups anew is no edit, and a group of one line is none.
    let canon = |text: &str| examine(FolderKind::Contacts, Format::VCard, text.as_bytes()).canon;
    assert_eq!(canon(&CARD.replace("item1", "item9").replace("FN:", "item7.FN:")), canon(CARD));
}

#[test]
fn a_label_of_a_group_is_part_of_its_field() {
    let merged = card_merge(CARD, &CARD.replace("X-ABLabel:choir", "X-ABLabel:club"), &CARD.replace("01 77", "01 79"));
    assert_eq!(text(&merged), CARD.replace("X-ABLabel:choir", "X-ABLabel:club").replace("01 77", "01 79"));
}

#[test]
fn a_store_that_holds_less_changes_only_what_was_changed_in_it() {
    // The store dropped the odd property, the label and the note, and added its own stamp.
    let stored = "BEGIN:VCARD\nVERSION:4.0\nUID:local\nFN:Ann Example\nN:Example;Ann\nTEL;TYPE=home:01 23\nTEL;TYPE=cell:01 77\n\
        EMAIL:ann@example.org\nX-EVOLUTION-WEBDAV-ETAG:1\nEND:VCARD\n";
    let edited = stored.replace("01 23", "01 24").replace("FN:Ann Example", "FN:Ann E.");
    let merged = card_merge(stored, &edited, CARD);
    assert_eq!(
        text(&merged),
        CARD.replace("TYPE=HOME:01 23\r\nTEL;TYPE=CELL:01 77", "TYPE=CELL:01 77\r\nTEL;TYPE=home:01 24")
            .replace("FN:Ann Example", "FN:Ann E.")
    );
    assert!(merged.clashes.is_empty());
    assert_eq!(text(&card_merge(stored, stored, CARD)), CARD);
}

#[test]
fn just_paired_contacts_gain_what_the_other_has_and_clash_where_both_say_something_else() {
    let theirs = "BEGIN:VCARD\nVERSION:2.1\nUID:2\nFN:Ann Example\nTITLE:Cantor\nTEL;HOME:0123\nNOTE;ENCODING=QUOTED-PRINTABLE:old=0D=0Anote\nEND:VCARD\n";
    let merged = card_merge("", CARD, theirs);
    let clashing: Vec<_> = merged.clashes.iter().map(|clash| clash.field.name()).collect();
    assert_eq!(clashing, ["NOTE", "TEL"]);
    assert!(
        text(&merged).starts_with(
            "BEGIN:VCARD\nVERSION:2.1\nUID:2\nFN:Ann Example\nTITLE:Cantor\nTEL;HOME:0123\nTEL;CELL:01 77\n"
        ),
        "{}",
        text(&merged)
    );
    assert!(
        text(&merged).contains("\nCATEGORIES:Friends,Choir\n") && text(&merged).contains("\nitem1.X-ABLabel:choir\n")
    );
}

#[test]
fn a_series_and_its_exceptions_are_one_field_beside_the_others() {
    let home = SERIES.replace("RRULE:FREQ=WEEKLY", "RRULE:FREQ=WEEKLY;COUNT=9").replace("SEQUENCE:1", "SEQUENCE:4");
    let laptop = SERIES
        .replace("LOCATION:Hall", "LOCATION:Church")
        .replace("-PT15M", "-PT30M")
        .replace("SEQUENCE:1", "SEQUENCE:2");
    let merged = event_merge(SERIES, &home, &laptop);
    assert_eq!(text(&merged), laptop.replace("FREQ=WEEKLY", "FREQ=WEEKLY;COUNT=9").replace("SEQUENCE:2", "SEQUENCE:4"));

    let moved = SERIES.replace("20260113T190000", "20260114T190000");
    let clash = event_merge(SERIES, &home, &moved);
    assert_eq!(clash.clashes.iter().map(|clash| clash.field.name()).collect::<Vec<_>>(), ["TIMES"]);
    assert_eq!(text(&clash), moved);
    assert!(
        clash.clashes[0].ours.contains("COUNT=9") && clash.clashes[0].theirs.contains("2026-01-14 19:00 Europe/Berlin")
    );
}

#[test]
fn a_new_exception_and_its_time_zone_come_along() {
    let exception = "BEGIN:VEVENT\nUID:s\nRECURRENCE-ID;TZID=Europe/Berlin:20260119T190000\nDTSTART;TZID=\"Osaka, Tokyo\":20260120T190000\nEND:VEVENT\n";
    let zone = "BEGIN:VTIMEZONE\nTZID:Osaka\\, Tokyo\nBEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETFROM:+0900\nTZOFFSETTO:+0900\nEND:STANDARD\nEND:VTIMEZONE\n";
    let home = SERIES.replace("END:VCALENDAR", &format!("{exception}END:VCALENDAR")).replacen(
        "BEGIN:VTIMEZONE",
        &format!("{zone}BEGIN:VTIMEZONE"),
        1,
    );
    let laptop = SERIES.replace("SUMMARY:Choir\nLOCATION", "SUMMARY:Big choir\nLOCATION").replace('\n', "\r\n");
    let merged = event_merge(SERIES, &home, &laptop);
    let result = text(&merged).replace("\r\n", "\n");
    assert!(result.contains(exception) && result.contains(zone) && result.contains("SUMMARY:Big choir"), "{result}");
    assert_eq!(text(&merged).matches('\n').count(), text(&merged).matches("\r\n").count());
    assert_eq!(result.matches("TZID:Europe/Berlin").count(), 1);
}

#[test]
fn answers_of_different_participants_merge() {
    let base = SERIES.replace("BEGIN:VALARM", "ATTENDEE;CN=Bob:mailto:bob@example.org\nBEGIN:VALARM");
    let home = base.replace("PARTSTAT=NEEDS-ACTION", "PARTSTAT=ACCEPTED");
    let laptop = base.replace("CN=Bob", "CN=Bob;PARTSTAT=DECLINED");
    let merged = event_merge(&base, &home, &laptop);
    assert_eq!(text(&merged), laptop.replace("PARTSTAT=NEEDS-ACTION", "PARTSTAT=ACCEPTED"));
}

#[test]
fn finishing_a_task_is_one_field() {
    let task = "BEGIN:VCALENDAR\nVERSION:2.0\nBEGIN:VTODO\nUID:t\nSUMMARY:Paint\nSTATUS:IN-PROCESS\nPERCENT-COMPLETE:50\nDUE:20260301\nEND:VTODO\nEND:VCALENDAR\n";
    let done =
        task.replace("IN-PROCESS\nPERCENT-COMPLETE:50", "COMPLETED\nPERCENT-COMPLETE:100\nCOMPLETED:20260201T000000Z");
    let renamed = task.replace("Paint", "Paint door");
    let merged = event_merge(task, &done, &renamed);
    assert_eq!(text(&merged), done.replace("Paint", "Paint door"));
    let further = task.replace(":50", ":60");
    assert_eq!(event_merge(task, &done, &further).clashes[0].field.name(), "PROGRESS");
}

#[test]
fn saving_without_a_change_is_no_edit() {
    let saved = SERIES
        .replace(
            "DTSTAMP:20260101T000000Z",
            "dtstamp:20270101T000000Z\nCREATED:20270101T000000Z\nX-EVOLUTION-ENDDATE:1",
        )
        .replace("PRODID:-//A//A//EN", "PRODID:-//B//B//EN\nCALSCALE:GREGORIAN")
        .replace("SUMMARY:Choir\nLOCATION:Hall", "LOCATION:Ha\n ll\nTRANSP:OPAQUE\nSUMMARY;LANGUAGE=de:Choir")
        .replace("SUMMARY;LANGUAGE=de:Choir", "Summary:Choir")
        .replace("RRULE:FREQ=WEEKLY", "RRULE:INTERVAL=1;FREQ=WEEKLY");
    let canon = |text: &str| examine(FolderKind::Calendar, Format::ICalendar, text.as_bytes()).canon;
    assert_eq!(canon(&saved), canon(SERIES));
    assert_ne!(canon(&SERIES.replace("Hall", "Church")), canon(SERIES));
    assert_eq!(text(&event_merge(SERIES, &saved, SERIES)), SERIES);
}

#[test]
fn a_value_replaces_the_default_that_stood_there() {
    let theirs = SERIES.replace("LOCATION:Hall", "LOCATION:Hall\nTRANSP:OPAQUE");
    let ours = SERIES.replace("LOCATION:Hall", "LOCATION:Hall\nTRANSP:TRANSPARENT");
    assert_eq!(text(&event_merge(SERIES, &ours, &theirs)), ours);
}

#[test]
fn what_has_no_fields_in_common_is_not_merged() {
    let several = format!("{CARD}{CARD}");
    let task = "BEGIN:VCALENDAR\nVERSION:2.0\nBEGIN:VTODO\nUID:s\nSUMMARY:Choir\nEND:VTODO\nEND:VCALENDAR\n";
    for other in [several.as_str(), "hello", ""] {
        assert_eq!(try_merge(Kind::Contact, Format::VCard, "", CARD, other), None);
        assert_eq!(try_merge(Kind::Contact, Format::VCard, "", other, CARD), None);
    }
    assert_eq!(try_merge(Kind::Event, Format::ICalendar, "", SERIES, task), None);
    assert_eq!(merge(Kind::Message, Format::Rfc5322, &FieldHashes::default(), b"a: b\n", b"a: b\n"), None);
}

#[test]
fn a_text_note_is_one_field() {
    let merged = |ours, theirs| try_merge(Kind::Note, Format::Text, "milk\n", ours, theirs).unwrap();
    assert_eq!(text(&merged("milk, tea\n", "milk\r\n")), "milk, tea\n");
    assert_eq!(text(&merged("milk", "bread")), "bread");
    let clash = merged("tea", "bread");
    assert_eq!((text(&clash), &clash.clashes[0].ours[..], &clash.clashes[0].theirs[..]), ("bread", "tea", "bread"));
}

/// One edit that a person could make to [`CARD`].
#[derive(Clone, Debug)]
enum Edit {
    Name(u8),
    Note(Option<u8>),
    Number(u8, bool),
    Address(u8),
    Category(u8, bool),
    Odd(u8),
    Label(u8),
    Photo(u8),
}

fn edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        (0..3u8).prop_map(Edit::Name),
        proptest::option::of(0..3u8).prop_map(Edit::Note),
        (0..5u8, any::<bool>()).prop_map(|(number, is_added)| Edit::Number(number, is_added)),
        (0..3u8).prop_map(Edit::Address),
        (0..5u8, any::<bool>()).prop_map(|(category, is_added)| Edit::Category(category, is_added)),
        (0..3u8).prop_map(Edit::Odd),
        (0..3u8).prop_map(Edit::Label),
        (0..3u8).prop_map(Edit::Photo),
    ]
}

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    proptest::collection::vec(edit(), 0..5)
}

/// The card as a program would write it after these edits; `style` changes what means nothing.
fn edited(edits: &[Edit], style: u8) -> String {
    let (mut name, mut note, mut odd, mut label, mut photo) = (0, Some(0), 0, 0, 0);
    let (mut numbers, mut categories, mut addresses) =
        (BTreeSet::from([0, 1]), BTreeSet::from([0, 1]), BTreeSet::new());
    for edit in edits {
        match *edit {
            Edit::Name(new) => name = new,
            Edit::Note(new) => note = new,
            Edit::Number(number, true) => drop(numbers.insert(number)),
            Edit::Number(number, false) => drop(numbers.remove(&number)),
            Edit::Category(category, true) => drop(categories.insert(category)),
            Edit::Category(category, false) => drop(categories.remove(&category)),
            Edit::Address(address) => drop(addresses.insert(address)),
            Edit::Odd(new) => odd = new,
            Edit::Label(new) => label = new,
            Edit::Photo(new) => photo = new,
        }
    }
    let mut lines = vec![format!("FN:Ann é {name}"), format!("X-ODD;P=\"a:b\":v,w{odd}")];
    lines.extend(note.map(|note| {
        format!("NOTE:a long note\\, written over a number of lines, that no program would leave in one piece {note}")
    }));
    lines.extend(numbers.iter().map(|number| format!("TEL;TYPE=HOME:+49 {number}")));
    lines.extend(addresses.iter().map(|address| format!("ADR;TYPE=T{address}:;;Elm {address};;;;")));
    if !categories.is_empty() {
        let names: Vec<_> = categories.iter().map(|category| format!("C {category}\\, x")).collect();
        lines.push(format!("CATEGORIES:{}", names.join(",")));
    }
    let group = if style & 1 == 1 { "item4" } else { "item1" };
    lines.push(format!("{group}.EMAIL;TYPE=INTERNET:ann@example.org"));
    lines.push(format!("{group}.X-ABLabel:l{label}"));
    if photo > 0 {
        lines.push(format!("PHOTO;ENCODING=b;TYPE=JPEG:{}", "QUJD".repeat(usize::from(photo) * 40)));
    }
    if style & 2 == 2 {
        lines.reverse();
    }
    let end = if style & 4 == 4 { "\r\n" } else { "\n" };
    let room = if style & 8 == 8 { 30 } else { 1_000 };
    let folded = lines.into_iter().map(|line| {
        let letters: Vec<_> = line.chars().collect();
        let pieces: Vec<String> = letters.chunks(room).map(|piece| piece.iter().collect()).collect();
        pieces.join(&format!("{end} "))
    });
    let body: Vec<_> = folded.collect();
    format!("BEGIN:VCARD{end}VERSION:3.0{end}UID:1{end}{}{end}REV:{style}{end}END:VCARD{end}", body.join(end))
}

fn said(bytes: &[u8]) -> FieldHashes {
    fields(Kind::Contact, Format::VCard, bytes).expect("a contact has fields")
}

/// A series as a program would write it after some edits: which summary, rule, exceptions, alarm and category it has.
fn series(
    summary: u8,
    rule: u8,
    exceptions: &BTreeSet<u8>,
    alarm: u8,
    categories: &BTreeSet<u8>,
    is_rewritten: bool,
) -> String {
    let zone = |name: u8| {
        format!("BEGIN:VTIMEZONE\nTZID:Z{name}\nBEGIN:STANDARD\nDTSTART:19700101T000000\nEND:STANDARD\nEND:VTIMEZONE\n")
    };
    let mut text = format!("BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:{is_rewritten}\n");
    text.extend(exceptions.iter().map(|exception| zone(*exception)));
    let moved = exceptions.iter().map(|day| {
        format!("BEGIN:VEVENT\nUID:s\nRECURRENCE-ID:2026010{day}\nDTSTART;TZID=Z{day}:20260201T000000\nEND:VEVENT\n")
    });
    let moved: String = moved.collect();
    let own =
        format!("SUMMARY:s{summary}\nDTSTART:20260101\nRRULE:FREQ=DAILY;COUNT={rule}\nDTSTAMP:2026{is_rewritten}\n");
    let lists: String = categories.iter().map(|category| format!("CATEGORIES:c{category}\n")).collect();
    let alarm = format!("BEGIN:VALARM\nTRIGGER:-PT{alarm}M\nEND:VALARM\n");
    let main = format!("BEGIN:VEVENT\nUID:s\n{own}{lists}{alarm}END:VEVENT\n");
    text.push_str(&if is_rewritten { format!("{moved}{main}") } else { format!("{main}{moved}") });
    text.push_str("END:VCALENDAR\n");
    text
}

fn any_series() -> impl Strategy<Value = String> {
    let days = || proptest::collection::btree_set(1..4u8, 0..3);
    (0..2u8, 1..3u8, days(), 0..2u8, days(), any::<bool>()).prop_map(
        |(summary, rule, exceptions, alarm, categories, style)| {
            series(summary, rule, &exceptions, alarm, &categories, style)
        },
    )
}

proptest! {
    #[test]
    fn merging_is_fair_complete_and_ends(ours in edits(), theirs in edits(), style in 0..16u8, other_style in 0..16u8) {
        let base = edited(&[], 0);
        let (ours, theirs) = (edited(&ours, style), edited(&theirs, other_style));
        let merged = card_merge(&base, &ours, &theirs);
        let mirrored = card_merge(&base, &theirs, &ours);

        // Both ways round the same fields are joined and the same clash.
        let names = |merge: &Merge| merge.clashes.iter().map(|clash| clash.field.clone()).collect::<Vec<_>>();
        prop_assert_eq!(names(&merged), names(&mirrored));
        prop_assert_eq!(&merged.from_ours, &mirrored.from_theirs);
        if merged.clashes.is_empty() {
            prop_assert_eq!(said(&merged.bytes), said(&mirrored.bytes));
        }

        // Every field of the result is one of theirs or ours, and no edit is forgotten.
        let (base_said, ours_said, theirs_said, result) = (said(base.as_bytes()), said(ours.as_bytes()), said(theirs.as_bytes()), said(&merged.bytes));
        for key in base_said.0.keys().chain(ours_said.0.keys()).chain(theirs_said.0.keys()) {
            let [base, ours, theirs, result] = [&base_said, &ours_said, &theirs_said, &result].map(|said| said.0.get(key));
            let expected = if theirs == base { ours } else { theirs };
            prop_assert_eq!(result, expected, "{}", key);
        }

        // Nothing is left to merge afterwards, and an unchanged side changes nothing.
        let again = merge(Kind::Contact, Format::VCard, &ours_said, ours.as_bytes(), &merged.bytes).expect("it merges again");
        prop_assert_eq!(&again.bytes, &merged.bytes);
        prop_assert_eq!(card_merge(&base, &base, &theirs).bytes, theirs.as_bytes());
        prop_assert_eq!(said(&card_merge(&base, &ours, &base).bytes), ours_said);

        // Lines of theirs that nobody changed are there byte for byte.
        for line in theirs.split_inclusive('\n').filter(|line| line.starts_with("REV") || line.starts_with("UID")) {
            prop_assert!(text(&merged).contains(line));
        }
        let strange_end = if theirs.contains('\r') { '\n' } else { '\r' };
        prop_assert!(!text(&merged).replace("\r\n", "").contains(strange_end));
    }

    #[test]
    fn any_three_versions_of_a_series_merge_into_a_valid_one(base in any_series(), ours in any_series(), theirs in any_series()) {
        let said = |text: &[u8]| fields(Kind::Event, Format::ICalendar, text).expect("a series has fields");
        let (merged, mirrored) = (event_merge(&base, &ours, &theirs), event_merge(&base, &theirs, &ours));
        let [base, ours, theirs] = [&base, &ours, &theirs].map(|text| said(text.as_bytes()));
        let result = said(&merged.bytes);
        for key in base.0.keys().chain(ours.0.keys()).chain(theirs.0.keys()) {
            let [base, ours, theirs, result] = [&base, &ours, &theirs, &result].map(|said| said.0.get(key));
            prop_assert_eq!(result, if theirs == base { ours } else { theirs }, "{}", key);
        }
        if merged.clashes.is_empty() {
            let canon = |merge: &Merge| examine(FolderKind::Calendar, Format::ICalendar, &merge.bytes).canon;
            prop_assert_eq!(canon(&merged), canon(&mirrored));
        }
        // Every zone that is named is defined, once.
        for zone in 1..4 {
            let named = text(&merged).contains(&format!("TZID=Z{zone}:"));
            let defined = text(&merged).matches(&format!("\nTZID:Z{zone}\n")).count();
            prop_assert!(defined == 1 || (!named && defined == 0), "{}", text(&merged));
        }
    }

    #[test]
    fn how_a_card_is_written_makes_no_difference(edits in edits(), style in 0..16u8) {
        let canon = |text: String| examine(FolderKind::Contacts, Format::VCard, text.as_bytes()).canon;
        prop_assert_eq!(canon(edited(&edits, style)), canon(edited(&edits, 0)));
    }

    #[test]
    fn no_bytes_can_make_it_fall_over(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        for format in [Format::Rfc5322, Format::VCard, Format::ICalendar, Format::Text] {
            let examined = examine(FolderKind::Notes, format, &bytes);
            let _ = merge(examined.kind, format, &FieldHashes::default(), &bytes, &bytes);
        }
    }
}

#[test]
fn a_card_without_uid_is_merged_like_any_other_and_stays_without() {
    let base = CARD.replace("UID:1\r\n", "");
    let home =
        base.replace("TEL;TYPE=HOME:01 23", "TEL;TYPE=HOME:01 24").replace("FN:Ann Example", "FN:Ann M. Example");
    let laptop =
        base.replace("TEL;TYPE=HOME:01 23", "TEL;TYPE=HOME:01 25").replace("TYPE=CELL:01 77", "TYPE=CELL:01 78");
    let merged = card_merge(&base, &home, &laptop);
    assert!(merged.clashes.is_empty(), "{merged:?}");
    let said = text(&merged);
    // Both new numbers with their types, the old ones gone.
    for line in
        ["TEL;TYPE=HOME:01 24\r\n", "TEL;TYPE=HOME:01 25\r\n", "TEL;TYPE=CELL:01 78\r\n", "FN:Ann M. Example\r\n"]
    {
        assert!(said.contains(line), "{line} in {said}");
    }
    assert!(!said.contains("01 23") && !said.contains("01 77") && !said.contains("UID"), "{said}");

    let examined = examine(FolderKind::Contacts, Format::VCard, base.as_bytes());
    assert!(!examined.opaque && examined.identity.is_none() && examined.object_uid.is_none());
    let shuffled = base.replace("FN:Ann Example\r\n", "").replace("END:VCARD", "FN:Ann Example\r\nEND:VCARD");
    assert_eq!(examine(FolderKind::Contacts, Format::VCard, shuffled.as_bytes()).canon, examined.canon);
}
