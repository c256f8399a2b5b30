//! Intents: steps begun at a store, written down first. After a crash, whoever applies changes looks at each open intent
//! and at the store, and finds out how far the step came.

use super::Index;
use pim::ItemUid;
use sync::index::Result;

/// Names an intent. Numbers are never used twice.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct IntentId(i64);

/// A step that is about to begin. What the bytes mean is up to whoever takes the step.
#[derive(Clone, Copy, Debug)]
pub struct Intent<'a> {
    /// The item it is about.
    pub item: ItemUid,
    /// What the store is to do, and by what the step is recognized afterwards.
    pub intent: &'a [u8],
    /// What becomes true when it is done: the item's record, the history entry.
    pub context: &'a [u8],
}

/// A step of which nobody knows yet whether it was done.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OpenIntent {
    /// Its name.
    pub id: IntentId,
    /// The item it is about.
    pub item: ItemUid,
    /// See [`Intent::intent`].
    pub intent: Vec<u8>,
    /// See [`Intent::context`].
    pub context: Vec<u8>,
}

impl Index {
    /// Writes down a group of steps; they may begin when this is committed. The names are in the order of the group.
    pub fn put_intents(&self, group: &[Intent<'_>]) -> Result<Vec<IntentId>> {
        self.group(|index| {
            let put = |intent: &Intent<'_>| {
                index.0.run(
                    "INSERT INTO intents (item, intent, context) VALUES (?1, ?2, ?3)",
                    (intent.item.as_bytes(), intent.intent, intent.context),
                )?;
                Ok(IntentId(index.0.connection.last_insert_rowid()))
            };
            group.iter().map(put).collect()
        })
    }

    /// Steps begun and not closed, in the order they were written down.
    pub fn open_intents(&self) -> Result<Vec<OpenIntent>> {
        self.0.all("SELECT id, item, intent, context FROM intents ORDER BY id", (), |row| {
            Ok(OpenIntent {
                id: IntentId(row.get(0)?),
                item: ItemUid(row.get(1)?),
                intent: row.get(2)?,
                context: row.get(3)?,
            })
        })
    }

    /// The steps are done or were given up. Belongs into the group that records what became true.
    pub fn close_intents(&self, intents: &[IntentId]) -> Result<()> {
        self.group(|index| {
            for intent in intents {
                index.0.run("DELETE FROM intents WHERE id = ?1", [intent.0])?;
            }
            Ok(())
        })
    }
}
