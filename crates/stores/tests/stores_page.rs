//! The tables of `docs/stores.md`, made by trying: what each store can do, and what of a whole corpus comes through from one
//! store into another.
//!
//! `TANDEM_WRITE_DOCS=1` writes them; without, they must be as written.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, dead_code)]

mod common;
mod eds;
mod outlook;

use common::{
    FilesSubject, apply, content,
    corpus::{Item, corpus, sayings},
    read, update,
};
use eds::subject::EdsSubject;
use outlook::{local::Local, model::Manner};
use pim::{Flag, Flags, FolderKind, FolderUid, Format, ItemUid};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::Path,
};
use stores::{
    Change, Entry, Intent, Store,
    conformance::{Subject, sample},
};

const KINDS: [(FolderKind, &str); 5] = [
    (FolderKind::Mail, "messages"),
    (FolderKind::Contacts, "contacts and distribution lists"),
    (FolderKind::Calendar, "events"),
    (FolderKind::Tasks, "tasks"),
    (FolderKind::Notes, "notes"),
];

/// Items of one kind that are taken of each file.
const OF_EACH_MAX: usize = 4;

/// A store under a name that people know it by.
struct Place {
    name: &'static str,
    subject: Box<dyn Subject>,
    store: Box<dyn Store>,
}

impl Place {
    fn new(name: &'static str, subject: impl Subject + 'static) -> Self {
        let mut subject: Box<dyn Subject> = Box::new(subject);
        let mut store = subject.store(None);
        store.open().unwrap();
        Self { name, subject, store }
    }

    /// Every connector; `None` where one can't run.
    fn all() -> Option<[Self; 3]> {
        Some([
            Self::new("folders", FilesSubject::new()),
            Self::new("Evolution", EdsSubject::start()?),
            Self::new("Outlook", Local::new(Manner::default()).subject()),
        ])
    }

    /// Writes items into a folder; `None` for what is refused.
    fn adds(&mut self, folder: &str, items: &[&Item]) -> Vec<Option<Entry>> {
        let create = |item: &&Item| Change::Create {
            uid: ItemUid(*blake3::hash(&item.bytes).as_bytes().first_chunk().unwrap()),
            folder: stores::FolderId(folder.to_owned()),
            content: content(&item.bytes, item.format),
            flags: Flags::default(),
            name: item.file.clone(),
        };
        let staged = self.store.stage(&items.iter().map(create).collect::<Vec<_>>());
        let intents: Vec<Intent> = staged.iter().filter_map(|intent| intent.as_ref().ok().cloned()).collect();
        let mut written = self.store.commit(&intents).into_iter();
        let mut entry = || written.next()?.ok()?.entry;
        staged.iter().map(|intent| if intent.is_ok() { entry() } else { None }).collect()
    }

    /// The same, and what the store shows of each then.
    fn takes(&mut self, folder: &str, items: &[&Item]) -> Vec<Option<Vec<u8>>> {
        let entries = self.adds(folder, items);
        entries.into_iter().map(|entry| Some(read(&*self.store, &entry?))).collect()
    }
}

fn yes(is: bool) -> String {
    if is { "yes" } else { "no" }.to_owned()
}

/// Rows of the table of abilities, with a cell for each place.
fn abilities(places: &mut [Place]) -> String {
    let mut rows: Vec<(String, Vec<String>)> = Vec::new();
    for (kind, name) in KINDS {
        rows.push((name.to_owned(), places.iter().map(|place| yes(place.subject.kinds().contains(&kind))).collect()));
    }
    let caps: Vec<_> = places.iter().map(|place| place.store.caps()).collect();
    rows.push((
        "gives back what was written to the byte".to_owned(),
        caps.iter().map(|caps| yes(caps.verbatim)).collect(),
    ));
    rows.push((
        "keeps with the item which item it is".to_owned(),
        caps.iter().map(|caps| yes(caps.holds_uid)).collect(),
    ));
    let wait = caps.iter().map(|caps| format!("{} s", caps.absence_wait_ms / 1_000));
    rows.push(("what isn't listed any more counts as deleted after".to_owned(), wait.collect()));
    let nests = |place: &mut Place| {
        let kind = *place.subject.kinds().last().unwrap();
        let outer = place.store.create_folder(None, "Outer: a/b?", kind, FolderUid([90; 16])).unwrap();
        let inner = place.store.create_folder(Some(&outer.id), "Inner", kind, FolderUid([91; 16])).unwrap();
        let told = place.store.folders().unwrap().into_iter().find(|folder| folder.id == inner.id).unwrap();
        (told.parent == Some(outer.id), outer.name == "Outer: a/b?")
    };
    let (nests, names): (Vec<bool>, Vec<bool>) = places.iter_mut().map(nests).unzip();
    rows.push(("folders in folders".to_owned(), nests.into_iter().map(yes).collect()));
    rows.push(("any name for a folder".to_owned(), names.into_iter().map(yes).collect()));
    let watched = places.iter_mut().map(|place| yes(place.store.watch(Box::new(|_| ())).is_ok()));
    rows.push(("tells of changes by itself".to_owned(), watched.collect()));
    for (flag, name) in [
        (Flag::Seen, "read"),
        (Flag::Answered, "answered"),
        (Flag::Forwarded, "forwarded"),
        (Flag::Flagged, "marked for follow-up"),
        (Flag::Draft, "draft"),
        (Flag::Deleted, "marked as deleted"),
        (Flag::Keyword("Work".to_owned()), "a keyword or category"),
    ] {
        let keeps = |place: &mut Place| {
            if !place.subject.kinds().contains(&FolderKind::Mail) {
                return "–".to_owned();
            }
            let uid = FolderUid(*blake3::hash(name.as_bytes()).as_bytes().first_chunk().unwrap());
            let folder = place.store.create_folder(None, name, FolderKind::Mail, uid).unwrap();
            let bytes = sample(FolderKind::Mail, "m");
            let item = Item { file: "m".to_owned(), kind: FolderKind::Mail, format: Format::Rfc5322, bytes };
            let entry = place.adds(&folder.id.0, &[&item]).remove(0).unwrap();
            let wanted = Flags([flag.clone()].into());
            yes(apply(&mut *place.store, update(&entry, None, &wanted, None)).unwrap().unwrap().flags == wanted)
        };
        rows.push((format!("mark of a message: {name}"), places.iter_mut().map(keeps).collect()));
    }
    let mut text = head(&places.iter().map(|place| place.name.to_owned()).collect::<Vec<_>>());
    for (what, cells) in rows {
        let _ = writeln!(text, "| {what} | {} |", cells.join(" | "));
    }
    text
}

fn head(columns: &[String]) -> String {
    format!("| | {} |\n|---|{}\n", columns.join(" | "), "---|".repeat(columns.len()))
}

/// What became of one sort of saying.
#[derive(Clone, Copy, Default)]
struct Fate {
    said: usize,
    otherwise: usize,
    left_out: usize,
}

impl Fate {
    fn cell(self) -> String {
        let Self { said, otherwise, left_out } = self;
        let part = |count: usize, word: &str| (count > 0).then(|| format!("{count} {word}"));
        match said {
            0 => "–".to_owned(),
            _ if otherwise + left_out == 0 => "kept".to_owned(),
            _ => {
                let parts = [part(otherwise, "said otherwise"), part(left_out, "left out")];
                format!("of {said}: {}", parts.into_iter().flatten().collect::<Vec<_>>().join(", "))
            }
        }
    }
}

/// Sayings by where they stand. What begins with `X-` counts together.
type Fates = BTreeMap<String, Fate>;

fn compare(before: &BTreeSet<(String, String)>, after: &BTreeSet<(String, String)>, fates: &mut Fates) {
    for (place, value) in before {
        let is_kept = after.contains(&(place.clone(), value.clone()));
        let is_there = after.iter().any(|saying| saying.0 == *place && !before.contains(saying));
        let name = match place.split_once(" X-").or_else(|| place.split_once(" header x-")) {
            Some((component, _)) => format!("{component} `X-…`"),
            None => place.clone(),
        };
        let fate = fates.entry(name).or_default();
        fate.said += 1;
        fate.otherwise += usize::from(!is_kept && is_there);
        fate.left_out += usize::from(!is_kept && !is_there);
    }
}

/// Items of a kind on their way through two stores: what the first showed, what the second showed then.
fn crossings(places: &mut [Place], kind: FolderKind, items: &[Item]) -> (Vec<Fates>, Vec<usize>) {
    let ways = [(0, 1), (0, 2), (1, 2), (2, 1)];
    let mut fates = vec![Fates::new(); ways.len()];
    let mut refused = vec![0; ways.len()];
    let holds = |place: &Place| place.subject.kinds().contains(&kind);
    for (at, (from, to)) in ways.into_iter().enumerate() {
        if !holds(&places[from]) || !holds(&places[to]) {
            continue;
        }
        let number = u8::try_from(10 + at).unwrap();
        let mut folder = |place: usize| {
            let uid =
                FolderUid([number, u8::try_from(place).unwrap(), kind as u8, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3, 4, 5, 6]);
            places[place].store.create_folder(None, &format!("Way {at}"), kind, uid).unwrap().id.0
        };
        let (first, second) = (folder(from), folder(to));
        let shown = places[from].takes(&first, &items.iter().collect::<Vec<_>>());
        let shown = items.iter().zip(shown).filter_map(|(item, shown)| Some(Item { bytes: shown?, ..item.clone() }));
        let shown: Vec<Item> = shown.collect();
        let after = places[to].takes(&second, &shown.iter().collect::<Vec<_>>());
        for (item, after) in shown.iter().zip(after) {
            match after {
                Some(after) => {
                    compare(&sayings(item.format, &item.bytes), &sayings(item.format, &after), &mut fates[at]);
                }
                None => refused[at] += 1,
            }
        }
    }
    (fates, refused)
}

fn ways(places: &mut [Place]) -> String {
    let columns = ["folders → Evolution", "folders → Outlook", "Evolution → Outlook", "Outlook → Evolution"];
    let all = corpus(OF_EACH_MAX);
    let mut text = String::new();
    for (kind, name) in KINDS {
        let items: Vec<Item> = all.iter().filter(|item| item.kind == kind).map(Item::clone).collect();
        let readable: Vec<Item> =
            items.into_iter().filter(|item| !matches!(item.format, Format::Text | Format::Markdown)).collect();
        let (fates, refused) = crossings(places, kind, &readable);
        let _ = writeln!(text, "\n### {}{}: {}\n", name[..1].to_uppercase(), &name[1..], readable.len());
        text.push_str(&head(&columns.map(str::to_owned)));
        let names: BTreeSet<&String> = fates.iter().flat_map(BTreeMap::keys).collect();
        let mut kept = Vec::new();
        for name in names {
            let cells: Vec<String> =
                fates.iter().map(|fates| fates.get(name).copied().unwrap_or_default().cell()).collect();
            if cells.iter().all(|cell| ["kept", "–"].contains(&&**cell)) {
                kept.push(name.replace('`', ""));
            } else {
                let _ = writeln!(text, "| {name} | {} |", cells.join(" | "));
            }
        }
        let cells: Vec<String> =
            refused.iter().map(|count| if *count == 0 { "–".to_owned() } else { count.to_string() }).collect();
        let _ = writeln!(text, "| whole items refused and named | {} |", cells.join(" | "));
        let _ = writeln!(text, "\nKept on every way: {}.", kept.join(", "));
    }
    text
}

#[test]
fn the_page_about_stores_says_what_they_do() {
    let Some(mut places) = Place::all() else { return };
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/stores.md");
    let before = fs::read_to_string(&path).unwrap();
    let mut page = before.clone();
    for (name, table) in [("abilities", abilities(&mut places)), ("ways", ways(&mut places))] {
        let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- end of {name} -->"));
        let from = page.find(&begin).unwrap() + begin.len();
        let to = page.find(&end).unwrap();
        page.replace_range(from..to, &format!("\n{}\n\n", table.trim()));
    }
    if std::env::var_os("TANDEM_WRITE_DOCS").is_some() {
        fs::write(path, page).unwrap();
    } else {
        assert!(page == before, "docs/stores.md isn't what was seen: write it by TANDEM_WRITE_DOCS=1\n{page}");
    }
}

/// `cargo test --release -p stores --test stores_page -- --ignored --nocapture figures`
#[test]
#[ignore = "prints figures for docs/performance.md"]
fn figures() {
    let Some(places) = Place::all() else { return };
    for mut place in places {
        for kind in [FolderKind::Contacts, FolderKind::Calendar] {
            println!("{}: {}", place.name, stores::conformance::figures(&mut *place.store, kind, 2_000));
        }
    }
}
