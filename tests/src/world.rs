//! A server and its clients: who speaks when is chance, what must hold in the end is not.

use crate::{
    chance::Chance,
    computer::{Computer, Trouble},
    contents::{self, Bytes},
    ledger::Ledger,
    store::Store,
};
use pim::{CanonHash, Flag, FolderKind, FolderUid, Format, ItemUid, NativeHash};
use std::collections::{BTreeMap, BTreeSet};
use sync::{
    hub::{Hub, HubOutput, SessionId, Told},
    index::{Hold, HubIndex, ReplicaIndex},
    memory::MemoryHub,
    model::{Conflict, ConflictId, Epoch, ItemState, Row, RowBody, Subject},
    wire::{Frame, Outcome, Want},
};

/// The hub with what it keeps.
#[derive(Debug)]
pub struct Server {
    /// The engine.
    pub hub: Hub,
    /// Its memory.
    pub index: MemoryHub,
    /// Contents it can serve.
    pub blobs: BTreeMap<NativeHash, Bytes>,
    opened: BTreeSet<SessionId>,
}

/// What crossed the links.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Traffic {
    /// Rows and proposals.
    pub changes: u64,
    /// Contents.
    pub contents: u64,
    /// Bytes of frames.
    pub frame_bytes: u64,
}

/// The world of a story. Computer 0 is the server's own.
#[derive(Debug)]
pub struct World {
    /// Where everything unforeseen comes from.
    pub chance: Chance,
    /// Seconds since 1970, as far as clocks can be trusted.
    pub now: u64,
    /// The hub.
    pub server: Server,
    /// The computers.
    pub computers: Vec<Computer>,
    /// What people did.
    pub ledger: Ledger,
    /// How often things go wrong.
    pub trouble: Trouble,
    /// What crossed the links.
    pub traffic: Traffic,
    /// The hub went back in time: what only its log kept is to be found in the histories.
    has_hub_lost: bool,
    next_session: u64,
    next_number: u64,
}

const NOW: u64 = 1_795_000_000;

enum Event {
    Act(usize),
    FrameUp(usize),
    FrameDown(usize),
    ContentUp(usize),
    ContentDown(usize),
    Scan(usize),
    Connect(usize),
    Start(usize),
    NextRows(usize),
}

impl World {
    /// Computers with these stores around an empty hub.
    #[must_use]
    pub fn new(seed: u64, stores: Vec<Store>) -> Self {
        let mut chance = Chance::new(seed);
        let names = ["server", "home", "laptop", "phone"];
        let computers = stores.into_iter().zip(names).map(|(store, name)| Computer::new(name, store, &mut chance));
        let computers = computers.collect();
        let index = MemoryHub::new(Epoch(chance.random()));
        let mut world = Self {
            chance,
            now: NOW,
            server: Server { hub: Hub::new(), index, blobs: BTreeMap::new(), opened: BTreeSet::new() },
            computers,
            ledger: Ledger::default(),
            trouble: Trouble::default(),
            traffic: Traffic::default(),
            has_hub_lost: false,
            next_session: 1,
            next_number: 10_000,
        };
        world.enter_all_in_ledger();
        world
    }

    /// The same durable state with other chance: a story can start where another one ended.
    #[must_use]
    pub fn branch(&self, seed: u64) -> Self {
        Self {
            chance: Chance::new(seed),
            now: self.now,
            server: Server {
                hub: Hub::new(),
                index: self.server.index.clone(),
                blobs: self.server.blobs.clone(),
                opened: BTreeSet::new(),
            },
            computers: self.computers.iter().map(|computer| computer.cloned(&computer.name)).collect(),
            ledger: self.ledger.clone(),
            trouble: Trouble::default(),
            traffic: Traffic::default(),
            has_hub_lost: self.has_hub_lost,
            next_session: self.next_session,
            next_number: self.next_number,
        }
    }

    /// Everything the stores hold was written by somebody.
    pub fn enter_all_in_ledger(&mut self) {
        for at in 0..self.computers.len() {
            for href in self.computers[at].store.items.keys().cloned().collect::<Vec<_>>() {
                let canon = self.canon_at(at, &href);
                let what = format!("{href} of {}", self.computers[at].name);
                self.ledger.wrote(canon, what);
            }
        }
    }

    fn canon_at(&self, at: usize, href: &str) -> CanonHash {
        self.computers[at].store.local(href, FolderUid([0; 16])).state.version.canon
    }

    fn told(&mut self) -> Told {
        Told { now_secs: self.now, random: self.chance.random() }
    }

    // What happens by itself.

    /// One thing of everything that can happen now happens. Tells whether there was any.
    pub fn step(&mut self) -> bool {
        let mut events = Vec::new();
        for (at, computer) in self.computers.iter().enumerate() {
            if computer.is_down {
                events.push(Event::Start(at));
                continue;
            }
            if computer.is_scan_due {
                events.push(Event::Scan(at));
            }
            if !computer.outputs.is_empty() {
                events.push(Event::Act(at));
            }
            match &computer.link {
                None if !computer.is_away => events.push(Event::Connect(at)),
                None => {}
                Some(link) => {
                    let more = [
                        (!link.up.is_empty(), Event::FrameUp(at)),
                        (!link.down.is_empty(), Event::FrameDown(at)),
                        (!link.contents_up.is_empty(), Event::ContentUp(at)),
                        (!link.contents_down.is_empty(), Event::ContentDown(at)),
                        (link.down.len() < 4 && self.server.opened.contains(&link.session), Event::NextRows(at)),
                    ];
                    events.extend(more.into_iter().filter(|(is_there, _)| *is_there).map(|(_, event)| event));
                }
            }
        }
        while !events.is_empty() {
            let event = events.swap_remove(self.chance.below(events.len()));
            if self.happen(&event) {
                self.misfortune();
                return true;
            }
        }
        false
    }

    fn misfortune(&mut self) {
        let Trouble { cut, clock, sweep, .. } = self.trouble;
        if self.chance.once_in(cut) {
            let at = self.chance.below(self.computers.len());
            self.cut(at);
        }
        if self.chance.once_in(clock) {
            let jump = self.chance.below(200_000_000) as u64;
            self.now = if self.chance.once_in(2) { self.now + jump } else { self.now.saturating_sub(jump) };
        }
        if self.chance.once_in(sweep) {
            self.sweep();
        }
        // Whoever lost a computer finds it restarted, or its link gone.
        let sessions: BTreeSet<SessionId> =
            self.computers.iter().filter_map(|computer| computer.link.as_ref()).map(|link| link.session).collect();
        let lost: Vec<SessionId> = self.server.opened.difference(&sessions).copied().collect();
        for session in lost {
            self.server.opened.remove(&session);
            self.server.hub.close(session);
        }
    }

    /// Cuts a computer's link.
    pub fn cut(&mut self, at: usize) {
        if let Some(link) = &self.computers[at].link {
            self.server.opened.remove(&link.session);
            self.server.hub.close(link.session);
            self.computers[at].cut();
        }
    }

    /// The hub drops contents that nothing names.
    fn sweep(&mut self) {
        let named: BTreeSet<NativeHash> = self
            .server
            .index
            .rows()
            .filter_map(|row| match &row.body {
                RowBody::Item(state) => Some(state.version.native),
                RowBody::Conflict(conflict) => Some(conflict.loser.version.native),
                _ => None,
            })
            .collect();
        // What just came is about to be named.
        let unnamed: Vec<NativeHash> =
            self.server.blobs.keys().filter(|native| !named.contains(native)).copied().collect();
        for native in unnamed {
            self.server.blobs.remove(&native);
            self.server.index.release(native);
        }
    }

    fn server_crash(&mut self) {
        self.server.index.crash();
        self.server.hub = Hub::new();
        self.server.opened.clear();
        for computer in &mut self.computers {
            if computer.link.is_some() {
                computer.cut();
            }
        }
        self.computers[0].crash();
    }

    fn happen(&mut self, event: &Event) -> bool {
        let (now, trouble) = (self.now, self.trouble);
        let (computers, chance) = (&mut self.computers, &mut self.chance);
        match *event {
            Event::Start(at) => computers[at].start(),
            Event::Scan(at) => computers[at].scan(now, chance, trouble),
            Event::Act(at) => computers[at].act(now, chance, trouble, &mut self.ledger),
            Event::Connect(at) => {
                let session = SessionId(self.next_session);
                self.next_session += 1;
                computers[at].connect(session, now, chance, trouble);
            }
            Event::FrameDown(at) => {
                let Some(frame) = computers[at].link.as_mut().and_then(|link| link.down.pop_front()) else {
                    return false;
                };
                self.count(&frame);
                self.computers[at].take_frame(&frame, now, &mut self.chance, trouble);
            }
            Event::ContentDown(at) => {
                let Some(link) = computers[at].link.as_mut() else { return false };
                let which = chance.below(link.contents_down.len());
                let content = link.contents_down.swap_remove(which);
                self.traffic.contents += 1;
                computers[at].take_content(content, now, chance, trouble);
            }
            Event::ContentUp(at) => {
                let Some(link) = computers[at].link.as_mut() else { return false };
                let which = chance.below(link.contents_up.len());
                let content = link.contents_up.swap_remove(which);
                self.traffic.contents += 1;
                self.content_arrives(content);
            }
            Event::FrameUp(at) => {
                let Some(link) = computers[at].link.as_mut() else { return false };
                let (session, frame) = (link.session, link.up.pop_front().unwrap());
                self.count(&frame);
                self.frame_arrives(at, session, &frame);
            }
            Event::NextRows(at) => {
                let Some(link) = computers[at].link.as_mut() else { return false };
                let frame = self.server.hub.next_rows(&self.server.index, link.session).unwrap();
                let Some(frame) = frame else { return false };
                link.down.push_back(frame.encode());
            }
        }
        true
    }

    fn count(&mut self, frame: &[u8]) {
        self.traffic.frame_bytes += frame.len() as u64;
        self.traffic.changes += match Frame::decode(frame).unwrap() {
            Frame::Rows(rows) => rows.rows.len() as u64,
            Frame::Propose(proposals) => proposals.len() as u64,
            _ => 0,
        };
    }

    /// A frame reaches the hub.
    pub fn frame_arrives(&mut self, at: usize, session: SessionId, frame: &[u8]) {
        let frame = Frame::decode(frame).unwrap();
        let told = self.told();
        let server = &mut self.server;
        server.index.begin().unwrap();
        let outputs = match frame {
            Frame::Hello(hello) => {
                let welcome =
                    server.hub.open(&mut server.index, session, &self.computers[at].device, &hello, told).unwrap();
                server.opened.insert(session);
                vec![HubOutput::Send(session, welcome)]
            }
            frame => server.hub.handle(&mut server.index, session, frame, told).unwrap(),
        };
        self.carry_out(outputs);
    }

    fn content_arrives(&mut self, content: Bytes) {
        let native = contents::native(&content);
        let told = self.told();
        let server = &mut self.server;
        server.blobs.insert(native, content);
        server.index.hold(native);
        server.index.begin().unwrap();
        let outputs = server.hub.contents_arrived(&mut server.index, &BTreeSet::from([native]), told).unwrap();
        self.carry_out(outputs);
    }

    fn carry_out(&mut self, outputs: Vec<HubOutput>) {
        if self.chance.once_in(self.trouble.crash) {
            return self.server_crash();
        }
        self.server.index.commit().unwrap();
        if self.chance.once_in(self.trouble.crash) {
            return self.server_crash();
        }
        for output in outputs {
            match output {
                HubOutput::Send(session, frame) => {
                    if let Some(link) = self.link_of(session) {
                        link.down.push_back(frame.encode());
                    }
                }
                HubOutput::Serve(session, wants) => self.serve(session, &wants),
                HubOutput::Hangup(session) => {
                    let is_of =
                        |computer: &Computer| computer.link.as_ref().is_some_and(|link| link.session == session);
                    if let Some(at) = self.computers.iter().position(is_of) {
                        self.cut(at);
                    }
                }
                HubOutput::NewRows | HubOutput::DeletionsHeld(..) => {}
            }
        }
    }

    fn serve(&mut self, session: SessionId, wants: &[Want]) {
        let blobs: Vec<(NativeHash, Option<Bytes>)> =
            wants.iter().map(|want| (want.native, self.server.blobs.get(&want.native).cloned())).collect();
        let Some(link) = self.link_of(session) else { return };
        let mut missing = Vec::new();
        for (native, bytes) in blobs {
            match bytes {
                Some(bytes) => link.contents_down.push(bytes),
                None => missing.push(native),
            }
        }
        if !missing.is_empty() {
            link.down.push_back(Frame::CannotServe(missing).encode());
        }
    }

    fn link_of(&mut self, session: SessionId) -> Option<&mut crate::computer::Link> {
        self.computers.iter_mut().filter_map(|computer| computer.link.as_mut()).find(|link| link.session == session)
    }

    /// Lets things happen until nothing is left to do. Panics when that doesn't come (I14).
    pub fn settle(&mut self) {
        let mut nudges = 0;
        for _ in 0..60_000 {
            if self.step() {
                continue;
            }
            if self.computers.iter().all(|computer| computer.is_away || computer.replica.is_quiet()) {
                return;
            }
            // Time passes.
            nudges += 1;
            self.now += 30;
            if nudges > 12 {
                break;
            }
            for computer in &mut self.computers {
                computer.turn(self.now, &mut self.chance, Trouble::default(), |replica, _| replica.retry());
            }
        }
        let states: Vec<String> = self
            .computers
            .iter()
            .map(|computer| {
                format!(
                    "{} (quiet {}, pending {}): {:?}",
                    computer.name,
                    computer.replica.is_quiet(),
                    computer.replica.pending(),
                    computer.replica
                )
            })
            .collect();
        panic!("it never gets quiet:\n{}", states.join("\n"));
    }

    /// All troubles end, everybody is on, and everything is made the same.
    pub fn heal(&mut self) {
        self.trouble = Trouble::default();
        for computer in &mut self.computers {
            computer.is_away = false;
            computer.is_scan_due = true;
        }
        self.settle();
    }

    // What machines do to people.

    /// A computer's index is gone.
    pub fn lose_index(&mut self, at: usize) {
        let replica = sync::model::ReplicaId(self.chance.random());
        self.restore_index(at, sync::memory::MemoryReplica::new(replica));
    }

    /// A computer's index is as it was some time ago.
    pub fn restore_index(&mut self, at: usize, mut index: sync::memory::MemoryReplica) {
        index.crash();
        self.cut(at);
        self.computers[at].crash();
        self.computers[at].forget_intents();
        self.computers[at].index = index;
    }

    /// Another computer starts with everything this one has.
    pub fn clone_computer(&mut self, at: usize) {
        let clone = self.computers[at].cloned("clone");
        self.computers.push(clone);
    }

    /// The hub is as it was some time ago, together with the index of the server's own store.
    pub fn restore_hub(
        &mut self,
        mut index: MemoryHub,
        blobs: BTreeMap<NativeHash, Bytes>,
        own: sync::memory::MemoryReplica,
    ) {
        self.has_hub_lost = true;
        index.crash();
        self.server_crash();
        self.server.index = index;
        self.server.blobs = blobs;
        self.restore_index(0, own);
    }

    // What people do.

    /// Somebody does something somewhere.
    pub fn meddle(&mut self, at: usize) {
        match self.chance.below(20) {
            0..=5 => self.edit(at),
            6..=8 => self.mark(at),
            9..=11 => self.create(at),
            12 | 13 => self.delete(at),
            14 | 15 => self.move_item(at),
            16 => self.make_folder(at),
            17 => self.rename_folder(at),
            18 => self.move_folder(at),
            _ if self.chance.once_in(3) => self.delete_folder(at),
            _ if self.chance.once_in(2) => self.rewrite(at),
            _ => self.rename_item(at),
        }
        self.computers[at].is_scan_due = true;
    }

    fn some_href(&mut self, at: usize, fits: impl Fn(&str, FolderKind) -> bool) -> Option<String> {
        let store = &self.computers[at].store;
        let hrefs: Vec<String> = store
            .items
            .iter()
            .filter(|(href, item)| fits(href, store.folders[&item.folder].kind))
            .map(|(href, _)| href.clone())
            .collect();
        self.chance.pick(&hrefs)
    }

    fn fresh_number(&mut self) -> u64 {
        self.next_number += 1;
        self.next_number
    }

    /// Edits a field of some item that isn't a mail.
    pub fn edit(&mut self, at: usize) {
        let Some(href) = self.some_href(at, |_, kind| kind != FolderKind::Mail) else { return };
        let format = self.computers[at].store.items[&href].format;
        let field = self.chance.pick(contents::editable(format)).unwrap();
        self.edit_field(at, &href, field);
    }

    /// Edits a field of an item and gives the value it has now.
    pub fn edit_field(&mut self, at: usize, href: &str, field: &str) -> String {
        let value = format!("v{}", self.fresh_number());
        let before = self.canon_at(at, href);
        let item = &self.computers[at].store.items[href];
        let bytes = contents::edited(item.format, &item.bytes, field, &value);
        self.computers[at].store.change(href, Some(bytes), None, None);
        let after = self.canon_at(at, href);
        self.ledger.follows(before, after);
        self.ledger.wrote(after, format!("{field}={value} in {href} of {}", self.computers[at].name));
        self.computers[at].is_scan_due = true;
        value
    }

    /// A program writes some calendar item anew without changing what it says.
    fn rewrite(&mut self, at: usize) {
        let stores = &self.computers[at].store;
        let has_stamp = |bytes: &Bytes| String::from_utf8_lossy(bytes).contains("DTSTAMP:");
        let hrefs: Vec<String> =
            stores.items.iter().filter(|(_, item)| has_stamp(&item.bytes)).map(|(href, _)| href.clone()).collect();
        let Some(href) = self.chance.pick(&hrefs) else { return };
        let item = &self.computers[at].store.items[&href];
        let stamp = format!("20261123T{:06}Z", self.next_number % 240_000);
        let bytes = contents::edited(item.format, &item.bytes, "DTSTAMP", &stamp);
        let before = self.canon_at(at, &href);
        self.computers[at].store.change(&href, Some(bytes), None, None);
        // To an opaque item, every byte counts.
        self.ledger.follows(before, self.canon_at(at, &href));
    }

    /// Marks some mail.
    pub fn mark(&mut self, at: usize) {
        let Some(href) = self.some_href(at, |_, kind| kind == FolderKind::Mail) else { return };
        let word = format!("k{}", self.fresh_number());
        let mut flags = self.computers[at].store.items[&href].flags.clone();
        if self.chance.once_in(2) {
            if !flags.0.remove(&Flag::Seen) {
                flags.0.insert(Flag::Seen);
            }
        } else {
            flags.0.insert(Flag::Keyword(word.clone()));
            let bytes = self.computers[at].store.items[&href].bytes.clone();
            self.ledger.marks.insert((subject(&bytes), word));
        }
        self.computers[at].store.change(&href, None, Some(flags), None);
        self.computers[at].is_scan_due = true;
    }

    /// Creates an item in some folder.
    pub fn create(&mut self, at: usize) {
        let folders: Vec<String> = self.computers[at].store.folders.keys().cloned().collect();
        if let Some(folder) = self.chance.pick(&folders) {
            self.create_in(at, &folder);
        }
    }

    /// Creates an item and gives its href.
    pub fn create_in(&mut self, at: usize, folder: &str) -> String {
        let number = self.fresh_number();
        let kind = self.computers[at].store.folders[folder].kind;
        let format = self.chance.pick(contents::formats(kind)).unwrap();
        let bytes = contents::item(kind, format, number);
        self.put(at, folder, &format!("n{number}"), format, bytes)
    }

    /// Puts an item into a store, as a person would, and gives its href.
    pub fn put(&mut self, at: usize, folder: &str, name: &str, format: Format, bytes: Bytes) -> String {
        let store = &mut self.computers[at].store;
        let href = store.put(folder, name, format, bytes, pim::Flags::default());
        let canon = self.canon_at(at, &href);
        self.ledger.wrote(canon, format!("new {href} of {}", self.computers[at].name));
        self.computers[at].is_scan_due = true;
        href
    }

    /// Deletes some item.
    pub fn delete(&mut self, at: usize) {
        if let Some(href) = self.some_href(at, |_, _| true) {
            self.delete_item(at, &href);
        }
    }

    /// Deletes an item.
    pub fn delete_item(&mut self, at: usize, href: &str) {
        let canon = self.canon_at(at, href);
        self.ledger.deleted.insert(canon);
        self.computers[at].store.items.remove(href);
        self.computers[at].is_scan_due = true;
    }

    /// Puts a content into an item's place that it had before, as restoring a backup does.
    pub fn go_back(&mut self, at: usize, href: &str, bytes: Bytes) {
        let canon = self.canon_at(at, href);
        self.ledger.deleted.insert(canon);
        self.computers[at].store.change(href, Some(bytes), None, None);
        self.computers[at].is_scan_due = true;
    }

    /// Moves some item to another folder of its kind.
    pub fn move_item(&mut self, at: usize) {
        let Some(href) = self.some_href(at, |_, _| true) else { return };
        let store = &self.computers[at].store;
        let kind = store.folders[&store.items[&href].folder].kind;
        let folders: Vec<String> =
            store.folders.iter().filter(|(_, folder)| folder.kind == kind).map(|(id, _)| id.clone()).collect();
        let name = store.items[&href].name.clone();
        let folder = self.chance.pick(&folders).unwrap();
        self.computers[at].store.rename(&href, &folder, &name);
    }

    fn rename_item(&mut self, at: usize) {
        let Some(href) = self.some_href(at, |_, _| true) else { return };
        let name = format!("r{}", self.fresh_number());
        let folder = self.computers[at].store.items[&href].folder.clone();
        self.computers[at].store.rename(&href, &folder, &name);
    }

    fn some_folder(&mut self, at: usize) -> Option<String> {
        let folders: Vec<String> = self.computers[at].store.folders.keys().cloned().collect();
        self.chance.pick(&folders)
    }

    fn make_folder(&mut self, at: usize) {
        let Some(above) = self.some_folder(at) else { return };
        // Few names, so that people make the same one.
        let name = format!("Made {}", self.chance.below(3));
        let store = &mut self.computers[at].store;
        let kind = store.folders[&above].kind;
        if store.folders.values().all(|folder| folder.parent.as_ref() != Some(&above) || folder.name != name) {
            store.make_folder(&name, Some(above), kind);
        }
    }

    fn rename_folder(&mut self, at: usize) {
        let Some(id) = self.some_folder(at) else { return };
        let name = format!("Renamed {}", self.chance.below(4));
        let store = &mut self.computers[at].store;
        let parent = store.folders[&id].parent.clone();
        if store.folders.values().all(|folder| folder.parent != parent || folder.name != name) {
            store.folders.get_mut(&id).unwrap().name = name;
        }
    }

    fn move_folder(&mut self, at: usize) {
        let (Some(id), Some(to)) = (self.some_folder(at), self.some_folder(at)) else { return };
        let store = &mut self.computers[at].store;
        let name = store.folders[&id].name.clone();
        let is_free = store.folders.values().all(|folder| folder.parent.as_ref() != Some(&to) || folder.name != name);
        if is_free && store.folders[&id].kind == store.folders[&to].kind && !store.below(&id).contains(&to) {
            store.folders.get_mut(&id).unwrap().parent = Some(to);
        }
    }

    fn delete_folder(&mut self, at: usize) {
        let Some(id) = self.some_folder(at) else { return };
        self.delete_folder_at(at, &id);
    }

    /// Deletes a folder with everything in it.
    pub fn delete_folder_at(&mut self, at: usize, id: &str) {
        let below = self.computers[at].store.below(id);
        let hrefs: Vec<String> = self.computers[at]
            .store
            .items
            .iter()
            .filter(|(_, item)| below.contains(&item.folder))
            .map(|(href, _)| href.clone())
            .collect();
        if hrefs.len() >= 15 {
            // Stories about the guard are told elsewhere.
            return;
        }
        hrefs.iter().for_each(|href| self.delete_item(at, href));
        self.computers[at].store.folders.retain(|id, _| !below.contains(id));
        self.computers[at].is_scan_due = true;
    }

    /// Makes everything the same without the others.
    pub fn heal_only(&mut self, at: usize) {
        self.computers[at].is_scan_due = true;
        self.settle();
    }

    /// A person at the server decides about all deletions that wait.
    pub fn decide_held(&mut self, decision: sync::hub::Decision) {
        let told = self.told();
        let held: BTreeSet<FolderUid> =
            self.server.index.held_deletions().unwrap().iter().map(|held| held.folder).collect();
        for folder in held {
            self.server.index.begin().unwrap();
            let outputs = self.server.hub.decide_held(&mut self.server.index, folder, decision, None, told).unwrap();
            self.carry_out(outputs);
        }
    }

    /// The server's owner lets a computer take over.
    pub fn allow_take_over(&mut self, at: usize) {
        let device = sync::hub::of_device(&self.computers[at].device);
        let mut record = self.server.index.replica(device).unwrap().unwrap_or_default();
        record.may_take_over = true;
        self.server.index.put_replica(device, &record).unwrap();
    }

    /// The server's owner keeps a folder from a computer, or releases it.
    pub fn set_withheld(&mut self, at: usize, folder: FolderUid, is_withheld: bool) {
        let device = &self.computers[at].device;
        self.server.hub.set_withheld(&mut self.server.index, device, folder, is_withheld).unwrap();
    }

    /// A paired computer that lies about everything, with one folder withheld from it.
    pub fn attack(&mut self, withheld: FolderUid) {
        use sync::{
            model::{Cursor, LogMark, ReplicaId, Seq},
            wire::{Change, Hello, Proposal},
        };
        let session = SessionId(1_000_000);
        let mut hello =
            Hello { minor: 0, canon_rule: pim::CANON_RULE, replica: ReplicaId([7; 16]), cursor: None, stamp: None };
        let told = self.told();
        self.server.hub.open(&mut self.server.index, session, b"evil", &hello, told).unwrap();
        self.server.hub.set_withheld(&mut self.server.index, b"evil", withheld, true).unwrap();
        let known: Vec<Row> = self.server.index.rows().cloned().collect();
        let folders: Vec<FolderUid> = known
            .iter()
            .filter_map(|row| match row.subject {
                Subject::Folder(uid) => Some(uid),
                _ => None,
            })
            .collect();
        let states: Vec<ItemState> = self.live().into_values().map(|(_, state)| state).collect();
        for _ in 0..30 {
            let told = self.told();
            let chance = &mut self.chance;
            if chance.once_in(10) {
                hello.cursor = chance.once_in(2).then(|| {
                    let epoch = self.server.index.head().unwrap().0;
                    Cursor { epoch, seq: Seq(chance.bits() >> 40), mark: LogMark::default() }
                });
                hello.stamp = chance.once_in(2).then(|| chance.random());
                // Somebody new, each time, as who nothing was deleted and from whom nothing is kept.
                hello.replica = ReplicaId(chance.random());
                self.server.hub.open(&mut self.server.index, session, b"evil", &hello, told).unwrap();
                while let Some(Frame::Rows(rows)) = self.server.hub.next_rows(&self.server.index, session).unwrap() {
                    assert!(!rows.rows.iter().any(|row| is_of(row, withheld)), "a withheld row is told");
                }
                continue;
            }
            let mut proposals = Vec::new();
            for _ in 0..1 + chance.below(40) {
                let row = chance.pick(&known).unwrap();
                let subject = match chance.below(4) {
                    0 => Subject::Item(ItemUid(chance.random())),
                    1 => Subject::Folder(FolderUid(chance.random())),
                    _ => row.subject,
                };
                let parent = if chance.once_in(3) { Seq(chance.below(200) as u64) } else { row.seq };
                let folder =
                    if chance.once_in(3) { FolderUid(chance.random()) } else { chance.pick(&folders).unwrap() };
                let state = ItemState { folder, ..chance.pick(&states).unwrap() };
                let change = match chance.below(7) {
                    0 | 1 => Change::ItemGone { approved: true },
                    2 => Change::FolderGone,
                    3 => Change::Folder(sync::model::FolderState {
                        kind: FolderKind::Mail,
                        parent: Some(folder),
                        name: format!("Evil {}", chance.below(3)),
                        special_use: None,
                    }),
                    4 => Change::Conflict(Conflict {
                        item: ItemUid(chance.random()),
                        loser: state,
                        fields: Vec::new(),
                        made_by: ReplicaId([0; 16]),
                        at: 0,
                    }),
                    5 => Change::ConflictResolved,
                    _ => Change::Item { state, planned_at: Seq(chance.below(100) as u64) },
                };
                proposals.push(Proposal { subject, parent, change });
            }
            self.server.index.begin().unwrap();
            let outputs =
                self.server.hub.handle(&mut self.server.index, session, Frame::Propose(proposals), told).unwrap();
            self.server.index.commit().unwrap();
            let is_secret = |output: &HubOutput| match output {
                HubOutput::Send(_, Frame::Answers(answers)) => answers
                    .answers
                    .iter()
                    .any(|answer| matches!(&answer.outcome, Outcome::Stale(Some(row)) if is_of(row, withheld))),
                _ => false,
            };
            assert!(!outputs.iter().any(is_secret), "an answer tells what is withheld: {outputs:?}");
            let wants = self.live().into_iter().map(|(item, (_, state))| Want {
                item,
                native: state.version.native,
                offset: 0,
            });
            let outputs =
                self.server.hub.handle(&mut self.server.index, session, Frame::Want(wants.collect()), told).unwrap();
            for output in outputs {
                let HubOutput::Serve(_, wants) = output else { continue };
                let live = self.live();
                let is_secret = |want: &Want| live.get(&want.item).is_some_and(|(_, state)| state.folder == withheld);
                assert!(!wants.iter().any(is_secret), "what is withheld is served");
            }
        }
    }

    /// All troubles end and somebody decides whatever waits, until nothing waits any more.
    pub fn heal_and_decide(&mut self) {
        self.heal();
        for _ in 0..6 {
            // What waits for the guard's window isn't what these stories are about.
            self.now += 700;
            if !self.decide_everything() {
                break;
            }
            self.heal();
        }
    }

    /// Somebody decides whatever waits for a decision, one way or the other. Tells whether anything did.
    pub fn decide_everything(&mut self) -> bool {
        let mut is_any = false;
        let told = self.told();
        let held: BTreeSet<FolderUid> =
            self.server.index.held_deletions().unwrap().iter().map(|held| held.folder).collect();
        for folder in held {
            is_any = true;
            let decision =
                if self.chance.once_in(2) { sync::hub::Decision::Allow } else { sync::hub::Decision::Restore };
            self.server.index.begin().unwrap();
            let outputs = self.server.hub.decide_held(&mut self.server.index, folder, decision, None, told).unwrap();
            self.carry_out(outputs);
        }
        for at in 0..self.computers.len() {
            for (uid, mut record) in self.computers[at].index.held_items().unwrap() {
                let choice = self.chance.once_in(2);
                match record.hold {
                    Some(Hold::RemovalWaits) => {
                        record.hold = Some(if choice { Hold::Approved } else { Hold::Revive });
                    }
                    Some(Hold::DeletedElsewhere) => {
                        record.hold = Some(if choice { Hold::Approved } else { Hold::Revive });
                    }
                    Some(Hold::ReversionWaits) if choice => record.hold = Some(Hold::Approved),
                    Some(Hold::ReversionWaits) => sync::replica::give_way(&mut record),
                    _ => continue,
                }
                is_any = true;
                let now = self.now;
                let trouble = Trouble::default();
                self.computers[at].turn(now, &mut self.chance, trouble, |replica, index| {
                    index.put_item(uid, &record).unwrap();
                    replica.observed(uid);
                });
            }
        }
        is_any
    }

    // What must hold in the end.

    /// The hub's live items.
    #[must_use]
    pub fn live(&self) -> BTreeMap<ItemUid, (sync::model::Seq, ItemState)> {
        self.server
            .index
            .rows()
            .filter_map(|row| match (row.subject, &row.body) {
                (Subject::Item(uid), RowBody::Item(state)) => Some((uid, (row.seq, state.clone()))),
                _ => None,
            })
            .collect()
    }

    /// The hub's open conflicts.
    #[must_use]
    pub fn conflicts(&self) -> BTreeMap<ConflictId, Conflict> {
        self.server
            .index
            .rows()
            .filter_map(|row| match (row.subject, &row.body) {
                (Subject::Conflict(id), RowBody::Conflict(conflict)) => Some((id, conflict.clone())),
                _ => None,
            })
            .collect()
    }

    /// I2, I5, I7: every computer holds what the hub says, and knows it.
    pub fn check_equal(&self) {
        let live = self.live();
        for computer in &self.computers {
            self.check_folders(computer);
            let mut held = 0;
            for (uid, record) in computer.index.items() {
                let name = &computer.name;
                assert!(record.hold.is_none(), "{name}: {uid:?} rests: {record:?}");
                let Some(local) = &record.local else {
                    assert!(record.is_empty(), "{name}: {uid:?} isn't here: {record:?} hub {:?}", live.get(&uid));
                    continue;
                };
                held += 1;
                let Some((_, state)) = live.get(&uid) else {
                    panic!("{name}: {uid:?} isn't at the hub: {record:?}");
                };
                let base = record.base.as_ref().unwrap_or_else(|| panic!("{name}: {uid:?} has no base: {record:?}"));
                assert!(base.state.same_as(state), "{name}: {uid:?} differs from the hub: {record:?} {state:?}");
                assert!(local.state.same_as(&base.stored), "{name}: {uid:?} isn't settled: {record:?}");
                assert_eq!(local.state.flags, state.flags, "{name}: {uid:?}");
                assert_eq!(local.state.folder, state.folder, "{name}: {uid:?}");
                let present = computer.store.items.get(&local.href).unwrap_or_else(|| panic!("{name}: no {local:?}"));
                assert_eq!(computer.store.local(&local.href, local.state.folder).state, local.state, "{name}");
                self.check_content(computer, state, &present.bytes);
            }
            assert_eq!(held, computer.store.items.len(), "{} holds what nobody knows", computer.name);
            assert_eq!(held, live.len(), "{} misses something", computer.name);
            let conflicts: BTreeMap<ConflictId, Conflict> = computer.index.conflicts().unwrap().into_iter().collect();
            assert_eq!(conflicts, self.conflicts(), "{} has other conflicts", computer.name);
        }
    }

    /// The log itself is in order, whoever wrote to it.
    pub fn check_log(&self) {
        let folders: BTreeMap<FolderUid, Option<FolderUid>> = self
            .server
            .index
            .rows()
            .filter_map(|row| match (row.subject, &row.body) {
                (Subject::Folder(uid), RowBody::Folder(state)) => Some((uid, state.parent)),
                _ => None,
            })
            .collect();
        for (uid, parent) in &folders {
            let mut next = *parent;
            let mut depth = 0;
            while let Some(above) = next {
                depth += 1;
                assert!(depth <= folders.len(), "{uid:?} lies in itself");
                next = *folders.get(&above).unwrap_or_else(|| panic!("{uid:?} lies in a folder that is gone"));
            }
        }
        for (uid, (_, state)) in self.live() {
            assert!(folders.contains_key(&state.folder), "{uid:?} lies in a folder that is gone");
            assert!(self.server.index.holds(state.version.native).unwrap(), "{uid:?} can't be served");
        }
        let (_, mark) = self.server.index.head().unwrap();
        let newest = self.server.index.rows().last().map(|row| row.seq).unwrap_or_default();
        assert_eq!(mark.seq, newest, "the newest mark covers the newest row");
    }

    fn check_content(&self, computer: &Computer, state: &ItemState, present: &Bytes) {
        let at_hub = self.server.blobs.get(&state.version.native).expect("the hub can serve what it numbered");
        if state.kind == pim::Kind::Message {
            assert_eq!(subject(present), subject(at_hub));
            return;
        }
        let kind = match state.kind {
            pim::Kind::Contact | pim::Kind::DistributionList => FolderKind::Contacts,
            pim::Kind::Event | pim::Kind::Journal => FolderKind::Calendar,
            pim::Kind::Task => FolderKind::Tasks,
            _ => FolderKind::Notes,
        };
        let canon = |bytes: &Bytes| contents::examined(kind, state.version.format, bytes).examined.canon;
        let expected = computer.store.as_held(state.version.format, at_hub);
        let present = computer.store.as_held(state.version.format, present);
        assert_eq!(
            canon(&present),
            canon(&expected),
            "{}: {} instead of {}",
            computer.name,
            String::from_utf8_lossy(&present),
            String::from_utf8_lossy(&expected)
        );
    }

    fn check_folders(&self, computer: &Computer) {
        // Folders of one use are one folder, whatever each computer calls them.
        let named = |mut state: sync::model::FolderState| {
            if state.special_use.is_some() {
                state.name.clear();
            }
            state
        };
        let at_hub: BTreeMap<FolderUid, _> = self
            .server
            .index
            .rows()
            .filter_map(|row| match (row.subject, &row.body) {
                (Subject::Folder(uid), RowBody::Folder(state)) => Some((uid, named(state.clone()))),
                _ => None,
            })
            .collect();
        let mut here = BTreeMap::new();
        for (uid, record) in computer.index.folders().unwrap() {
            let name = &computer.name;
            let inside: Vec<_> =
                computer.index.items().filter(|(_, record)| record.folder() == Some(uid)).take(3).collect();
            assert!(record.remote.is_none(), "{name}: folder {uid:?} isn't settled: {record:?}, in it: {inside:?}");
            if let Some(local) = record.local {
                assert!(
                    record.base.is_some(),
                    "{name}: folder {uid:?} has no base: {local:?}, all: {:?}, hub: {at_hub:?}, {:?}",
                    computer.index.folders(),
                    computer.replica
                );
                let folder = &computer.store.folders[&local.id];
                assert_eq!(folder.mark, Some(uid), "{name}: {local:?}");
                assert_eq!(folder.name, local.state.name, "{name}");
                here.insert(uid, named(local.state));
            }
        }
        assert_eq!(here.len(), computer.store.folders.len(), "{} has unknown folders", computer.name);
        assert_eq!(here, at_hub, "{} has other folders", computer.name);
    }

    /// I1: what people wrote is current, an ancestor of something current, an open conflict, or in a trash.
    pub fn check_nothing_lost(&self) {
        let mut kept: BTreeSet<CanonHash> = self.live().values().map(|(_, state)| state.version.canon).collect();
        kept.extend(self.conflicts().values().map(|conflict| conflict.loser.version.canon));
        for computer in &self.computers {
            kept.extend(computer.trash.iter().copied());
            if self.has_hub_lost {
                kept.extend(computer.before_images.iter().copied());
            }
            let hrefs = computer.store.items.keys();
            kept.extend(hrefs.map(|href| computer.store.local(href, FolderUid([0; 16])).state.version.canon));
        }
        let lost = self.ledger.lost(&kept);
        assert!(lost.is_empty(), "lost: {lost:?}");
        let live = self.live();
        for (subject_of_mark, word) in &self.ledger.marks {
            let flag = Flag::Keyword(word.clone());
            let mut of_item = live.values().filter(|(_, state)| {
                let bytes = &self.server.blobs[&state.version.native];
                state.kind == pim::Kind::Message && subject(bytes) == *subject_of_mark
            });
            let is_gone = of_item.clone().next().is_none();
            assert!(
                is_gone || of_item.any(|(_, state)| state.flags.0.contains(&flag)),
                "lost: the mark {word} of {subject_of_mark}"
            );
        }
    }

    /// I3: another round sends nothing and writes nothing.
    pub fn check_quiet(&mut self) {
        let writes: u64 = self.computers.iter().map(|computer| computer.store.writes).sum();
        for at in 0..self.computers.len() {
            self.cut(at);
            self.computers[at].is_scan_due = true;
        }
        self.traffic = Traffic::default();
        self.settle();
        assert_eq!(self.traffic.changes, 0, "another round has something to say");
        assert_eq!(self.traffic.contents, 0, "another round moves contents");
        let after: u64 = self.computers.iter().map(|computer| computer.store.writes).sum();
        assert_eq!(writes, after, "another round writes");
    }

    /// Everything that must hold when all troubles are over.
    pub fn check(&mut self) {
        self.check_log();
        self.check_equal();
        self.check_nothing_lost();
        self.check_quiet();
    }

    /// Everything a person sees in a store, to be compared.
    #[must_use]
    pub fn sight(&self, at: usize) -> BTreeSet<(Vec<String>, CanonHash, pim::Flags, usize)> {
        let store = &self.computers[at].store;
        let mut counts = BTreeMap::new();
        for (href, item) in &store.items {
            let key = (store.path(&item.folder), self.canon_at(at, href), item.flags.clone());
            *counts.entry(key).or_insert(0) += 1;
        }
        counts.into_iter().map(|((path, canon, flags), count)| (path, canon, flags, count)).collect()
    }

    /// How many items at the hub have their colour.
    #[must_use]
    pub fn with_colour(&self) -> usize {
        let has_colour =
            |state: &ItemState| String::from_utf8_lossy(&self.server.blobs[&state.version.native]).contains("X-COLOR");
        self.live().values().filter(|(_, state)| has_colour(state)).count()
    }

    /// The row of an item at the hub.
    #[must_use]
    pub fn row(&self, item: ItemUid) -> Option<Row> {
        self.server.index.row(Subject::Item(item)).unwrap()
    }
}

/// The subject line of a mail.
#[must_use]
pub fn subject(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    text.lines().find_map(|line| line.strip_prefix("Subject: ")).unwrap_or_default().to_owned()
}

/// A store with at least fifty items of all kinds in seven folders, two of them nested.
#[must_use]
pub fn full_store() -> Store {
    let mut store = Store::default();
    let inbox = store.make_folder("Inbox", None, FolderKind::Mail);
    let projects = store.make_folder("Projects", Some(inbox.clone()), FolderKind::Mail);
    let deep = store.make_folder("Deep", Some(projects.clone()), FolderKind::Mail);
    let people = store.make_folder("People", None, FolderKind::Contacts);
    let calendar = store.make_folder("Calendar", None, FolderKind::Calendar);
    let tasks = store.make_folder("Tasks", None, FolderKind::Tasks);
    let notes = store.make_folder("Notes", None, FolderKind::Notes);
    store.folders.get_mut(&inbox).unwrap().special_use = Some(pim::SpecialUse::Inbox);
    let sizes = [(inbox, 12), (projects, 6), (deep, 4), (people, 10), (calendar, 9), (tasks, 6), (notes, 6)];
    let mut number = 0;
    for (folder, size) in sizes {
        let kind = store.folders[&folder].kind;
        let formats = contents::formats(kind);
        for at in 0..size {
            number += 1;
            let format = formats[at % formats.len()];
            let bytes = contents::item(kind, format, number);
            store.put(&folder, &format!("n{number}"), format, bytes, pim::Flags::default());
        }
    }
    store
}

/// Whether a row is of a folder, or of an item in it.
fn is_of(row: &Row, folder: FolderUid) -> bool {
    matches!(&row.body, RowBody::Item(state) if state.folder == folder)
        || matches!(&row.body, RowBody::ItemGone(tombstone) if tombstone.folder == folder)
        || row.subject == Subject::Folder(folder)
}
