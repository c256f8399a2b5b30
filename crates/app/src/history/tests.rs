//! Stories of the history.

use super::{
    undo::{FolderUndo, Undo, Undos},
    *,
};
use crate::index::Index;
use pim::{Flag, Flags};
use std::collections::BTreeSet;
use sync::{
    contract::{event, folder_uid, item_uid, mail, settled},
    index::{IndexError, ReplicaIndex},
};
use tempfile::TempDir;

const NOW: u64 = 1_700_000_000;
const DAY: u64 = 86_400;

struct Computer {
    folder: TempDir,
    index: Index,
    history: History,
}

impl Computer {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let index = Index::open(&folder.path().join("index.sqlite"), NOW).unwrap().index;
        let history = History::new(&index).unwrap();
        Self { folder, index, history }
    }

    fn restart(self) -> Self {
        let Self { folder, index, history } = self;
        drop((index, history));
        let index = Index::open(&folder.path().join("index.sqlite"), NOW).unwrap().index;
        let history = History::new(&index).unwrap();
        Self { folder, index, history }
    }

    fn record(&mut self, change: &Change, at: u64) -> EntryId {
        let change = ItemChange::of(change, Side::Here, "a letter").unwrap();
        self.history.record(&self.index, "office", &change.into(), at).unwrap()
    }

    fn runs(&self) -> Vec<Run> {
        self.index.runs(None, 100).unwrap()
    }
}

fn change(item: u32, before: Option<ItemState>, after: Option<ItemState>) -> Change {
    Change { item: item_uid(item), before, after }
}

fn added(item: u32) -> Change {
    change(item, None, Some(mail(1, &item.to_string())))
}

fn read(state: &ItemState) -> ItemState {
    ItemState { flags: Flags(BTreeSet::from([Flag::Seen])), ..state.clone() }
}

#[test]
fn an_entry_tells_what_a_person_would_see() {
    let (a, b) = (mail(1, "a"), mail(1, "b"));
    let moved = ItemState { folder: folder_uid(2), ..read(&a) };
    let stories = [
        (change(1, None, Some(a.clone())), Some(Action::Added)),
        (change(1, Some(a.clone()), None), Some(Action::Deleted)),
        (change(1, Some(a.clone()), Some(b)), Some(Action::Changed)),
        (change(1, Some(a.clone()), Some(moved)), Some(Action::Moved)),
        (change(1, Some(a.clone()), Some(read(&a))), Some(Action::Flagged)),
        (change(1, Some(a.clone()), Some(ItemState { name: "other".into(), ..a })), None),
        (change(1, None, None), None),
    ];
    for (change, action) in stories {
        assert_eq!(ItemChange::of(&change, Side::Here, "").map(|change| change.action), action);
    }
}

#[test]
fn entries_come_back_with_what_was_before_and_after() {
    let mut home = Computer::new();
    let changes = [
        change(1, None, Some(event(3, "party"))),
        change(1, Some(event(3, "party")), Some(event(4, "bigger party"))),
        change(2, Some(mail(1, "spam")), None),
    ];
    let ids: Vec<_> = changes.iter().map(|change| home.record(change, NOW)).collect();
    let home = home.restart();
    let run = home.runs()[0].id;
    let entries = home.index.entries_of_run(run, None, 10).unwrap();
    assert_eq!(entries.iter().map(|entry| entry.id).collect::<Vec<_>>(), ids);
    for (entry, change) in entries.iter().zip(&changes) {
        assert_eq!(entry.change, ItemChange::of(change, Side::Here, "a letter").unwrap().into());
        assert_eq!((entry.at, entry.undone_by), (NOW, None));
    }
    assert_eq!(home.index.entries_of_run(run, Some(ids[0]), 1).unwrap()[0].id, ids[1]);
    let of_item = home.index.entries_of_item(item_uid(1), None, 10).unwrap();
    assert_eq!(of_item.iter().map(|entry| entry.id).collect::<Vec<_>>(), [ids[1], ids[0]], "newest first");
    assert_eq!(home.index.entries_of_item(item_uid(1), Some(ids[1]), 10).unwrap().len(), 1);
}

#[test]
fn a_run_ends_after_a_minute_of_quiet() {
    let mut home = Computer::new();
    home.record(&added(1), NOW);
    home.record(&added(2), NOW + 50);
    home.record(&added(3), NOW + 100);
    home.history.close_quiet(&home.index, NOW + 159).unwrap();
    assert_eq!(home.runs()[0].ended_at, None);
    assert_eq!(home.runs()[0].counts.added, 3, "a run that goes on is counted when somebody looks");
    home.history.close_quiet(&home.index, NOW + 160).unwrap();
    home.record(&change(1, Some(mail(1, "1")), None), NOW + 500);
    let runs = home.runs();
    assert_eq!(runs.len(), 2);
    assert_eq!((runs[1].started_at, runs[1].ended_at), (NOW, Some(NOW + 100)));
    assert_eq!(runs[1].counts, Counts { added: 3, ..Counts::default() });
    assert_eq!(runs[0].counts, Counts { deleted: 1, ..Counts::default() });
    assert_eq!(home.index.runs(Some(runs[0].id), 10).unwrap(), runs[1..]);
    assert_eq!(home.index.history_run(runs[1].id).unwrap().as_ref(), Some(&runs[1]));
    assert_eq!(home.index.history_run(RunId(99)).unwrap(), None);
}

#[test]
fn each_partner_has_a_run_and_one_without_changes_is_forgotten() {
    let mut home = Computer::new();
    let change = ItemChange::of(&added(1), Side::Server, "").unwrap().into();
    home.history.record(&home.index, "office", &change, NOW).unwrap();
    home.history.record(&home.index, "laptop", &change, NOW + 1).unwrap();
    let nothing = home.index.begin_run("undo", NOW).unwrap();
    home.index.end_run(nothing, NOW).unwrap();
    home.history.close(&home.index).unwrap();
    let partners: Vec<_> = home.runs().into_iter().map(|run| (run.partner, run.ended_at)).collect();
    assert_eq!(partners, [("laptop".to_owned(), Some(NOW + 1)), ("office".to_owned(), Some(NOW))]);
}

#[test]
fn a_crash_ends_a_run_with_its_newest_entry() {
    let mut home = Computer::new();
    home.record(&added(1), NOW);
    home.record(&added(2), NOW + 30);
    let home = home.restart();
    assert_eq!(home.runs()[0].ended_at, Some(NOW + 30));
}

#[test]
fn an_entry_and_the_change_it_describes_are_there_together_or_not_at_all() {
    let mut home = Computer::new();
    let letter = mail(1, "a");
    let put = |home: &mut Computer, fails: bool| {
        let entry = ItemChange::of(&added(1), Side::Here, "").unwrap().into();
        let (index, history) = (&home.index, &mut home.history);
        index.group(|index| {
            index.replica().put_item(item_uid(1), &settled(1, "a", &letter))?;
            history.record(index, "office", &entry, NOW)?;
            if fails { Err(IndexError { reason: "cut".to_owned() }) } else { Ok(()) }
        })
    };
    put(&mut home, true).unwrap_err();
    assert!(home.runs().is_empty() && home.index.replica().item(item_uid(1)).unwrap().is_none());
    put(&mut home, false).unwrap();
    assert_eq!(home.runs().len(), 1, "the run that was taken back isn't written to");
    assert!(home.index.replica().item(item_uid(1)).unwrap().is_some());
}

#[test]
fn undoing_a_run_brings_back_what_was_before_it() {
    let mut home = Computer::new();
    let (a, b, c) = (mail(1, "a"), mail(1, "b"), mail(2, "c"));
    home.record(&change(1, Some(a.clone()), Some(b.clone())), NOW);
    let first = home.runs()[0].id;
    let later = NOW + 1000;
    let mut entries = Vec::new();
    for change in [
        change(1, Some(b.clone()), Some(c.clone())),
        change(1, Some(c), None),
        change(2, None, Some(a.clone())),
        change(3, Some(a.clone()), Some(read(&a))),
        // Made and gone within the run: nothing to take back.
        change(4, None, Some(a.clone())),
        change(4, Some(a.clone()), None),
        change(5, Some(a.clone()), Some(b.clone())),
        change(5, Some(b.clone()), Some(a.clone())),
    ] {
        entries.push(home.record(&change, later));
    }
    let run = home.runs()[0].id;
    assert_ne!(run, first);
    let undos = home.index.undo_of_run(run).unwrap().items;
    let expected = |item, before, after, entries: &[EntryId]| Undo {
        item: item_uid(item),
        title: "a letter".to_owned(),
        before,
        after,
        entries: entries.to_vec(),
    };
    assert_eq!(
        undos,
        [
            expected(1, Some(b.clone()), None, &entries[..2]),
            expected(2, None, Some(a.clone()), &entries[2..3]),
            expected(3, Some(a.clone()), Some(read(&a)), &entries[3..4]),
        ]
    );
    assert!(undos[0].fits(None) && !undos[0].fits(Some(&b)));
    assert!(undos[2].fits(Some(&read(&a))) && !undos[2].fits(Some(&a)) && !undos[2].fits(None));

    let undo = home.index.begin_run("undo", later).unwrap();
    home.index.mark_undone(&undos[0].entries, undo).unwrap();
    let rest: Vec<_> = home.index.undo_of_run(run).unwrap().items.into_iter().map(|undo| undo.item).collect();
    assert_eq!(rest, [item_uid(2), item_uid(3)]);
    assert_eq!(home.index.entries_of_run(run, None, 1).unwrap()[0].undone_by, Some(undo));
    let before = home.index.undo_of_item(item_uid(1)).unwrap().unwrap();
    assert_eq!((before.before, before.after), (Some(a), Some(b)), "then the change before comes into sight");
    assert_eq!(home.index.undo_of_item(item_uid(9)).unwrap(), None);
}

#[test]
fn a_conflict_is_shown_and_not_undone() {
    let mut home = Computer::new();
    let lost = ItemChange {
        action: Action::Conflict,
        ..ItemChange::of(&change(1, Some(mail(1, "a")), Some(mail(1, "b"))), Side::Server, "").unwrap()
    };
    home.history.record(&home.index, "office", &lost.into(), NOW).unwrap();
    let run = home.runs().remove(0);
    assert_eq!(run.counts.conflicts, 1);
    assert_eq!(home.index.undo_of_run(run.id).unwrap(), Undos::default());
    assert_eq!(home.index.undo_of_item(item_uid(1)).unwrap(), None);
}

#[test]
fn a_content_is_kept_for_undo_from_when_it_was_replaced() {
    let mut home = Computer::new();
    let (a, b) = (mail(1, "a"), mail(1, "b"));
    home.record(&change(1, Some(a.clone()), Some(read(&a))), NOW);
    assert_eq!(home.index.before_image_kept_at(a.version.native).unwrap(), None, "the content is still there");
    home.record(&change(1, Some(read(&a)), Some(b.clone())), NOW + 5);
    home.record(&change(1, Some(b.clone()), None), NOW + 9);
    assert_eq!(home.index.before_image_kept_at(a.version.native).unwrap(), Some(NOW + 5));
    assert_eq!(home.index.before_image_kept_at(b.version.native).unwrap(), Some(NOW + 9));
    home.index.forget_before_images(&[a.version.native]).unwrap();
    assert_eq!(home.index.before_image_kept_at(a.version.native).unwrap(), None);
}

/// Runs of one entry each, a day apart, and a program that looks at the clock every hour of the last two days.
fn a_month_of_runs(home: &mut Computer) {
    for day in 0..40 {
        home.record(&change(day, Some(mail(1, &day.to_string())), None), NOW + u64::from(day) * DAY);
    }
    home.history.close(&home.index).unwrap();
    for hour in 0..=48 {
        home.index.is_clock_steady(NOW + 38 * DAY + hour * 3600).unwrap();
    }
}

#[test]
fn runs_are_forgotten_after_thirty_days() {
    let mut home = Computer::new();
    a_month_of_runs(&mut home);
    let expired = home.index.expire_history(NOW + 40 * DAY, Limits::DEFAULT).unwrap();
    assert_eq!(expired, Expired { entries: 10, is_more: false, is_clock_steady: true });
    let runs = home.runs();
    assert_eq!((runs.len(), runs.last().unwrap().started_at), (30, NOW + 10 * DAY));
    let image = |day: u32| home.index.before_image_kept_at(mail(1, &day.to_string()).version.native).unwrap();
    assert!(image(9).is_none() && image(10).is_some());
    assert!(home.index.entries_of_item(item_uid(9), None, 10).unwrap().is_empty());
}

#[test]
fn a_clock_that_jumped_makes_nothing_old() {
    let mut home = Computer::new();
    a_month_of_runs(&mut home);
    let wrong = NOW + 3650 * DAY;
    for hour in 0..24 {
        let expired = home.index.expire_history(wrong + hour * 3600, Limits::DEFAULT).unwrap();
        assert_eq!(expired, Expired::default(), "{hour} hours after the jump");
    }
    assert_eq!(home.runs().len(), 40);
    // Set right again, it is believed after a day.
    for hour in 0..24 {
        assert!(!home.index.is_clock_steady(NOW + 40 * DAY + hour * 3600).unwrap());
    }
    assert_eq!(home.index.expire_history(NOW + 41 * DAY, Limits::DEFAULT).unwrap().entries, 11);
}

#[test]
fn the_oldest_runs_go_while_there_is_too_much() {
    let mut home = Computer::new();
    for run in 0..5 {
        home.index.begin().unwrap();
        for item in 0..2400 {
            home.record(&added(item), NOW + run * 100);
        }
        home.index.commit().unwrap();
    }
    let limits = Limits { entries_max: 2000, ..Limits::DEFAULT };
    let expire = |home: &Computer| home.index.expire_history(NOW + 410, limits).unwrap();
    let first = expire(&home);
    assert_eq!((first.entries, first.is_more, first.is_clock_steady), (5000, true, false));
    assert_eq!(home.runs().len(), 3, "part of a run may be left");
    let second = expire(&home);
    assert_eq!((second.entries, second.is_more), (4600, false));
    let runs = home.runs();
    assert_eq!((runs.len(), runs[0].ended_at), (1, None), "the run that goes on stays");
    home.history.close(&home.index).unwrap();
    assert_eq!(expire(&home).entries, 2400);
    assert!(home.runs().is_empty());
}

#[test]
fn a_long_title_is_cut_between_characters() {
    let mut home = Computer::new();
    let long = ItemChange::of(&added(1), Side::Here, &"ä".repeat(1000)).unwrap().into();
    home.history.record(&home.index, "office", &long, NOW).unwrap();
    let entry = home.index.entries_of_item(item_uid(1), None, 1).unwrap().remove(0);
    let title = &entry.change.item().unwrap().title;
    assert_eq!(*title, "ä".repeat(128));
}

#[test]
fn folders_are_in_a_run_too_and_their_changes_are_taken_back_as_one() {
    let mut home = Computer::new();
    let state = |name: &str, parent: Option<u32>| FolderState {
        kind: pim::FolderKind::Mail,
        parent: parent.map(folder_uid),
        name: name.to_owned(),
        special_use: None,
    };
    let (old, renamed, moved) = (state("Old", None), state("Older", None), state("Older", Some(9)));
    let turn = |folder: u32, before: &Option<FolderState>, after: &Option<FolderState>| ChangedFolder {
        folder: folder_uid(folder),
        before: before.clone(),
        after: after.clone(),
    };
    let (old, renamed, moved) = (Some(old), Some(renamed), Some(moved));
    let told = [
        (turn(1, &old, &renamed), Action::FolderRenamed),
        (turn(1, &renamed, &moved), Action::FolderMoved),
        (turn(2, &None, &old), Action::FolderAdded),
        (turn(3, &old, &None), Action::FolderDeleted),
        (turn(4, &old, &renamed), Action::FolderRenamed),
        (turn(4, &renamed, &old), Action::FolderRenamed),
    ];
    let mut ids = Vec::new();
    for (change, action) in &told {
        let change = FolderChange::of(change, Side::Here).unwrap();
        assert_eq!(change.action, *action);
        ids.push(home.history.record(&home.index, "office", &change.into(), NOW).unwrap());
    }
    assert_eq!(FolderChange::of(&turn(1, &old, &old), Side::Here), None);
    home.record(&added(99), NOW);
    let home = home.restart();
    let run = home.runs().remove(0);
    assert_eq!((run.counts.folders, run.counts.added), (6, 1));
    let entries = home.index.entries_of_run(run.id, None, 10).unwrap();
    for (entry, (change, _)) in entries.iter().zip(&told) {
        assert_eq!(entry.change, FolderChange::of(change, Side::Here).unwrap().into());
    }
    let undos = home.index.undo_of_run(run.id).unwrap();
    let undo = |folder: u32, after: &Option<FolderState>, entries: &[EntryId]| FolderUndo {
        folder: folder_uid(folder),
        before: old.clone().unwrap(),
        after: after.clone(),
        entries: entries.to_vec(),
    };
    let expected = [undo(1, &moved, &ids[..2]), undo(3, &None, &ids[3..4])];
    assert_eq!((&undos.folders[..], undos.items.len()), (&expected[..], 1));
    assert!(undos.folders[0].fits(moved.as_ref()) && !undos.folders[0].fits(renamed.as_ref()));
    let newest = home.index.undo_of_folder(folder_uid(1)).unwrap().unwrap();
    assert_eq!((Some(newest.before), newest.after), (renamed, moved));
    let by = home.index.begin_run("undo", NOW).unwrap();
    home.index.mark_undone(&undos.folders[0].entries, by).unwrap();
    assert_eq!(home.index.undo_of_folder(folder_uid(1)).unwrap(), None);
}
