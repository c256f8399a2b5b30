//! Writing: contents wait in the staging folder, and each change becomes visible in one step.
//!
//! A new item arrives as a `.msg` that carries its uid and the operation's number already, so that one `Move` makes all
//! of it. Small edits set the properties that differ, larger ones put a new item in place of the old one.

use super::{
    dispatch::{Object, Variant},
    patch::{self, Patch},
    row::{FlagProperties, Row, UNSENT, folder_kind, is_same_rev},
    schema,
    session::{Outlook, Session, now},
};
use crate::{
    Change, FolderId, Href, Intent, Recovered, Rev, StoreError, Written,
    mapi::{self, Message, Value, kind, names},
    staging::{Staged, StagedChange, hex, io},
};
use pim::{Flag, Flags, FolderKind, Format};
use std::{
    fs,
    sync::atomic::{AtomicBool, Ordering},
};

/// Several texts.
const KEYWORDS_KIND: u16 = kind::MANY | kind::TEXT;

impl Outlook {
    pub(super) fn stage(&mut self, changes: &[Change]) -> Vec<Result<Intent, StoreError>> {
        changes.iter().map(|change| self.within(|outlook, session| outlook.stage_one(session, change))).collect()
    }

    fn stage_one(&self, session: &Session, change: &Change) -> Result<Intent, StoreError> {
        let place = |href: &Href| self.found(session, href).map(|(_, _, folder)| folder);
        let accept = |folder: &FolderId, format, bytes: &[u8]| {
            let kind = self.kind_of(session, folder)?;
            self.message(kind, format, bytes, &Flags::default())?;
            Ok(kind)
        };
        self.staging.stage(change, place, accept, None)
    }

    fn message(&self, kind: FolderKind, format: Format, bytes: &[u8], flags: &Flags) -> Result<Message, StoreError> {
        let message = mapi::from_item(kind, format, bytes, flags, &self.here).map_err(|_| StoreError::Unsupported)?;
        let class = message.properties.text(&names::MESSAGE_CLASS).unwrap_or_default();
        let is_held = mapi::kind_of_class(&class).is_some_and(|item| folder_kind(item) == kind);
        if is_held { Ok(message) } else { Err(StoreError::Unsupported) }
    }

    pub(super) fn commit(&mut self, intents: &[Intent], is_abandoned: &AtomicBool) -> Vec<Result<Written, StoreError>> {
        let commit = |intent: &Intent| {
            if is_abandoned.load(Ordering::SeqCst) {
                return Err(StoreError::Changed);
            }
            let Ok(Staged { operation, change, .. }) = postcard::from_bytes(&intent.0) else {
                return Err(StoreError::Changed);
            };
            let done = self.within(|outlook, session| outlook.carry_out(session, &operation, &change));
            self.staging.forget(&operation);
            match done {
                // Who waited for it has gone, and will ask for it once more.
                Ok(Some(row)) if is_abandoned.load(Ordering::SeqCst) => {
                    if matches!(change, StagedChange::Create { .. }) {
                        let _ = self.within(|outlook, session| {
                            outlook.purge(session, &outlook.item(session, &row.entry.href)?, &operation)
                        });
                    }
                    Err(StoreError::Changed)
                }
                Ok(row) => {
                    if let Some(row) = &row {
                        self.staging.remember(&operation, &row.entry);
                    }
                    Ok(Written { entry: row.map(|row| row.entry) })
                }
                Err(StoreError::NotFound) => Err(StoreError::Changed),
                Err(error) => Err(error),
            }
        };
        intents.iter().map(commit).collect()
    }

    fn carry_out(&self, session: &Session, operation: &str, change: &StagedChange) -> Result<Option<Row>, StoreError> {
        match change {
            StagedChange::Create { uid, folder, content, flags, name } => {
                let bytes = self.staging.bytes(operation, content)?;
                let mut message = self.message(content.kind, content.format, &bytes, flags)?;
                let set = &mut message.properties;
                set.set_text(schema::own_key(schema::SYNC_UID), hex(&uid.0));
                set.set_text(schema::own_key(schema::NAME), name.clone());
                if content.kind == FolderKind::Mail {
                    set.set_text(schema::own_key(schema::MARKS), FlagProperties::of(flags, 0).marks);
                }
                let item = self.import(session, operation, message, folder)?;
                Ok(Some(Row::of_item(&item, now())?.ok_or(StoreError::NotFound)?.0))
            }
            StagedChange::Update { href, expect_rev, expect_flags, content, flags, folder } => {
                let (item, row, before) = self.expected(session, href, expect_rev, Some(expect_flags))?;
                let mut item = item;
                let is_mail = row.entry.format == Format::Rfc5322;
                let draft_changes =
                    is_mail && flags.0.contains(&Flag::Draft) != row.entry.flags.0.contains(&Flag::Draft);
                let mut target = folder.clone().filter(|folder| *folder != before);
                if content.is_some() || draft_changes {
                    let old = self.export(&item)?;
                    let patch = match content {
                        Some(content) => {
                            let bytes = self.staging.bytes(operation, content)?;
                            let new = self.message(content.kind, content.format, &bytes, flags)?;
                            patch::between(old, new, is_mail, |item| self.same_item(item, content.kind))?
                        }
                        None => Patch::Replace(Box::new(old)),
                    };
                    match patch {
                        Patch::Properties { set, remove, body } => {
                            let mut set = set;
                            let keywords = schema::of(&names::KEYWORDS, KEYWORDS_KIND);
                            if let Some((_, Variant::List(list))) = set.iter().find(|(name, _)| *name == keywords) {
                                let names: Vec<String> =
                                    list.iter().filter_map(|name| name.text().map(str::to_owned)).collect();
                                self.list_categories(session, &names)?;
                            }
                            set.push((schema::own(schema::OPERATION), operation.into()));
                            item.set_properties(set)?;
                            let accessor = item.object("PropertyAccessor")?;
                            for name in remove {
                                accessor.call("DeleteProperty", &[Variant::Text(name)])?;
                            }
                            if let Some(body) = body {
                                item.put("Body", &*body)?;
                            }
                            item.call("Save", &[])?;
                        }
                        Patch::Replace(message) => {
                            let mut message = *message;
                            if is_mail {
                                set_flags(&mut message, flags, row.last_verb);
                            }
                            let into = target.take().unwrap_or_else(|| before.clone());
                            let new = self.import(session, operation, message, &into)?;
                            self.purge(session, &item, operation)?;
                            item = new;
                        }
                    }
                } else if is_mail && *flags != row.entry.flags {
                    self.write_flags(session, &item, &row, flags)?;
                }
                if let Some(folder) = target {
                    let folder = self.folder_object(session, &folder)?;
                    item = item.call_object("Move", &[folder.itself()])?;
                }
                Ok(Some(Row::of_item(&item, now())?.ok_or(StoreError::NotFound)?.0))
            }
            StagedChange::Delete { href, expect_rev } => {
                let (item, _, folder) = self.expected(session, href, expect_rev, None)?;
                if folder.0 != session.trash {
                    item.set_properties(vec![(schema::own(schema::DELETED), operation.into())])?;
                    item.call("Save", &[])?;
                }
                item.call("Delete", &[])?;
                Ok(None)
            }
        }
    }

    /// The item as conversion there and back leaves it: what differs from it is what somebody changed.
    fn same_item(&self, old: &Message, kind: FolderKind) -> Result<Message, StoreError> {
        let item = mapi::to_item(old).map_err(|_| StoreError::Changed)?;
        self.message(kind, item.format, &item.bytes, &item.flags)
    }

    /// An item that is still as believed.
    fn expected(
        &self,
        session: &Session,
        href: &Href,
        rev: &Rev,
        flags: Option<&Flags>,
    ) -> Result<(Object, Row, FolderId), StoreError> {
        let found = match self.found(session, href) {
            Err(StoreError::NotFound) => Err(StoreError::Changed),
            found => found,
        }?;
        let entry = &found.1.entry;
        let is_same = is_same_rev(&entry.rev, rev) && flags.is_none_or(|flags| *flags == entry.flags);
        if is_same { Ok(found) } else { Err(StoreError::Changed) }
    }

    /// Puts an item into a folder, in one step.
    fn import(
        &self,
        session: &Session,
        operation: &str,
        mut message: Message,
        folder: &FolderId,
    ) -> Result<Object, StoreError> {
        self.list_categories(session, &message.properties.texts(&names::KEYWORDS))?;
        message.properties.set(schema::own_key(schema::OPERATION), Value::Text(operation.to_owned()));
        let bytes = message
            .to_msg()
            .map_err(|error| StoreError::Io { reason: error.to_string(), path: "OpenSharedItem".to_owned() })?;
        let path = self.staging.file(&format!("{operation}.msg"))?;
        fs::write(&path, bytes).map_err(|error| io(&error, &path))?;
        let imported = (|| {
            let folder = self.folder_object(session, folder)?;
            let item = session.namespace.call_object("OpenSharedItem", &[Variant::Text(path.display().to_string())])?;
            Ok(item.call_object("Move", &[folder.itself()])?)
        })();
        // Outlook may hold the file a moment longer; the sweep takes it then.
        let _ = fs::remove_file(&path);
        imported
    }

    /// Removes an item whose content lives on elsewhere: not into Deleted Items.
    fn purge(&self, session: &Session, item: &Object, operation: &str) -> Result<(), StoreError> {
        let id = item.text("EntryID")?;
        item.set_properties(vec![(schema::own(schema::DELETED), operation.into())])?;
        item.call("Save", &[])?;
        item.call("Delete", &[])?;
        match self.item(session, &Href(id)) {
            Ok(item) => item.call("Delete", &[]).map(drop).map_err(StoreError::from),
            // Another ID in Deleted Items, where it is marked and counts for nothing.
            Err(StoreError::NotFound) => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn write_flags(&self, session: &Session, item: &Object, row: &Row, flags: &Flags) -> Result<(), StoreError> {
        let properties = FlagProperties::of(flags, row.last_verb);
        self.list_categories(session, &properties.keywords)?;
        let keywords = properties.keywords.into_iter().map(Variant::Text).collect();
        item.set_properties(vec![
            (schema::of(&names::LAST_VERB_EXECUTED, 0x03), properties.last_verb.into()),
            (schema::of(&names::ICON_INDEX, 0x03), properties.icon.into()),
            (schema::of(&names::FLAG_STATUS, 0x03), properties.status.into()),
            (schema::of(&names::KEYWORDS, KEYWORDS_KIND), Variant::List(keywords)),
            (schema::own(schema::MARKS), Variant::Text(properties.marks)),
        ])?;
        item.put("UnRead", Variant::Bool(!properties.is_read))?;
        item.call("Save", &[])?;
        Ok(())
    }

    pub(super) fn recover(&mut self, intents: &[Intent]) -> Vec<Recovered> {
        let recover = |intent: &Intent| {
            let Ok(Staged { operation, change, .. }) = postcard::from_bytes(&intent.0) else {
                return Recovered::Unclear;
            };
            let recovered = self.within(|outlook, session| outlook.recover_one(session, &operation, &change));
            if recovered.is_ok() {
                self.staging.forget(&operation);
            }
            recovered.unwrap_or(Recovered::Unclear)
        };
        intents.iter().map(recover).collect()
    }

    fn recover_one(&self, session: &Session, operation: &str, change: &StagedChange) -> Result<Recovered, StoreError> {
        let done = |row: Row| Recovered::Done(Written { entry: Some(row.entry) });
        let remembered = self.staging.remembered(operation);
        // Whoever changed it after us: their edit isn't what we left.
        let is_ours = |row: &Row| {
            row.operation.as_deref() == Some(operation)
                && remembered.as_ref().is_none_or(|done| is_same_rev(&done.rev, &row.entry.rev))
        };
        Ok(match change {
            StagedChange::Create { folder, .. } => match self.by_operation(session, folder, operation)? {
                Some(row) if is_ours(&row) => done(row),
                Some(_) => Recovered::Unclear,
                None if remembered.is_some() => Recovered::Unclear,
                None => Recovered::NotDone,
            },
            StagedChange::Delete { href, expect_rev } => match self.found(session, href) {
                Err(StoreError::NotFound) => Recovered::Done(Written { entry: None }),
                Err(error) => return Err(error),
                Ok((_, row, _)) if is_same_rev(&row.entry.rev, expect_rev) => Recovered::NotDone,
                Ok((_, row, _)) if row.deleted.as_deref() == Some(operation) => Recovered::NotDone,
                Ok(_) => Recovered::Unclear,
            },
            StagedChange::Update { href, expect_rev, expect_flags, content, flags, folder } => {
                let found = match self.found(session, href) {
                    Err(StoreError::NotFound) => None,
                    found => Some(found?),
                };
                if let Some((_, row, there)) = found {
                    let is_there = folder.as_ref().is_none_or(|folder| *folder == there);
                    let is_flagged = row.entry.format != Format::Rfc5322 || row.entry.flags == *flags;
                    let is_written = content.is_none() || is_ours(&row);
                    let is_before = is_same_rev(&row.entry.rev, expect_rev) && row.entry.flags == *expect_flags;
                    if is_there && is_flagged && is_written && (content.is_some() || folder.is_some() || !is_before) {
                        return Ok(done(row));
                    }
                    let target = folder.clone().unwrap_or(there);
                    let twin = if content.is_some() { self.by_operation(session, &target, operation)? } else { None };
                    return Ok(match twin {
                        // The new one is there and the old one not yet gone.
                        Some(twin) if twin.entry.href != *href => {
                            self.purge(session, &self.item(session, href)?, operation)?;
                            done(twin)
                        }
                        _ if is_before => Recovered::NotDone,
                        _ => Recovered::Unclear,
                    });
                }
                // Replaced by a new one, or moved to where it has another ID.
                if let Some(left) = &remembered {
                    return Ok(match self.found(session, &left.href) {
                        Ok((_, row, _)) if is_same_rev(&row.entry.rev, &left.rev) => done(row),
                        Ok(_) | Err(StoreError::NotFound) => Recovered::Unclear,
                        Err(error) => return Err(error),
                    });
                }
                let there = folder.as_ref().map(|folder| self.by_operation(session, folder, operation));
                there.transpose()?.flatten().map_or(Recovered::Unclear, done)
            }
        })
    }

    fn by_operation(&self, session: &Session, folder: &FolderId, operation: &str) -> Result<Option<Row>, StoreError> {
        let rows = match self.rows(session, folder) {
            Err(StoreError::NotFound) => return Ok(None),
            rows => rows?,
        };
        Ok(rows.rows.into_iter().find(|row| row.operation.as_deref() == Some(operation)))
    }
}

fn set_flags(message: &mut Message, flags: &Flags, last_verb: i64) {
    let properties = FlagProperties::of(flags, last_verb);
    let bag = &mut message.properties;
    let mut bits = bag.number(&names::MESSAGE_FLAGS).unwrap_or_default();
    let unsent = if flags.0.contains(&Flag::Draft) { UNSENT } else { 0 };
    bits = bits & !(UNSENT | super::row::READ) | unsent | i64::from(properties.is_read);
    bag.set(names::MESSAGE_FLAGS, Value::I32(i32::try_from(bits).unwrap_or_default()));
    bag.set(names::LAST_VERB_EXECUTED, Value::I32(properties.last_verb));
    bag.set(names::ICON_INDEX, Value::I32(properties.icon));
    bag.set(names::FLAG_STATUS, Value::I32(properties.status));
    bag.0.remove(&names::KEYWORDS);
    bag.set_texts(names::KEYWORDS, properties.keywords);
    bag.0.remove(&schema::own_key(schema::MARKS));
    bag.set_text(schema::own_key(schema::MARKS), properties.marks);
}
