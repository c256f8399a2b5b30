//! What every connector must do, as tests.
//!
//! A connector's tests give a [`Subject`]: the store, and the person who works in it beside Tandem. Each function here
//! is a sentence about behaviour; [`conformance_tests!`](crate::conformance_tests) makes a test of each, [`SENTENCES`] lists
//! them.

use crate::{
    Change, Entry, FolderId, FolderInfo, Href, Intent, Listing, ListingToken, NewContent, Payload, Recovered, Store,
    StoreError, StoreId, Written,
};
use pim::{Component, Flag, Flags, FolderKind, FolderUid, Format, ItemUid, NativeHash};
use serde::Serialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::{Arc, mpsc},
    time::{Duration, Instant},
};

/// A store under test and the person who works in it with other programs.
pub trait Subject {
    /// The store as after a start of the program, not opened yet. `known` is what an earlier [`Store::open`] gave.
    fn store(&mut self, known: Option<&StoreId>) -> Box<dyn Store>;

    /// The kinds of folders the store can hold.
    fn kinds(&self) -> Vec<FolderKind> {
        FolderKind::ALL.to_vec()
    }

    /// Adds an item of the folder's kind.
    fn adds(&mut self, folder: &FolderInfo, name: &str, bytes: &[u8]);

    /// Changes the content of an item that isn't a message.
    fn edits(&mut self, entry: &Entry, bytes: &[u8]);

    /// Removes an item.
    fn deletes(&mut self, entry: &Entry);

    /// Copies an item within its folder.
    fn copies(&mut self, entry: &Entry);

    /// Takes the store away.
    fn vanishes(&mut self);

    /// Leaves an empty place where the store was, as a disk that isn't mounted does.
    fn is_emptied(&mut self);

    /// Puts another store at the place.
    fn is_replaced(&mut self);

    /// Brings the store back after any of the three.
    fn comes_back(&mut self);
}

/// Makes the list of sentences, and the macro that makes a test of each. (`$d` is a dollar for that macro.)
macro_rules! sentences {
    ($d:tt $($sentence:ident)+) => {
        /// A sentence, given a subject with an empty store. It panics where the store doesn't keep it.
        pub type Sentence = fn(&mut dyn Subject);

        /// Every sentence with its name.
        pub const SENTENCES: &[(&str, Sentence)] = &[$((stringify!($sentence), $sentence)),+];

        /// Makes a test of every sentence. The argument is an expression that gives a new subject with an empty store.
        #[macro_export]
        macro_rules! conformance_tests {
            ($d subject:expr) => {
                $(
                    #[test]
                    fn $sentence() {
                        $d crate::conformance::$sentence(&mut $d subject);
                    }
                )+
            };
        }
    };
}

sentences! { $
    the_kinds_it_holds_are_told_and_no_other_is_taken
    a_created_item_is_read_back
    an_item_of_a_kind_the_folder_does_not_hold_is_refused
    an_item_beyond_the_limit_is_refused_by_its_size
    ten_megabytes_come_back_whole
    any_language_goes_into_names_and_contents
    a_series_keeps_its_exceptions_and_its_clock
    a_whole_day_stays_that_day
    a_wrong_clock_hides_no_change
    equal_names_make_two_items
    flags_are_kept_and_change_without_changing_the_content
    new_content_replaces_the_old
    a_message_with_new_content_is_still_one_message
    a_stale_change_is_refused_and_the_edit_stays
    a_stale_flag_is_refused
    an_edit_between_stage_and_commit_wins
    one_refused_change_does_not_stop_its_group
    a_moved_item_is_the_same_in_the_other_folder
    content_and_folder_change_together
    a_deleted_item_is_gone
    nothing_is_visible_before_commit
    after_a_crash_before_commit_nothing_is_left
    after_a_crash_following_commit_everything_is_found
    an_edit_after_the_crash_makes_recovery_unclear
    a_copied_item_is_another_item
    a_store_that_is_gone_is_not_an_empty_one
    an_emptied_store_is_not_an_empty_one
    another_store_at_the_place_is_told
    a_store_keeps_its_identity
    folders_nest_and_come_back_by_name
    a_renamed_folder_keeps_its_mark_and_its_items
    a_folder_moves_with_what_is_inside
    a_folder_does_not_move_into_itself
    only_an_empty_folder_is_deleted
    a_folder_made_twice_is_one
    an_unchanged_folder_is_not_listed_again
    a_token_never_hides_a_change
    news_and_what_was_known_make_a_whole_listing
    two_writers_do_not_overwrite_each_other
    a_persons_change_wakes_the_watch
}

/// How long an unchanged folder may take to be known as unchanged, and a change to be told.
const PATIENCE: Duration = Duration::from_secs(10);

fn opened(subject: &mut dyn Subject) -> Box<dyn Store> {
    let mut store = subject.store(None);
    store.open().expect("a new store opens");
    store
}

fn folder(store: &mut dyn Store, kind: FolderKind, name: &str, number: u8) -> FolderInfo {
    store.create_folder(None, name, kind, FolderUid([number; 16])).expect("a folder is made")
}

/// A kind other than mail, if the store holds one.
fn editable_kind(subject: &dyn Subject) -> Option<FolderKind> {
    subject.kinds().into_iter().find(|kind| *kind != FolderKind::Mail)
}

/// An item of this kind that any store takes.
#[must_use]
pub fn sample(kind: FolderKind, title: &str) -> Vec<u8> {
    let component = match kind {
        FolderKind::Mail => {
            let header = "From: a@example.org\r\nTo: b@example.org\r\nDate: Thu, 1 Jan 2026 10:00:00 +0000";
            return format!("{header}\r\nMessage-ID: <{title}@example.org>\r\n\r\n{title}\r\n").into_bytes();
        }
        FolderKind::Contacts => {
            let card =
                format!("BEGIN:VCARD\r\nVERSION:3.0\r\nUID:{title}\r\nFN:{title}\r\nN:{title};;;;\r\nEND:VCARD\r\n");
            return card.into_bytes();
        }
        FolderKind::Calendar => "VEVENT",
        FolderKind::Tasks => "VTODO",
        FolderKind::Notes => "VJOURNAL",
    };
    format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y//EN\r\nBEGIN:{component}\r\nUID:{title}\r\n\
         DTSTAMP:20260101T100000Z\r\nDTSTART:20260101T100000Z\r\nSUMMARY:{title}\r\nEND:{component}\r\nEND:VCALENDAR\r\n"
    )
    .into_bytes()
}

fn content(kind: FolderKind, bytes: &[u8]) -> NewContent {
    NewContent {
        may_be_linked: false,
        payload: Payload::Memory(Arc::from(bytes)),
        native: NativeHash(*blake3::hash(bytes).as_bytes()),
        format: kind.format(),
        modified: None,
    }
}

fn create(folder: &FolderInfo, name: &str, bytes: &[u8], flags: Flags) -> Change {
    let uid = ItemUid(*blake3::hash(bytes).as_bytes().first_chunk().expect("a hash is longer than a uid"));
    let content = content(folder.kind, bytes);
    Change::Create { uid, folder: folder.id.clone(), content, flags, name: name.to_owned() }
}

fn update(entry: &Entry, content: Option<NewContent>, flags: &Flags, folder: Option<&FolderInfo>) -> Change {
    Change::Update {
        uid: entry.uid.unwrap_or(ItemUid([0; 16])),
        href: entry.href.clone(),
        expect_rev: entry.rev.clone(),
        expect_flags: entry.flags.clone(),
        content,
        flags: flags.clone(),
        folder: folder.map(|folder| folder.id.clone()),
    }
}

fn delete(entry: &Entry) -> Change {
    Change::Delete { href: entry.href.clone(), expect_rev: entry.rev.clone() }
}

fn stage(store: &mut dyn Store, change: Change) -> Intent {
    store.stage(&[change]).remove(0).expect("the change can be staged")
}

fn apply(store: &mut dyn Store, change: Change) -> Result<Option<Entry>, StoreError> {
    let intent = store.stage(&[change]).remove(0)?;
    store.commit(&[intent]).remove(0).map(|written| written.entry)
}

fn added(store: &mut dyn Store, folder: &FolderInfo, name: &str, bytes: &[u8], flags: &[Flag]) -> Entry {
    let flags = Flags(flags.iter().cloned().collect());
    let entry = apply(store, create(folder, name, bytes, flags)).expect("the item can be created");
    entry.expect("a created item is somewhere")
}

fn complete(store: &mut dyn Store, folder: &FolderInfo) -> (Vec<Entry>, ListingToken) {
    match store.list(&folder.id, None).expect("the folder can be listed") {
        Listing::Complete { entries, token } => (entries, token),
        other => panic!("a calm folder is listed completely, not {other:?}"),
    }
}

fn entries(store: &mut dyn Store, folder: &FolderInfo) -> Vec<Entry> {
    complete(store, folder).0
}

fn only_entry(store: &mut dyn Store, folder: &FolderInfo) -> Entry {
    let mut entries = entries(store, folder);
    assert_eq!(entries.len(), 1, "{entries:?}");
    entries.remove(0)
}

fn read(store: &dyn Store, href: &Href) -> Result<Vec<u8>, StoreError> {
    match store.reader().read(href)?.payload {
        Payload::Memory(bytes) => Ok(bytes.to_vec()),
        Payload::File { path, size } => {
            let bytes = std::fs::read(path).expect("a content's file can be read");
            assert_eq!(bytes.len() as u64, size);
            Ok(bytes)
        }
    }
}

/// Whether what is read is what was written, as far as this store promises.
fn assert_holds(store: &dyn Store, entry: &Entry, bytes: &[u8]) {
    let found = read(store, &entry.href).expect("the item can be read");
    if store.caps().verbatim {
        assert!(found == bytes, "{} bytes written, {} read, or others", bytes.len(), found.len());
        assert_eq!(entry.size, bytes.len() as u64);
    } else {
        assert!(!found.is_empty());
    }
}

/// Whether it is what a person wrote there: to the byte, or by its title where the store has its own way of saying it.
fn assert_says(store: &dyn Store, entry: &Entry, kind: FolderKind, bytes: &[u8]) {
    let found = read(store, &entry.href).expect("the edit can be read");
    let title = |bytes: &[u8]| pim::examine(kind, entry.format, bytes).title;
    assert!(found == bytes || !store.caps().verbatim && title(&found) == title(bytes), "not what was written");
}

fn assert_only(store: &mut dyn Store, folder: &FolderInfo, bytes: &[u8]) {
    let entry = only_entry(store, folder);
    assert_holds(store, &entry, bytes);
}

/// A listing shows what the write told, though it may ask to read a file once more that was written just now.
fn assert_listed(store: &mut dyn Store, folder: &FolderInfo, entry: &Entry) {
    let listed = entries(store, folder).into_iter().find(|listed| listed.href == entry.href);
    let listed = listed.expect("a written item is listed");
    let without_rev = |entry: &Entry| Entry { rev: crate::Rev(Vec::new()), ..entry.clone() };
    assert_eq!(without_rev(&listed), without_rev(entry));
}

/// Whoever has something of another kind can know beforehand.
pub fn the_kinds_it_holds_are_told_and_no_other_is_taken(subject: &mut dyn Subject) {
    let mut store = opened(subject);
    let kinds = store.kinds();
    assert_eq!(kinds, subject.kinds());
    for (number, kind) in (1..).zip(FolderKind::ALL) {
        let made = store.create_folder(None, "New", kind, FolderUid([number; 16]));
        match made {
            Ok(folder) => assert!(kinds.contains(&kind) && folder.kind == kind, "{folder:?}"),
            Err(StoreError::Unsupported) => assert!(!kinds.contains(&kind), "{kind:?} is told and not taken"),
            Err(error) => panic!("{kind:?}: {error:?}"),
        }
    }
}

/// Whatever the kind: what was created is there, once.
pub fn a_created_item_is_read_back(subject: &mut dyn Subject) {
    let mut store = opened(subject);
    for (number, kind) in (1..).zip(subject.kinds()) {
        let folder = folder(&mut *store, kind, "First", number);
        assert!(entries(&mut *store, &folder).is_empty());
        let bytes = sample(kind, "one");
        let entry = added(&mut *store, &folder, "one", &bytes, &[]);
        assert_eq!(entry.format, kind.format());
        assert_eq!(only_entry(&mut *store, &folder).href, entry.href);
        assert_listed(&mut *store, &folder, &entry);
        assert_holds(&*store, &entry, &bytes);
        assert_eq!(entry.uid.is_some(), store.caps().holds_uid);
    }
}

/// A message is no contact.
pub fn an_item_of_a_kind_the_folder_does_not_hold_is_refused(subject: &mut dyn Subject) {
    let mut store = opened(subject);
    for (number, kind) in (1..).zip(subject.kinds()) {
        let folder = folder(&mut *store, kind, "Own", number);
        let wrong = if kind == FolderKind::Mail { FolderKind::Contacts } else { FolderKind::Mail };
        let wrong_content = content(wrong, &sample(wrong, "x"));
        let mut change = create(&folder, "x", b"x", Flags::default());
        if let Change::Create { content, .. } = &mut change {
            *content = wrong_content;
        }
        assert!(matches!(apply(&mut *store, change), Err(StoreError::Unsupported)));
        assert!(entries(&mut *store, &folder).is_empty());
    }
}

/// Nothing is read of it first.
pub fn an_item_beyond_the_limit_is_refused_by_its_size(subject: &mut dyn Subject) {
    let mut store = opened(subject);
    let kind = subject.kinds()[0];
    let folder = folder(&mut *store, kind, "Large", 1);
    let size = Payload::SIZE_MAX + 1;
    let mut change = create(&folder, "x", b"x", Flags::default());
    if let Change::Create { content, .. } = &mut change {
        content.payload = Payload::File { path: "/does/not/exist".into(), size };
    }
    let refused = apply(&mut *store, change);
    assert!(matches!(refused, Err(StoreError::TooLarge { size: told }) if told == size), "{refused:?}");
}

/// From a file, as large contents travel; the file stays.
pub fn ten_megabytes_come_back_whole(subject: &mut dyn Subject) {
    let mut store = opened(subject);
    let kind = subject.kinds()[0];
    let folder = folder(&mut *store, kind, "Large", 1);
    let mut bytes = sample(kind, "large");
    // In a message the body may be anything; elsewhere it stays one long, well-formed line per kilobyte.
    let line = format!("X-FILL:{}\r\n", "0123456789abcdef".repeat(4));
    let at =
        if kind == FolderKind::Mail { bytes.len() } else { bytes.windows(4).position(|w| w == b"UID:").unwrap_or(0) };
    let fill = line.repeat(10 * 1024 * 1024 / line.len());
    bytes.splice(at..at, fill.into_bytes());
    let path =
        std::env::temp_dir().join(format!("tandem-conformance-{}-{:p}", std::process::id(), &raw const *subject));
    std::fs::write(&path, &bytes).expect("the temporary folder has room");
    let mut change = create(&folder, "large", &bytes, Flags::default());
    if let Change::Create { content, .. } = &mut change {
        content.payload = Payload::File { path: path.clone(), size: bytes.len() as u64 };
    }
    let entry = apply(&mut *store, change).expect("ten megabytes fit").expect("a created item is somewhere");
    assert_holds(&*store, &entry, &bytes);
    std::fs::remove_file(&path).expect("the caller's file is still there");
}

/// Names and contents in any script.
pub fn any_language_goes_into_names_and_contents(subject: &mut dyn Subject) {
    let mut store = opened(subject);
    for (number, kind) in (1..).zip(subject.kinds()) {
        let name = "Über 日本語 😀 ﷽";
        let folder = folder(&mut *store, kind, name, number);
        assert_eq!(folder.name, name);
        let bytes = sample(kind, "Grüße 漢字 🎉");
        let entry = added(&mut *store, &folder, "Grüße 漢字 🎉", &bytes, &[]);
        assert_holds(&*store, &entry, &bytes);
        assert_listed(&mut *store, &folder, &entry);
    }
}

/// The event of this identity in what is read: `RECURRENCE-ID` ends so, or is missing.
fn occurrence(store: &dyn Store, entry: &Entry, recurrence: Option<&str>) -> Component {
    let bytes = read(store, &entry.href).expect("the event can be read");
    let calendar = pim::components(Format::ICalendar, &bytes).expect("what is read is a calendar");
    let is_it = |event: &&Component| match (event.first("RECURRENCE-ID"), recurrence) {
        (Some(found), Some(wanted)) => found.value.ends_with(wanted),
        (found, wanted) => found.is_none() && wanted.is_none(),
    };
    let events = calendar.into_iter().flat_map(|calendar| calendar.components);
    let events: Vec<Component> = events.filter(|event| event.name == "VEVENT").collect();
    let event = events.iter().find(is_it).unwrap_or_else(|| panic!("{recurrence:?} isn't among {}", events.len()));
    event.clone()
}

/// What a person sees of it: ten o'clock stays ten o'clock, what was moved and what was left out stays so.
pub fn a_series_keeps_its_exceptions_and_its_clock(subject: &mut dyn Subject) {
    if !subject.kinds().contains(&FolderKind::Calendar) {
        return;
    }
    const SERIES: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y//EN\r\n\
        BEGIN:VTIMEZONE\r\nTZID:Europe/Berlin\r\n\
        BEGIN:DAYLIGHT\r\nDTSTART:19700329T020000\r\nRRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU\r\n\
        TZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200\r\nEND:DAYLIGHT\r\n\
        BEGIN:STANDARD\r\nDTSTART:19701025T030000\r\nRRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU\r\n\
        TZOFFSETFROM:+0200\r\nTZOFFSETTO:+0100\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n\
        BEGIN:VEVENT\r\nUID:series\r\nDTSTAMP:20260101T100000Z\r\nDTSTART;TZID=Europe/Berlin:20260316T100000\r\n\
        DTEND;TZID=Europe/Berlin:20260316T110000\r\nRRULE:FREQ=WEEKLY;COUNT=6\r\n\
        EXDATE;TZID=Europe/Berlin:20260330T100000\r\nSUMMARY:Weekly\r\nEND:VEVENT\r\n\
        BEGIN:VEVENT\r\nUID:series\r\nDTSTAMP:20260101T100000Z\r\n\
        RECURRENCE-ID;TZID=Europe/Berlin:20260323T100000\r\nDTSTART;TZID=Europe/Berlin:20260323T150000\r\n\
        DTEND;TZID=Europe/Berlin:20260323T160000\r\nSUMMARY:In the afternoon\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
    let mut store = opened(subject);
    let folder = folder(&mut *store, FolderKind::Calendar, "Series", 1);
    let entry = added(&mut *store, &folder, "series", SERIES.as_bytes(), &[]);
    assert_holds(&*store, &entry, SERIES.as_bytes());
    let master = occurrence(&*store, &entry, None);
    let at = |event: &Component, name: &str| {
        let property = event.first(name).unwrap_or_else(|| panic!("there is no {name}"));
        (property.parameter("TZID").is_some(), property.value.clone())
    };
    assert_eq!(at(&master, "DTSTART"), (true, "20260316T100000".to_owned()));
    assert_eq!(at(&master, "EXDATE"), (true, "20260330T100000".to_owned()));
    let rule = at(&master, "RRULE").1;
    // A number of times may be said by the last day.
    let ends = rule.contains("COUNT=6") || rule.contains("UNTIL=202604");
    assert!(rule.contains("FREQ=WEEKLY") && ends, "{rule}");
    let moved = occurrence(&*store, &entry, Some("20260323T100000"));
    assert_eq!(at(&moved, "DTSTART"), (true, "20260323T150000".to_owned()));
    assert_eq!(at(&moved, "SUMMARY").1, "In the afternoon");
}

/// In every time zone.
pub fn a_whole_day_stays_that_day(subject: &mut dyn Subject) {
    if !subject.kinds().contains(&FolderKind::Calendar) {
        return;
    }
    let mut store = opened(subject);
    let folder = folder(&mut *store, FolderKind::Calendar, "Days", 1);
    let days = "DTSTART;VALUE=DATE:20260704\r\nDTEND;VALUE=DATE:20260706";
    let bytes = String::from_utf8(sample(FolderKind::Calendar, "days")).expect("samples are text");
    let bytes = bytes.replace("DTSTART:20260101T100000Z", days);
    let entry = added(&mut *store, &folder, "days", bytes.as_bytes(), &[]);
    assert_holds(&*store, &entry, bytes.as_bytes());
    let event = occurrence(&*store, &entry, None);
    for (name, day) in [("DTSTART", "20260704"), ("DTEND", "20260706")] {
        assert_eq!(event.first(name).map(|property| &*property.value), Some(day), "{name}");
    }
}

/// What says it was written in the far future or past is compared by what it says, as everything is.
pub fn a_wrong_clock_hides_no_change(subject: &mut dyn Subject) {
    let Some(kind) = editable_kind(subject) else { return };
    let dated = |title: &str, year: &str| {
        let text = String::from_utf8(sample(kind, title)).expect("samples are text");
        let stamp = format!("{year}0101T100000Z");
        let text = text.replace("VERSION:3.0\r\n", &format!("VERSION:3.0\r\nREV:{stamp}\r\n"));
        let stamps = format!("DTSTAMP:{stamp}\r\nLAST-MODIFIED:{stamp}\r\n");
        text.replace("DTSTAMP:20260101T100000Z\r\n", &stamps).into_bytes()
    };
    let mut store = opened(subject);
    let folder = folder(&mut *store, kind, "Clocks", 1);
    let mut change = create(&folder, "item", &dated("first", "2039"), Flags::default());
    if let Change::Create { content, .. } = &mut change {
        content.modified = Some(2_177_452_800);
    }
    let entry = apply(&mut *store, change).expect("the item can be created").expect("a created item is somewhere");
    let mut older = content(kind, &dated("second", "1999"));
    older.modified = Some(915_148_800);
    let change = update(&entry, Some(older), &entry.flags, None);
    let written = apply(&mut *store, change).expect("an older date is no reason").expect("the item is still there");
    assert_says(&*store, &written, kind, &dated("second", "1999"));
    let edited = dated("third", "1990");
    subject.edits(&written, &edited);
    let listed = only_entry(&mut *store, &folder);
    assert_ne!(listed.rev, written.rev, "the edit is hidden");
    assert_says(&*store, &listed, kind, &edited);
}

/// A name is only a wish.
pub fn equal_names_make_two_items(subject: &mut dyn Subject) {
    let mut store = opened(subject);
    for (number, kind) in (1..).zip(subject.kinds()) {
        let folder = folder(&mut *store, kind, "Twins", number);
        let changes: Vec<Change> =
            ["a", "b", "c"].map(|title| create(&folder, "same", &sample(kind, title), Flags::default())).into();
        let intents: Vec<Intent> =
            store.stage(&changes).into_iter().map(|intent| intent.expect("an item can be staged")).collect();
        let written: Vec<Entry> = store
            .commit(&intents)
            .into_iter()
            .filter_map(|written| written.expect("an item can be written").entry)
            .collect();
        assert_eq!(entries(&mut *store, &folder).len(), 3);
        for (entry, title) in written.iter().zip(["a", "b", "c"]) {
            assert_holds(&*store, entry, &sample(kind, title));
        }
    }
}

/// Flags are a message's own.
pub fn flags_are_kept_and_change_without_changing_the_content(subject: &mut dyn Subject) {
    if !subject.kinds().contains(&FolderKind::Mail) {
        return;
    }
    let mut store = opened(subject);
    let folder = folder(&mut *store, FolderKind::Mail, "Flags", 1);
    let bytes = sample(FolderKind::Mail, "flags");
    let entry = added(&mut *store, &folder, "flags", &bytes, &[Flag::Seen, Flag::Keyword("Work".to_owned())]);
    assert_eq!(entry.flags, Flags([Flag::Seen, Flag::Keyword("Work".to_owned())].into()));
    let wanted = Flags([Flag::Answered, Flag::Flagged, Flag::Forwarded, Flag::Keyword("Home".to_owned())].into());
    let after = apply(&mut *store, update(&entry, None, &wanted, None)).expect("flags can change");
    let after = after.expect("the message is still there");
    assert_eq!((&after.flags, &after.href, &after.rev), (&wanted, &entry.href, &entry.rev));
    assert_listed(&mut *store, &folder, &after);
    assert_holds(&*store, &after, &bytes);
    let none = apply(&mut *store, update(&after, None, &Flags::default(), None)).expect("flags can go");
    assert_eq!(none.expect("the message is still there").flags, Flags::default());
}

/// In place, under the same href.
pub fn new_content_replaces_the_old(subject: &mut dyn Subject) {
    let Some(kind) = editable_kind(subject) else { return };
    let mut store = opened(subject);
    let folder = folder(&mut *store, kind, "Edits", 1);
    let entry = added(&mut *store, &folder, "item", &sample(kind, "before"), &[]);
    let bytes = sample(kind, "after");
    let change = update(&entry, Some(content(kind, &bytes)), &entry.flags, None);
    let after = apply(&mut *store, change).expect("content can change").expect("the item is still there");
    assert_eq!(after.href, entry.href);
    assert_ne!(after.rev, entry.rev);
    assert_eq!(only_entry(&mut *store, &folder).href, after.href);
    assert_holds(&*store, &after, &bytes);
}

/// A draft is written again and again.
pub fn a_message_with_new_content_is_still_one_message(subject: &mut dyn Subject) {
    if !subject.kinds().contains(&FolderKind::Mail) {
        return;
    }
    let mut store = opened(subject);
    let folder = folder(&mut *store, FolderKind::Mail, "Drafts of mine", 1);
    let entry = added(&mut *store, &folder, "draft", &sample(FolderKind::Mail, "before"), &[Flag::Draft]);
    let bytes = sample(FolderKind::Mail, "after");
    let change = update(&entry, Some(content(FolderKind::Mail, &bytes)), &entry.flags, None);
    let after = apply(&mut *store, change).expect("a draft can change").expect("the draft is still there");
    assert_eq!(after.flags, entry.flags);
    assert_eq!(only_entry(&mut *store, &folder).href, after.href);
    assert_holds(&*store, &after, &bytes);
}

/// The heart of every write.
pub fn a_stale_change_is_refused_and_the_edit_stays(subject: &mut dyn Subject) {
    let Some(kind) = editable_kind(subject) else { return };
    let mut store = opened(subject);
    let source = folder(&mut *store, kind, "Stale", 1);
    let target = folder(&mut *store, kind, "Elsewhere", 2);
    let entry = added(&mut *store, &source, "item", &sample(kind, "before"), &[]);
    let edited = sample(kind, "edited by a person");
    subject.edits(&entry, &edited);
    let new = Some(content(kind, &sample(kind, "ours")));
    for change in [
        update(&entry, new.clone(), &entry.flags, None),
        update(&entry, new, &entry.flags, Some(&target)),
        update(&entry, None, &entry.flags, Some(&target)),
        delete(&entry),
    ] {
        let refused = apply(&mut *store, change);
        assert!(matches!(refused, Err(StoreError::Changed)), "{refused:?}");
    }
    let now = only_entry(&mut *store, &source);
    assert_says(&*store, &now, kind, &edited);
    assert!(entries(&mut *store, &target).is_empty());
}

/// Flags are believed like contents.
pub fn a_stale_flag_is_refused(subject: &mut dyn Subject) {
    if !subject.kinds().contains(&FolderKind::Mail) {
        return;
    }
    let mut store = opened(subject);
    let folder = folder(&mut *store, FolderKind::Mail, "Flags", 1);
    let entry = added(&mut *store, &folder, "m", &sample(FolderKind::Mail, "m"), &[]);
    let seen = Flags([Flag::Seen].into());
    apply(&mut *store, update(&entry, None, &seen, None)).expect("flags can change");
    let refused = apply(&mut *store, update(&entry, None, &Flags([Flag::Flagged].into()), None));
    assert!(matches!(refused, Err(StoreError::Changed)), "{refused:?}");
    assert_eq!(only_entry(&mut *store, &folder).flags, seen);
}

/// The last look comes after staging.
pub fn an_edit_between_stage_and_commit_wins(subject: &mut dyn Subject) {
    let Some(kind) = editable_kind(subject) else { return };
    let mut store = opened(subject);
    let folder = folder(&mut *store, kind, "Race", 1);
    let entry = added(&mut *store, &folder, "item", &sample(kind, "before"), &[]);
    let intent = stage(&mut *store, update(&entry, Some(content(kind, &sample(kind, "ours"))), &entry.flags, None));
    let edited = sample(kind, "theirs");
    subject.edits(&entry, &edited);
    let refused = store.commit(&[intent]).remove(0);
    assert!(matches!(refused, Err(StoreError::Changed)), "{refused:?}");
    let now = only_entry(&mut *store, &folder);
    assert_says(&*store, &now, kind, &edited);

    let intent = stage(&mut *store, delete(&now));
    subject.deletes(&now);
    let refused = store.commit(&[intent]).remove(0);
    assert!(matches!(refused, Err(StoreError::Changed)), "{refused:?}");
    assert!(entries(&mut *store, &folder).is_empty());
}

/// One result per change, in order.
pub fn one_refused_change_does_not_stop_its_group(subject: &mut dyn Subject) {
    let Some(kind) = editable_kind(subject) else { return };
    let mut store = opened(subject);
    let folder = folder(&mut *store, kind, "Group", 1);
    let stale = added(&mut *store, &folder, "stale", &sample(kind, "stale"), &[]);
    subject.edits(&stale, &sample(kind, "stale edited"));
    let changes = [
        create(&folder, "a", &sample(kind, "a"), Flags::default()),
        delete(&stale),
        create(&folder, "b", &sample(kind, "b"), Flags::default()),
    ];
    let intents: Vec<Intent> =
        store.stage(&changes).into_iter().map(|intent| intent.expect("each can be staged")).collect();
    let results = store.commit(&intents);
    assert!(matches!(&results[..], [Ok(_), Err(StoreError::Changed), Ok(_)]), "{results:?}");
    assert_eq!(entries(&mut *store, &folder).len(), 3);
}

/// Never delete and add.
pub fn a_moved_item_is_the_same_in_the_other_folder(subject: &mut dyn Subject) {
    let mut store = opened(subject);
    for (number, kind) in (1..).zip(subject.kinds()) {
        let source = folder(&mut *store, kind, "From", 2 * number);
        let target = folder(&mut *store, kind, "To", 2 * number + 1);
        let bytes = sample(kind, "moving");
        let flags = if kind == FolderKind::Mail { vec![Flag::Seen, Flag::Keyword("Work".to_owned())] } else { vec![] };
        let entry = added(&mut *store, &source, "item", &bytes, &flags);
        let moved = apply(&mut *store, update(&entry, None, &entry.flags, Some(&target))).expect("an item can move");
        let moved = moved.expect("a moved item is somewhere");
        assert_eq!((&moved.flags, moved.file_id), (&entry.flags, entry.file_id));
        assert!(entries(&mut *store, &source).is_empty());
        assert_listed(&mut *store, &target, &moved);
        assert_holds(&*store, &moved, &bytes);
    }
}

/// One change, one outcome.
pub fn content_and_folder_change_together(subject: &mut dyn Subject) {
    let mut store = opened(subject);
    for (number, kind) in (1..).zip(subject.kinds()) {
        let source = folder(&mut *store, kind, "From", 2 * number);
        let target = folder(&mut *store, kind, "To", 2 * number + 1);
        let entry = added(&mut *store, &source, "item", &sample(kind, "before"), &[]);
        let bytes = sample(kind, "after");
        let change = update(&entry, Some(content(kind, &bytes)), &entry.flags, Some(&target));
        let moved = apply(&mut *store, change).expect("both can change").expect("a moved item is somewhere");
        assert!(entries(&mut *store, &source).is_empty());
        assert_eq!(only_entry(&mut *store, &target).href, moved.href);
        assert_holds(&*store, &moved, &bytes);
    }
}

/// And can't be read.
pub fn a_deleted_item_is_gone(subject: &mut dyn Subject) {
    let mut store = opened(subject);
    for (number, kind) in (1..).zip(subject.kinds()) {
        let folder = folder(&mut *store, kind, "Deleting", number);
        let entry = added(&mut *store, &folder, "item", &sample(kind, "x"), &[]);
        let kept = added(&mut *store, &folder, "kept", &sample(kind, "kept"), &[]);
        assert_eq!(apply(&mut *store, delete(&entry)).expect("an item can be deleted"), None);
        assert_eq!(only_entry(&mut *store, &folder).href, kept.href);
        assert!(matches!(read(&*store, &entry.href), Err(StoreError::NotFound)));
        let again = apply(&mut *store, delete(&entry));
        assert!(matches!(again, Err(StoreError::Changed | StoreError::NotFound)), "{again:?}");
    }
}

/// Staging shows nothing to anybody.
pub fn nothing_is_visible_before_commit(subject: &mut dyn Subject) {
    let mut store = opened(subject);
    for (number, kind) in (1..).zip(subject.kinds()) {
        let folder = folder(&mut *store, kind, "Staged", number);
        let entry = added(&mut *store, &folder, "item", &sample(kind, "before"), &[]);
        let folders_before = store.folders().expect("folders can be listed");
        let new = content(kind, &sample(kind, "after"));
        for change in [
            create(&folder, "new", &sample(kind, "new"), Flags::default()),
            update(&entry, Some(new), &entry.flags, None),
            delete(&entry),
        ] {
            stage(&mut *store, change);
        }
        assert_eq!(only_entry(&mut *store, &folder).href, entry.href);
        assert_holds(&*store, &entry, &sample(kind, "before"));
        assert_eq!(store.folders().expect("folders can be listed"), folders_before);
    }
}

/// The changes that the crash stories are told with: a new item, new content, a move, a deletion, and flags.
fn changes_of_every_sort(
    store: &mut dyn Store,
    kind: FolderKind,
    source: &FolderInfo,
    target: &FolderInfo,
) -> Vec<Change> {
    let names = ["edited", "moved", "deleted", "flagged"];
    let entries = names.map(|name| added(store, source, name, &sample(kind, name), &[]));
    let seen = if kind == FolderKind::Mail { Flags([Flag::Seen].into()) } else { Flags::default() };
    let new = content(kind, &sample(kind, "edited now"));
    vec![
        create(source, "created", &sample(kind, "created"), Flags::default()),
        update(&entries[0], Some(new), &Flags::default(), None),
        update(&entries[1], None, &Flags::default(), Some(target)),
        delete(&entries[2]),
        update(&entries[3], None, &seen, None),
    ]
}

/// Hrefs and contents, sorted.
fn contents(store: &mut dyn Store, folder: &FolderInfo) -> Vec<(Href, Vec<u8>, Flags)> {
    let entries = entries(store, folder);
    let read = |entry: Entry| {
        let bytes = read(store, &entry.href).expect("a listed item can be read");
        (entry.href, bytes, entry.flags)
    };
    entries.into_iter().map(read).collect()
}

/// Not done, said as often as asked; and the next program can do it.
pub fn after_a_crash_before_commit_nothing_is_left(subject: &mut dyn Subject) {
    let mut store = opened(subject);
    for (number, kind) in (1..).zip(subject.kinds()) {
        let source = folder(&mut *store, kind, "Source", 2 * number);
        let target = folder(&mut *store, kind, "Target", 2 * number + 1);
        let changes = changes_of_every_sort(&mut *store, kind, &source, &target);
        let before = (contents(&mut *store, &source), contents(&mut *store, &target));
        let intents: Vec<Intent> =
            store.stage(&changes).into_iter().map(|intent| intent.expect("each can be staged")).collect();
        let id = store.open().expect("the store is there");
        drop(store);

        store = subject.store(Some(&id));
        store.open().expect("the store is still there");
        for recovered in store.recover(&intents[..4]) {
            assert!(matches!(recovered, Recovered::NotDone), "{recovered:?}");
        }
        let again = store.recover(&intents[..4]);
        assert!(again.iter().all(|recovered| !matches!(recovered, Recovered::Done(_))), "{again:?}");
        assert_eq!((contents(&mut *store, &source), contents(&mut *store, &target)), before);
        let written: Vec<_> = changes.into_iter().map(|change| apply(&mut *store, change)).collect();
        assert!(written.iter().all(Result::is_ok), "{written:?}");
    }
}

/// Done, with what the store holds.
pub fn after_a_crash_following_commit_everything_is_found(subject: &mut dyn Subject) {
    let mut store = opened(subject);
    for (number, kind) in (1..).zip(subject.kinds()) {
        let source = folder(&mut *store, kind, "Source", 2 * number);
        let target = folder(&mut *store, kind, "Target", 2 * number + 1);
        let changes = changes_of_every_sort(&mut *store, kind, &source, &target);
        // Where there are no flags the last change is none, and recovery may call it done or not.
        let count = if kind == FolderKind::Mail { 5 } else { 4 };
        let intents: Vec<Intent> =
            store.stage(&changes[..count]).into_iter().map(|intent| intent.expect("each can be staged")).collect();
        let written: Vec<Written> =
            store.commit(&intents).into_iter().map(|written| written.expect("each can be written")).collect();
        let after = (contents(&mut *store, &source), contents(&mut *store, &target));
        let id = store.open().expect("the store is there");
        drop(store);

        store = subject.store(Some(&id));
        store.open().expect("the store is still there");
        for _ in 0..2 {
            for (recovered, written) in store.recover(&intents).iter().zip(&written) {
                let Recovered::Done(found) = recovered else { panic!("{written:?} was done, not {recovered:?}") };
                let href = |written: &Written| written.entry.as_ref().map(|entry| entry.href.clone());
                assert_eq!(href(found), href(written));
            }
        }
        assert_eq!((contents(&mut *store, &source), contents(&mut *store, &target)), after);
    }
}

/// Whose edit it is can't be told, so nobody's is touched.
pub fn an_edit_after_the_crash_makes_recovery_unclear(subject: &mut dyn Subject) {
    let Some(kind) = editable_kind(subject) else { return };
    let mut store = opened(subject);
    let folder = folder(&mut *store, kind, "Unclear", 1);
    let entry = added(&mut *store, &folder, "item", &sample(kind, "before"), &[]);
    let intent = stage(&mut *store, update(&entry, Some(content(kind, &sample(kind, "ours"))), &entry.flags, None));
    let edited = sample(kind, "theirs, longer");
    subject.edits(&entry, &edited);
    let recovered = store.recover(std::slice::from_ref(&intent)).remove(0);
    assert!(matches!(recovered, Recovered::Unclear), "{recovered:?}");
    let now = only_entry(&mut *store, &folder);
    assert_says(&*store, &now, kind, &edited);
}

/// Even if it carries the same uid.
pub fn a_copied_item_is_another_item(subject: &mut dyn Subject) {
    let mut store = opened(subject);
    for (number, kind) in (1..).zip(subject.kinds()) {
        let folder = folder(&mut *store, kind, "Copies", number);
        let bytes = sample(kind, "copied");
        let entry = added(&mut *store, &folder, "item", &bytes, &[]);
        subject.copies(&entry);
        let both = entries(&mut *store, &folder);
        assert_eq!(both.len(), 2);
        assert!(both.iter().any(|listed| listed.href == entry.href));
        both.iter().for_each(|entry| assert_holds(&*store, entry, &bytes));
    }
}

/// An absent store says so instead of listing nothing.
pub fn a_store_that_is_gone_is_not_an_empty_one(subject: &mut dyn Subject) {
    let is_told = |error: &StoreError| matches!(error, StoreError::Unavailable { .. } | StoreError::Program { .. });
    absent(subject, |subject| subject.vanishes(), is_told);
}

/// A disk that isn't mounted leaves an empty folder.
pub fn an_emptied_store_is_not_an_empty_one(subject: &mut dyn Subject) {
    let is_told = |error: &StoreError| matches!(error, StoreError::Unavailable { .. } | StoreError::Replaced);
    absent(subject, |subject| subject.is_emptied(), is_told);
}

/// Another disk at the same place is another store.
pub fn another_store_at_the_place_is_told(subject: &mut dyn Subject) {
    absent(subject, |subject| subject.is_replaced(), |error| matches!(error, StoreError::Replaced));
}

fn absent(subject: &mut dyn Subject, happens: fn(&mut dyn Subject), is_told: fn(&StoreError) -> bool) {
    let mut store = opened(subject);
    let id = store.open().expect("the store is there");
    let kind = subject.kinds()[0];
    let folder = folder(&mut *store, kind, "Kept", 1);
    let bytes = sample(kind, "kept");
    let entry = added(&mut *store, &folder, "item", &bytes, &[]);
    let staged = stage(&mut *store, create(&folder, "new", &sample(kind, "new"), Flags::default()));

    happens(subject);
    let mut started = subject.store(Some(&id));
    for store in [&mut store, &mut started] {
        let told = [
            store.open().err(),
            store.folders().err(),
            store.list(&folder.id, None).err(),
            store.stage(&[delete(&entry)]).remove(0).err(),
            store.commit(std::slice::from_ref(&staged)).remove(0).err(),
            store.create_folder(None, "Other", kind, FolderUid([2; 16])).err(),
        ];
        for (call, error) in told.into_iter().enumerate() {
            let error = error.unwrap_or_else(|| panic!("call {call} says nothing"));
            assert!(is_told(&error), "call {call}: {error:?}");
        }
        let recovered = store.recover(std::slice::from_ref(&staged)).remove(0);
        assert!(matches!(recovered, Recovered::Unclear), "{recovered:?}");
    }

    subject.comes_back();
    assert_eq!(started.open().expect("the store is back"), id);
    assert_only(&mut *started, &folder, &bytes);
}

/// However often it is opened.
pub fn a_store_keeps_its_identity(subject: &mut dyn Subject) {
    let mut store = opened(subject);
    let id = store.open().expect("the store opens again");
    let mut again = subject.store(None);
    assert_eq!(again.open().expect("another program opens it too"), id);
    let mut known = subject.store(Some(&id));
    assert_eq!(known.open().expect("who knows it finds it"), id);
}

/// Parents are listed first.
pub fn folders_nest_and_come_back_by_name(subject: &mut dyn Subject) {
    let mut store = opened(subject);
    for (number, kind) in (1..).zip(subject.kinds()) {
        let outer = folder(&mut *store, kind, "Dr. No / Yes", 3 * number);
        let inner = store
            .create_folder(Some(&outer.id), "a&b: ?", kind, FolderUid([3 * number + 1; 16]))
            .expect("a folder in a folder");
        assert_eq!((&*outer.name, &outer.parent), ("Dr. No / Yes", &None));
        assert_eq!((&*inner.name, inner.parent.as_ref()), ("a&b: ?", Some(&outer.id)));
        let folders = store.folders().expect("folders can be listed");
        let at = |wanted: &FolderInfo| folders.iter().position(|folder| folder == wanted);
        assert!(at(&outer).is_some() && at(&outer) < at(&inner), "{folders:?}");
        let entry = added(&mut *store, &inner, "item", &sample(kind, "deep"), &[]);
        assert_listed(&mut *store, &inner, &entry);
        assert!(entries(&mut *store, &outer).is_empty());
    }
}

/// The mark is the witness.
pub fn a_renamed_folder_keeps_its_mark_and_its_items(subject: &mut dyn Subject) {
    let mut store = opened(subject);
    for (number, kind) in (1..).zip(subject.kinds()) {
        let before = folder(&mut *store, kind, "Before", 2 * number);
        let other = folder(&mut *store, kind, "Taken", 2 * number + 1);
        let bytes = sample(kind, "inside");
        added(&mut *store, &before, "item", &bytes, &[]);
        let after = store.rename_folder(&before.id, None, "After").expect("a folder can be renamed");
        assert_eq!((&*after.name, after.uid), ("After", before.uid));
        assert_only(&mut *store, &after, &bytes);
        // A taken name gets a number; nothing is mixed.
        let suffixed = store.rename_folder(&after.id, None, "Taken").expect("a taken name is no obstacle");
        assert_ne!(suffixed.id, other.id);
        assert_eq!(suffixed.uid, before.uid);
        assert!(entries(&mut *store, &other).is_empty());
        assert_only(&mut *store, &suffixed, &bytes);
    }
}

/// All of it, to any depth.
pub fn a_folder_moves_with_what_is_inside(subject: &mut dyn Subject) {
    let mut store = opened(subject);
    for (number, kind) in (1..).zip(subject.kinds()) {
        let uid = |index: u8| FolderUid([4 * number + index; 16]);
        let a = store.create_folder(None, "A", kind, uid(0)).expect("a folder is made");
        let b = store.create_folder(Some(&a.id), "B", kind, uid(1)).expect("a folder is made");
        let c = store.create_folder(Some(&b.id), "C", kind, uid(2)).expect("a folder is made");
        let target = store.create_folder(None, "Target", kind, uid(3)).expect("a folder is made");
        let bytes = sample(kind, "deep inside");
        added(&mut *store, &c, "item", &bytes, &[]);
        let moved = store.rename_folder(&b.id, Some(&target.id), "B").expect("a folder can move");
        assert_eq!((moved.parent.as_ref(), moved.uid), (Some(&target.id), Some(uid(1))));
        let folders = store.folders().expect("folders can be listed");
        let inside = folders.iter().find(|folder| folder.uid == Some(uid(2))).expect("what was inside is there");
        assert_eq!(inside.parent.as_ref(), Some(&moved.id));
        assert_only(&mut *store, inside, &bytes);
        assert!(!folders.iter().any(|folder| folder.parent.as_ref() == Some(&a.id)));
    }
}

/// That would be a ring.
pub fn a_folder_does_not_move_into_itself(subject: &mut dyn Subject) {
    let mut store = opened(subject);
    for (number, kind) in (1..).zip(subject.kinds()) {
        let outer = folder(&mut *store, kind, "Outer", 2 * number);
        let inner = store
            .create_folder(Some(&outer.id), "Inner", kind, FolderUid([2 * number + 1; 16]))
            .expect("a folder in a folder");
        let before = store.folders().expect("folders can be listed");
        assert!(store.rename_folder(&outer.id, Some(&inner.id), "Outer").is_err());
        assert!(store.rename_folder(&outer.id, Some(&outer.id), "Outer").is_err());
        assert_eq!(store.folders().expect("folders can be listed"), before);
    }
}

/// Items and folders hold it.
pub fn only_an_empty_folder_is_deleted(subject: &mut dyn Subject) {
    let mut store = opened(subject);
    for (number, kind) in (1..).zip(subject.kinds()) {
        let outer = folder(&mut *store, kind, "Outer", 2 * number);
        let inner = store
            .create_folder(Some(&outer.id), "Inner", kind, FolderUid([2 * number + 1; 16]))
            .expect("a folder in a folder");
        subject.adds(&inner, "item", &sample(kind, "x"));
        assert!(matches!(store.delete_folder(&outer.id), Err(StoreError::Changed)));
        assert!(matches!(store.delete_folder(&inner.id), Err(StoreError::Changed)));
        let listed = store.folders().expect("folders can be listed");
        assert!(listed.iter().any(|folder| folder.uid == inner.uid), "a refused deletion leaves the mark");
        let entry = only_entry(&mut *store, &inner);
        apply(&mut *store, delete(&entry)).expect("an item can be deleted");
        store.delete_folder(&inner.id).expect("an empty folder can be deleted");
        store.delete_folder(&outer.id).expect("an empty folder can be deleted");
        let left = store.folders().expect("folders can be listed");
        assert!(!left.iter().any(|folder| folder.id == outer.id || folder.id == inner.id));
    }
}

/// After a crash the same folder is asked for again.
pub fn a_folder_made_twice_is_one(subject: &mut dyn Subject) {
    let mut store = opened(subject);
    for (number, kind) in (1..).zip(subject.kinds()) {
        let first = folder(&mut *store, kind, "Same", 2 * number);
        let again = folder(&mut *store, kind, "Same", 2 * number);
        assert_eq!(first, again);
        let other = store.create_folder(None, "Same", kind, FolderUid([2 * number + 1; 16]));
        assert!(matches!(other, Err(StoreError::Changed)), "another folder of this name must be paired first");
    }
}

/// A folder at rest costs nothing.
pub fn an_unchanged_folder_is_not_listed_again(subject: &mut dyn Subject) {
    let mut store = opened(subject);
    let mut folders = Vec::new();
    for (number, kind) in (1..).zip(subject.kinds()) {
        let folder = folder(&mut *store, kind, "Resting", number);
        added(&mut *store, &folder, "item", &sample(kind, "x"), &[]);
        let token = complete(&mut *store, &folder).1;
        folders.push((folder, token));
    }
    let started = Instant::now();
    for (folder, token) in &mut folders {
        loop {
            match store.list(&folder.id, Some(token)).expect("the folder can be listed") {
                Listing::Unchanged => break,
                Listing::Complete { token: newer, .. } | Listing::Changed { token: newer, .. } => *token = newer,
                partial @ Listing::Partial { .. } => panic!("{partial:?}"),
            }
            assert!(started.elapsed() < PATIENCE, "the folder never comes to rest");
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

/// However soon after the listing.
pub fn a_token_never_hides_a_change(subject: &mut dyn Subject) {
    let mut store = opened(subject);
    for (number, kind) in (1..).zip(subject.kinds()) {
        let folder = folder(&mut *store, kind, "Busy", number);
        let mut token = complete(&mut *store, &folder).1;
        for count in 1..=20 {
            subject.adds(&folder, &format!("item{count}"), &sample(kind, &format!("{count}")));
            match store.list(&folder.id, Some(&token)).expect("the folder can be listed") {
                Listing::Complete { entries, token: newer } => {
                    assert_eq!(entries.len(), count);
                    token = newer;
                }
                Listing::Changed { entries, token: newer } => {
                    assert!((1..=count).contains(&entries.len()), "{entries:?}");
                    token = newer;
                }
                other => panic!("the new item is hidden: {other:?}"),
            }
        }
        if kind != FolderKind::Mail {
            let entry = entries(&mut *store, &folder).remove(0);
            subject.edits(&entry, &sample(kind, "edited"));
            let listing = store.list(&folder.id, Some(&token)).expect("the folder can be listed");
            let Listing::Complete { entries, .. } = listing else { panic!("the edit is hidden: {listing:?}") };
            assert!(entries.iter().any(|listed| listed.href == entry.href && listed.rev != entry.rev));
        }
    }
}

/// Whoever adds what is new to what was there knows what a whole listing says, whoever made the changes.
pub fn news_and_what_was_known_make_a_whole_listing(subject: &mut dyn Subject) {
    let mut store = opened(subject);
    let id = store.open().expect("an open store opens");
    for (number, kind) in (1..).zip(subject.kinds()) {
        let folder = folder(&mut *store, kind, "Lively", number);
        let (mut known, mut token) = (BTreeMap::<Href, Entry>::new(), None);
        for step in 0..40_usize {
            let other = known.values().nth(step / 2 % known.len().max(1)).cloned();
            match (step % 7, other) {
                (0 | 3, _) | (_, None) => {
                    subject.adds(&folder, &format!("s{step}"), &sample(kind, &format!("s{step}")))
                }
                (1, _) => {
                    added(&mut *store, &folder, &format!("o{step}"), &sample(kind, &format!("o{step}")), &[]);
                }
                (2, Some(entry)) => {
                    let flags = if entry.flags.0.is_empty() { Flags([Flag::Seen].into()) } else { Flags::default() };
                    apply(&mut *store, update(&entry, None, &flags, None)).expect("flags can be set");
                }
                (4, Some(entry)) => drop(apply(&mut *store, delete(&entry)).expect("it can be deleted")),
                (5, Some(entry)) => subject.deletes(&entry),
                // Made and removed between two listings; and nothing at all.
                (_, Some(_)) if step % 2 == 0 => {
                    let bytes = sample(kind, &format!("g{step}"));
                    subject.deletes(&added(&mut *store, &folder, &format!("g{step}"), &bytes, &[]));
                }
                (_, Some(_)) => {}
            }
            match store.list(&folder.id, token.as_ref()).expect("the folder can be listed") {
                Listing::Unchanged => {}
                Listing::Changed { entries, token: newer } => {
                    known.extend(entries.into_iter().map(|entry| (entry.href.clone(), entry)));
                    token = Some(newer);
                }
                Listing::Complete { entries, token: newer } => {
                    known = entries.into_iter().map(|entry| (entry.href.clone(), entry)).collect();
                    token = Some(newer);
                }
                partial @ Listing::Partial { .. } => panic!("a calm folder is listed completely, not {partial:?}"),
            }
            let mut fresh = subject.store(Some(&id));
            fresh.open().expect("the store is there");
            let whole: BTreeSet<Href> = entries(&mut *fresh, &folder).into_iter().map(|entry| entry.href).collect();
            // What was removed through the store needn't be told.
            known.retain(|href, _| whole.contains(href) || step % 7 != 4);
            assert_eq!(known.keys().cloned().collect::<BTreeSet<_>>(), whole, "{kind:?}, step {step}");
            let flags = entries(&mut *fresh, &folder).into_iter().map(|entry| (entry.href, entry.flags));
            let known = known.iter().map(|(href, entry)| (href.clone(), entry.flags.clone()));
            assert_eq!(known.collect::<Vec<_>>(), flags.collect::<Vec<_>>(), "{kind:?}, step {step}");
        }
    }
}

/// Two programs with the same plan: one of them must hear "no".
pub fn two_writers_do_not_overwrite_each_other(subject: &mut dyn Subject) {
    let mut first = opened(subject);
    let mut second = opened(subject);
    for (number, kind) in (1..).zip(subject.kinds()) {
        let source = folder(&mut *first, kind, "Shared", 2 * number);
        let target = folder(&mut *first, kind, "Aside", 2 * number + 1);
        let entry = added(&mut *first, &source, "item", &sample(kind, "before"), &[]);
        let seen = only_entry(&mut *second, &source);
        let ours = stage(&mut *first, update(&entry, None, &entry.flags, Some(&target)));
        let theirs = stage(&mut *second, delete(&seen));
        let moved = first.commit(&[ours]).remove(0).expect("the first writer succeeds").entry;
        let refused = second.commit(&[theirs]).remove(0);
        assert!(matches!(refused, Err(StoreError::Changed)), "{refused:?}");
        let moved = moved.expect("a moved item is somewhere");
        assert_holds(&*first, &moved, &sample(kind, "before"));
        assert!(entries(&mut *second, &source).is_empty());
    }
}

/// Soon, and never after the watch has ended.
pub fn a_persons_change_wakes_the_watch(subject: &mut dyn Subject) {
    let mut store = opened(subject);
    let kind = subject.kinds()[0];
    let folder = folder(&mut *store, kind, "Watched", 1);
    let (sender, woken) = mpsc::channel();
    let wake = move |hint: Option<FolderId>| drop(sender.send(hint));
    let watch = store.watch(Box::new(wake)).expect("the store can be watched");
    // What led up to the watch may still be told.
    while woken.recv_timeout(Duration::from_millis(200)).is_ok() {}
    subject.adds(&folder, "item", &sample(kind, "x"));
    let hint = woken.recv_timeout(PATIENCE).expect("a change is told");
    assert!(hint.is_none() || hint.as_ref() == Some(&folder.id), "{hint:?}");
    drop(watch);
    while woken.recv_timeout(Duration::from_millis(200)).is_ok() {}
    subject.adds(&folder, "other", &sample(kind, "y"));
    assert!(woken.recv_timeout(Duration::from_millis(200)).is_err(), "an ended watch tells nothing");
}

/// How fast a store is. Durations in milliseconds.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Figures {
    /// What was measured with.
    pub kind: FolderKind,
    /// How many of them.
    pub count: usize,
    /// Writing all, in groups of 200.
    pub writing_ms: f64,
    /// Listing all.
    pub listing_ms: f64,
    /// Listing them again, unchanged.
    pub unchanged_ms: f64,
    /// Reading each.
    pub reading_ms: f64,
    /// Writing one edit.
    pub edit_ms: f64,
}

impl fmt::Display for Figures {
    #[allow(clippy::cast_precision_loss)] // Items a second.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rate = |millis: f64| self.count as f64 * 1e3 / millis.max(0.001);
        writeln!(f, "{} items ({:?})", self.count, self.kind)?;
        for (what, millis) in [("written", self.writing_ms), ("listed", self.listing_ms), ("read", self.reading_ms)] {
            writeln!(f, "  {what:<17} {millis:>9.1} ms, {:.0} a second", rate(millis))?;
        }
        writeln!(f, "  listed unchanged  {:>9.1} ms", self.unchanged_ms)?;
        writeln!(f, "  one edit          {:>9.1} ms", self.edit_ms)
    }
}

/// Measures a store that holds such items. They stay in a folder called "Figures".
pub fn figures(store: &mut dyn Store, kind: FolderKind, count: usize) -> Figures {
    let timed = |act: &mut dyn FnMut()| {
        let begun = Instant::now();
        act();
        begun.elapsed().as_secs_f64() * 1e3
    };
    let item = |number: usize| {
        let text = String::from_utf8(sample(kind, &format!("item{number}"))).expect("samples are text");
        // As much as people write about each other.
        let more = "TEL;TYPE=CELL:+49 30 1234\r\nEMAIL:someone@example.org\r\nNOTE:What one writes about people\r\n";
        text.replace("END:VCARD", &format!("{more}END:VCARD")).into_bytes()
    };
    store.open().expect("the store is there");
    let folder = folder(store, kind, "Figures", 99);
    let changes: Vec<Change> =
        (0..count).map(|number| create(&folder, &format!("item{number}"), &item(number), Flags::default())).collect();
    let writing_ms = timed(&mut || {
        for group in changes.chunks(200) {
            let intents: Vec<Intent> =
                store.stage(group).into_iter().map(|intent| intent.expect("an item can be staged")).collect();
            assert!(store.commit(&intents).iter().all(Result::is_ok), "an item couldn't be written");
        }
    });
    let mut listed = Vec::new();
    let listing_ms = timed(&mut || listed = entries(store, &folder));
    assert_eq!(listed.len(), count);
    let reading_ms = timed(&mut || {
        let reader = store.reader();
        listed.iter().for_each(|entry| drop(reader.read(&entry.href).expect("a listed item can be read")));
    });
    let mut unchanged_ms = 0.0;
    let (mut token, begun) = (complete(store, &folder).1, Instant::now());
    let mut is_unchanged = false;
    while !is_unchanged && begun.elapsed() < PATIENCE {
        unchanged_ms = timed(&mut || match store.list(&folder.id, Some(&token)).expect("the folder can be listed") {
            Listing::Complete { token: newer, .. } | Listing::Changed { token: newer, .. } => token = newer,
            Listing::Unchanged | Listing::Partial { .. } => is_unchanged = true,
        });
    }
    let entry = entries(store, &folder).remove(0);
    let edited = content(kind, &item(count));
    let edit_ms = timed(&mut || {
        apply(store, update(&entry, Some(edited.clone()), &entry.flags, None)).expect("an item can be edited");
    });
    Figures { kind, count, writing_ms, listing_ms, unchanged_ms, reading_ms, edit_ms }
}
