//! Everything that reads bytes of others, each with samples to begin from. Fuzzing (`fuzz/`) and the replay in `npm test`
//! share this list. A reader falls over, never ends or takes too much memory only by a mistake of ours.

use bytes::Bytes;
use directory::{Challenge, ChangeRequest, Info, LookupAnswer, LookupRequest, Operation, Refusal};
use identity::{
    Hint, HostPort, IdentityKey, Invitation, KeyChange, Salt, ServerId, ServerName, ServerRecord, ServiceId,
};
use pim::{CanonHash, FieldHashes, Flag, Flags, FolderKind, FolderUid, Format, ItemUid, Kind, NativeHash, PairingKey};
use std::{
    fs,
    io::{Cursor, Write},
    path::Path,
};
use stores::{
    import,
    mapi::{self, Message, Zone},
    pst::Pst,
};
use sync::{
    model::{
        Conflict, ConflictId, Epoch, FolderState, ItemState, LogMark, ReplicaId, Row, RowBody, Seq, Subject, Tombstone,
        Version,
    },
    wire::{Answer, Answers, Change, Frame, Hello, Outcome, Proposal, Refusal as No, Rows, Want, Welcome},
};

/// One that reads bytes of others.
pub(crate) struct Reader {
    /// As the target in `fuzz/` is called.
    pub(crate) name: &'static str,
    /// Reads them. Panics if what came out isn't what it has to be.
    pub(crate) read: fn(&[u8]),
    /// What it takes, or nearly.
    pub(crate) samples: fn() -> Vec<Vec<u8>>,
    /// How many altered samples `npm test` tries: some take longer than others.
    pub(crate) tries: usize,
}

/// All of them.
pub(crate) const READERS: [Reader; 9] = [
    Reader { name: "frame", read: frame, samples: frame_samples, tries: 100_000 },
    Reader { name: "content", read: content, samples: content_samples, tries: 50_000 },
    Reader { name: "link", read: net::foreign::read, samples: net::foreign::samples, tries: 20_000 },
    Reader { name: "invitation", read: invitation, samples: invitation_samples, tries: 8_000 },
    Reader { name: "directory", read: directory, samples: directory_samples, tries: 20_000 },
    Reader { name: "item", read: item, samples: item_samples, tries: 1_500 },
    Reader { name: "merge", read: merge, samples: merge_samples, tries: 2_000 },
    Reader { name: "msg", read: msg, samples: msg_samples, tries: 200 },
    Reader { name: "import", read: import, samples: import_samples, tries: 500 },
];

/// What a peer says: `sync::wire`.
fn frame(bytes: &[u8]) {
    if let Ok(frame) = Frame::decode(bytes) {
        assert_eq!(Frame::decode(&frame.encode()), Ok(frame));
    }
}

fn frame_samples() -> Vec<Vec<u8>> {
    let (folder, item) = (FolderUid([1; 16]), ItemUid([2; 16]));
    let native = NativeHash([4; 32]);
    let version = Version { canon: CanonHash([3; 32]), rule: 1, native, format: Format::VCard, size: 300 };
    let state = ItemState {
        kind: Kind::Contact,
        folder,
        version,
        flags: Flags([Flag::Seen, Flag::Keyword("Kunde".to_owned())].into_iter().collect()),
        name: "Änne Müller.vcf".to_owned(),
        identity: Some(PairingKey([5; 16])),
        lookalikes: vec![PairingKey([6; 16]), PairingKey([7; 16])],
    };
    let inbox = FolderState {
        kind: FolderKind::Mail,
        parent: Some(folder),
        name: "Inbox".to_owned(),
        special_use: Some(pim::SpecialUse::Inbox),
    };
    let conflict = Conflict {
        item,
        loser: state.clone(),
        fields: vec!["TEL".to_owned(), "NOTE".to_owned()],
        made_by: ReplicaId([8; 16]),
        at: 1_790_000_000,
    };
    let tombstone = Tombstone { folder, canon: CanonHash([3; 32]), identity: None, at: 1_790_000_000, approved: true };
    let mark = LogMark { seq: Seq(300), hash: [9; 16] };
    let subjects = [Subject::Folder(folder), Subject::Item(item), Subject::Conflict(ConflictId([10; 16]))];
    let bodies = [
        RowBody::Folder(inbox.clone()),
        RowBody::Item(state.clone()),
        RowBody::Conflict(conflict.clone()),
        RowBody::ItemGone(tombstone),
        RowBody::ItemElsewhere(folder),
        RowBody::FolderGone,
    ];
    let rows: Vec<Row> = (1..)
        .zip(bodies)
        .map(|(seq, body)| Row { seq: Seq(seq * 100), subject: subjects[seq as usize % 3], body })
        .collect();
    let changes = [
        Change::Item { state, planned_at: Seq(299) },
        Change::ItemGone { approved: false },
        Change::Folder(inbox),
        Change::FolderGone,
        Change::Conflict(conflict),
        Change::ConflictResolved,
    ];
    let proposals = changes.map(|change| Proposal { subject: subjects[1], parent: Seq(7), change });
    let outcomes = [
        Outcome::Accepted(Seq(301)),
        Outcome::Stale(rows.get(1).cloned()),
        Outcome::NeedContent(native),
        Outcome::MayBeTwin,
        Outcome::SameFolder(folder),
        Outcome::Held,
        Outcome::Refused(No::Malformed),
    ];
    let answers = outcomes.map(|outcome| Answer { subject: subjects[0], outcome });
    let cursor = sync::model::Cursor { epoch: Epoch([11; 16]), seq: Seq(250), mark };
    let frames = [
        Frame::Hello(Hello {
            minor: 0,
            canon_rule: 1,
            replica: ReplicaId([8; 16]),
            cursor: Some(cursor),
            stamp: Some([12; 16]),
        }),
        Frame::Welcome(Welcome {
            minor: 0,
            canon_rule: 1,
            epoch: Epoch([11; 16]),
            anew: false,
            stamp: [12; 16],
            is_reading: true,
        }),
        Frame::StampSaved,
        Frame::Rows(Rows { rows, upto: Seq(600), mark, is_head: true, is_reading: false }),
        Frame::Propose(proposals.into()),
        Frame::Answers(Answers { answers: answers.into(), mark }),
        Frame::Withdraw(subjects.into()),
        Frame::Want(vec![Want { item, native, offset: 1 << 20 }; 3]),
        Frame::CannotServe(vec![native; 3]),
        Frame::Restore(vec![item; 3]),
        Frame::Settled(Seq(600)),
        Frame::RestoreHeld(folder),
        Frame::Restored(vec![item; 3]),
        Frame::Program("0.1.0".into()),
    ];
    frames.iter().map(Frame::encode).collect()
}

/// What a peer sends beside its frames.
fn content(bytes: &[u8]) {
    use app::engine::record::{PART_MAX, Record};
    if let Ok(record) = Record::read(&Bytes::copy_from_slice(bytes)) {
        assert!(record.data.len() <= PART_MAX && record.offset + record.data.len() as u64 <= record.total);
    }
}

fn content_samples() -> Vec<Vec<u8>> {
    use app::engine::record::write;
    let mail = b"From: anna@example.org\r\nSubject: Monday\r\n\r\nSee you on Monday. ".repeat(20);
    let hash = |data: &[u8]| NativeHash(*blake3::hash(data).as_bytes());
    let whole = |data: &[u8], packs| write(hash(data), data.len() as u64, 0, data, packs);
    let last = write(hash(b""), 3 << 20, (3 << 20) - mail.len() as u64, &mail, true);
    vec![whole(&mail, false), whole(&mail, true), last, whole(b"short", true), whole(b"", false)]
}

/// Files, links and IDs that people are given.
fn invitation(bytes: &[u8]) {
    drop(Invitation::parse(bytes));
    if let Ok(record) = ServerRecord::read(bytes) {
        assert!(record.name.as_str().len() <= bytes.len());
    }
    if let Some(change) = bytes.first_chunk().and_then(|bytes| KeyChange::from_bytes(bytes).ok()) {
        assert_eq!(change.to_bytes(), bytes[..KeyChange::LEN]);
    }
    let text = String::from_utf8_lossy(bytes);
    drop((Invitation::parse_link(&text), identity::find_in_text(&text), Hint::parse(&text), HostPort::parse(&text)));
    if let Ok(id) = ServerId::parse(&text) {
        assert_eq!(ServerId::parse(&id.to_string()), Ok(id));
    }
    drop(directory::DirectoryUrl::parse(&text));
}

fn office() -> IdentityKey {
    IdentityKey::from_seed(&[1; 32])
}

fn record() -> ServerRecord {
    ServerRecord {
        name: ServerName::parse("Office PC").expect("a name"),
        comment: None,
        public_key: office().public(),
        service_id: ServiceId::from_bytes([2; 16]),
        salt: Salt::from_bytes([3; 16]),
    }
}

fn invitation_samples() -> Vec<Vec<u8>> {
    let key = office();
    let name = ServerName::parse("Office PC").expect("a name");
    let created = identity::Timestamp::from_unix_secs(1_790_000_000);
    let mut invitation = Invitation::new(key.public(), ServiceId::from_bytes([2; 16]), name, created);
    invitation.hints =
        ["203.0.113.7:41234", "[2001:db8::1]:41234"].iter().filter_map(|hint| Hint::parse(hint)).collect();
    invitation.rendezvous = vec![identity::Rendezvous {
        address: HostPort::parse("rdv.example:41235").expect("a place"),
        key: key.public(),
    }];
    let link = invitation.to_link(&key).expect("short enough");
    let letter = format!("Hello,\n\nplease click {link}\nor type CVWW-PTSP-HJPB-J8J2.\n");
    vec![
        invitation.to_file(&key).expect("within its bounds"),
        link.into_bytes(),
        letter.into_bytes(),
        b"CVWW-PTSP-HJPB-J8J2".to_vec(),
        record().sign(&key).expect("its own key"),
        KeyChange::sign(&key, &IdentityKey::from_seed(&[2; 32]).public(), 7).to_bytes().to_vec(),
        b"https://directory.example:8443".to_vec(),
        b"host.example:41234".to_vec(),
    ]
}

/// What is said between a computer and a directory.
fn directory(bytes: &[u8]) {
    if let Ok(request) = serde_json::from_slice::<ChangeRequest>(bytes) {
        for operation in [Operation::Publish, Operation::Refresh, Operation::Revoke] {
            drop(request.verify(operation, "directory.example"));
        }
    }
    drop(serde_json::from_slice::<LookupRequest>(bytes));
    drop(serde_json::from_slice::<Challenge>(bytes));
    drop(serde_json::from_slice::<Info>(bytes));
    drop(serde_json::from_slice::<Refusal>(bytes));
    drop(serde_json::from_slice::<LookupAnswer>(bytes));
}

fn directory_samples() -> Vec<Vec<u8>> {
    let key = office();
    let id = ServerId::parse("CVWW-PTSP-HJPB-J8J2").expect("an ID");
    let challenge = || Challenge { challenge: "AAAAAGq2Zu8AAQIDBAUGBwgJCgsMDQ4P".to_owned() };
    let signed = record().sign(&key).expect("its own key");
    let publish = ChangeRequest::publish(&record(), &key, 1, "directory.example", challenge()).expect("its own key");
    let said = [
        serde_json::to_vec(&publish),
        serde_json::to_vec(&ChangeRequest::refresh(id, &key, 2, "directory.example", challenge())),
        serde_json::to_vec(&ChangeRequest::revoke(id, &key, 3, "directory.example", challenge())),
        serde_json::to_vec(&LookupAnswer::new(&signed)),
        Ok(br#"{"serverId":"CVWW-PTSP-HJPB-J8J2"}"#.to_vec()),
        Ok(br#"{"error":"not_found"}"#.to_vec()),
        Ok(br#"{"rendezvous":[{"address":"rdv.example:41235","key":"iojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1w"}]}"#
            .to_vec()),
    ];
    said.into_iter().map(|json| json.expect("all of it is JSON")).collect()
}

const SHAPES: [(FolderKind, Format, Kind); 6] = [
    (FolderKind::Mail, Format::Rfc5322, Kind::Message),
    (FolderKind::Contacts, Format::VCard, Kind::Contact),
    (FolderKind::Calendar, Format::ICalendar, Kind::Event),
    (FolderKind::Tasks, Format::ICalendar, Kind::Task),
    (FolderKind::Notes, Format::ICalendar, Kind::Note),
    (FolderKind::Notes, Format::Markdown, Kind::Note),
];

/// Mail, contacts, calendars and notes, of other people and of other programs; the first byte chooses which.
fn item(bytes: &[u8]) {
    let Some((which, bytes)) = bytes.split_first() else { return };
    let (folder, format, kind) = SHAPES[usize::from(*which) % SHAPES.len()];
    let examined = pim::examine(folder, format, bytes);
    let mut in_pieces = pim::Examiner::new(folder, format);
    bytes.chunks(7).for_each(|piece| in_pieces.update(piece));
    assert!(in_pieces.finish() == examined, "read in pieces it is another item");
    assert!(examined.lookalikes.len() <= 8 && examined.title.chars().count() <= 200);
    drop((pim::describe(kind, format, bytes), pim::components(format, bytes), pim::fields(kind, format, bytes)));
    if let Ok(message) = mapi::from_item(folder, format, bytes, &Flags::default(), &Zone::utc()) {
        drop(mapi::to_item(&message));
    }
}

fn corpus(folder: &str, bytes_max: usize) -> Vec<Vec<u8>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/corpus").join(folder);
    let mut paths: Vec<_> =
        fs::read_dir(path).expect("the corpus").filter_map(Result::ok).map(|file| file.path()).collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).expect("the corpus")).filter(|bytes| bytes.len() <= bytes_max).collect()
}

fn item_samples() -> Vec<Vec<u8>> {
    let of = |which: u8, files: Vec<Vec<u8>>| files.into_iter().map(move |file| [&[which], &file[..]].concat());
    of(0, corpus("eml", 20_000))
        .chain(of(1, corpus("vcf", 20_000)))
        .chain((2..5).flat_map(|which| of(which, corpus("ics", 20_000))))
        .chain([b"\x05# Shopping\n\n- bread\n- cheese\n".to_vec()])
        .collect()
}

/// Parts the three states of an item.
const BETWEEN: u8 = 0;

/// Two edits of one item.
fn merge(bytes: &[u8]) {
    let Some((which, bytes)) = bytes.split_first() else { return };
    let (_, format, kind) = SHAPES[usize::from(*which) % SHAPES.len()];
    let mut states = bytes.splitn(3, |byte| *byte == BETWEEN);
    let (Some(base), Some(ours), Some(theirs)) = (states.next(), states.next(), states.next()) else { return };
    let base = pim::fields(kind, format, base).unwrap_or_else(|| FieldHashes(Default::default()));
    if let Some(merged) = pim::merge(kind, format, &base, ours, theirs) {
        if merged.from_ours.is_empty() {
            assert!(merged.bytes == theirs, "nothing of ours went in, and still it isn't theirs");
        }
        assert!(merged.bytes.len() <= ours.len() + theirs.len() + 1024);
    }
}

fn merge_samples() -> Vec<Vec<u8>> {
    let cards = corpus("vcf", 10_000).into_iter().map(|card| (1, card, "END:VCARD", "NOTE:mine\r\nEND:VCARD"));
    let events = corpus("ics", 10_000).into_iter().map(|event| (2, event, "END:VEVENT", "LOCATION:here\r\nEND:VEVENT"));
    cards
        .chain(events)
        .map(|(which, base, from, to)| {
            let text = String::from_utf8_lossy(&base);
            let (ours, theirs) = (text.replace(from, to), text.replace('e', "E"));
            [&[which], &base[..], &[BETWEEN], ours.as_bytes(), &[BETWEEN], theirs.as_bytes()].concat()
        })
        .collect()
}

/// Outlook's items as files.
fn msg(bytes: &[u8]) {
    let Ok(message) = Message::from_msg(bytes) else { return };
    if let Ok(item) = mapi::to_item(&message) {
        for (folder, format, _) in SHAPES.iter().filter(|(_, format, _)| *format == item.format) {
            drop(mapi::from_item(*folder, *format, &item.bytes, &item.flags, &Zone::utc()));
        }
    }
    drop(message.to_msg());
}

fn msg_samples() -> Vec<Vec<u8>> {
    corpus("msg", 200_000)
}

/// Data files of other programs: Outlook's, mailboxes, address books and calendars in one file.
fn import(bytes: &[u8]) {
    if bytes.starts_with(b"!BDN") {
        let Ok(mut pst) = Pst::open(Cursor::new(bytes)) else { return };
        let items: Vec<u32> = pst.folders().into_iter().flat_map(|folder| folder.items).take(50).collect();
        for item in items {
            drop(pst.message(item).map(|message| mapi::to_item(&message)));
        }
        return;
    }
    let mut file = tempfile::Builder::new().suffix(".mbox").tempfile().expect("a temporary file");
    file.write_all(bytes).expect("a temporary file");
    let mut count = 0;
    let each = |_, _| {
        count += 1;
        if count < 1_000 { Ok(()) } else { Err(()) }
    };
    drop(import::read(file.path(), each));
}

fn import_samples() -> Vec<Vec<u8>> {
    let mails = corpus("eml", 5_000);
    let mbox = mails.iter().take(5).flat_map(|mail| import::mbox_entry(mail, &Flags::default(), Some(1_790_000_000)));
    let cards = corpus("vcf", 20_000).concat();
    let calendar = corpus("ics", 20_000).into_iter().take(5);
    corpus("pst", 600_000).into_iter().chain([mbox.collect(), cards]).chain(calendar).collect()
}
