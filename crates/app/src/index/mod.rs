//! The index: one SQLite file per profile that holds what this computer remembers.
//!
//! It holds what the replica knows of its items, the hub's log on a server, the intents of steps begun at the store, the
//! history of runs, the devices, and single values. One file, so that what belongs together becomes durable together:
//! a server's own replica and its hub, a base and the history entry that describes its change.
//!
//! Whoever opens the [`Index`] works with it from one thread. [`Index::replica`] and [`Index::hub`] are views of it for
//! the engine; all of them share one transaction. Groups nest: the innermost can be taken back alone, and nothing is
//! durable before the outermost is committed. A change outside any group is a group of its own.
//!
//! A damaged file is moved aside and a new one begun, whose replica id and epoch are new as well: then both sides compare
//! everything and delete nothing.

pub(crate) mod codec;
mod devices;
mod hub;
mod intents;
mod item;
pub(crate) mod names;
mod open;
mod replica;
mod schema;

pub use devices::{Device, PairedBy, Ticket};
pub use hub::HubView;
pub use intents::{Intent, IntentId, OpenIntent};
pub use open::{Found, OpenError, Opened};
pub use replica::ReplicaView;
pub use sync::index::IndexError;

use names::Names;
use rusqlite::{CachedStatement, Connection, OptionalExtension, Params, Row};
use serde::{Serialize, de::DeserializeOwned};
use std::{
    cell::{Cell, RefCell},
    fs,
    path::PathBuf,
    rc::Rc,
};
use sync::index::Result;

/// The index of one profile, open. Clones are the same open file.
#[derive(Clone, Debug)]
pub struct Index(pub(crate) Rc<Shared>);

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) connection: Connection,
    path: PathBuf,
    /// Groups that are open, one inside the other.
    groups: Cell<u32>,
    names: RefCell<Names>,
}

/// Why a question to the file has no answer.
#[derive(Debug)]
pub(crate) enum Fault {
    Sql(rusqlite::Error),
    Damaged(&'static str),
}

impl Index {
    /// What the replica remembers.
    #[must_use]
    pub fn replica(&self) -> ReplicaView {
        ReplicaView(self.clone())
    }

    /// What the hub remembers. `is_kept` says whether contents lie beside the store: in the blob area.
    pub fn hub(&self, is_kept: impl Fn(pim::NativeHash) -> bool + 'static) -> Result<HubView> {
        // Asked with every version a replica proposes.
        self.0.answer(self.0.connection.execute_batch(schema::SERVE).map_err(Fault::Sql))?;
        Ok(HubView { index: self.clone(), is_kept: Rc::new(is_kept) })
    }

    /// Begins a group of changes, or one inside the group that is open.
    pub fn begin(&self) -> Result<()> {
        let depth = self.0.groups.get();
        self.0.save_counts()?;
        if depth == 0 {
            self.0.run("BEGIN IMMEDIATE", ())?;
        } else {
            self.0.run(&format!("SAVEPOINT group_{depth}"), ())?;
        }
        self.0.groups.set(depth + 1);
        Ok(())
    }

    /// Ends the innermost group. With the outermost, everything in it is on the disk.
    pub fn commit(&self) -> Result<()> {
        self.0.save_counts()?;
        let depth = self.0.open_groups() - 1;
        if depth == 0 {
            self.0.run("COMMIT", ())?;
        } else {
            self.0.run(&format!("RELEASE group_{depth}"), ())?;
        }
        self.0.groups.set(depth);
        Ok(())
    }

    /// Takes back the innermost group.
    pub fn rollback(&self) -> Result<()> {
        let depth = self.0.open_groups() - 1;
        self.0.names.borrow_mut().forget();
        self.0.groups.set(depth);
        if self.0.connection.is_autocommit() {
            // After some errors, a full disk among them, SQLite has taken everything back already.
        } else if depth > 0 {
            self.0.run(&format!("ROLLBACK TO group_{depth}"), ())?;
            self.0.run(&format!("RELEASE group_{depth}"), ())?;
        } else {
            self.0.run("ROLLBACK", ())?;
        }
        Ok(())
    }

    /// Makes `changes` one group: all of them or none.
    pub fn group<T>(&self, changes: impl FnOnce(&Self) -> Result<T>) -> Result<T> {
        self.begin()?;
        let done = changes(self).and_then(|done| self.commit().map(|()| done));
        if done.is_err() {
            // The first error is the one to tell.
            let _ = self.rollback();
        }
        done
    }

    /// Gives back memory that only speeds up a long run.
    pub fn shrink(&self) -> Result<()> {
        self.0.names.borrow_mut().forget_items();
        self.0.run("PRAGMA shrink_memory", ())?;
        Ok(())
    }

    /// A value by its name.
    pub fn value(&self, name: &str) -> Result<Option<Vec<u8>>> {
        self.0.one("SELECT value FROM state WHERE name = ?1", [name], |row| Ok(row.get(0)?))
    }

    /// Remembers a value, or forgets it.
    pub fn set_value(&self, name: &str, value: Option<&[u8]>) -> Result<()> {
        match value {
            Some(value) => self.0.run("INSERT OR REPLACE INTO state (name, value) VALUES (?1, ?2)", (name, value)),
            None => self.0.run("DELETE FROM state WHERE name = ?1", [name]),
        }?;
        Ok(())
    }

    /// Whether the file turned out to be damaged. Close it and open it anew: it will be moved aside.
    #[must_use]
    pub fn is_damaged(&self) -> bool {
        open::suspicion(&self.0.path).exists()
    }

    pub(crate) fn json_value<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>> {
        self.value(name)?.map(|json| self.0.answer(from_json(&json))).transpose()
    }

    pub(crate) fn set_json_value<T: Serialize>(&self, name: &str, value: &T) -> Result<()> {
        self.set_value(name, Some(to_json(value).as_bytes()))
    }
}

impl Shared {
    fn open_groups(&self) -> u32 {
        let depth = self.groups.get();
        assert!(depth > 0, "a group ends only once");
        depth
    }

    fn statement(&self, sql: &str) -> std::result::Result<CachedStatement<'_>, Fault> {
        Ok(self.connection.prepare_cached(sql)?)
    }

    /// Changes rows; how many.
    pub(crate) fn run(&self, sql: &str, params: impl Params) -> Result<usize> {
        // After some errors SQLite takes the whole group back by itself. What follows must not become a group of its own.
        if self.groups.get() > 0 && self.connection.is_autocommit() {
            return Err(IndexError { reason: "the group of changes was taken back".to_owned() });
        }
        self.answer(self.statement(sql).and_then(|mut statement| Ok(statement.execute(params)?)))
    }

    /// The first row, if there is one.
    pub(crate) fn one<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> std::result::Result<T, Fault>,
    ) -> Result<Option<T>> {
        let found = self.statement(sql).and_then(|mut statement| {
            let row = statement.query_row(params, |row| Ok(read(row))).optional()?;
            row.transpose()
        });
        self.answer(found)
    }

    /// Every row.
    pub(crate) fn all<T>(
        &self,
        sql: &str,
        params: impl Params,
        mut read: impl FnMut(&Row<'_>) -> std::result::Result<T, Fault>,
    ) -> Result<Vec<T>> {
        let found = self.statement(sql).and_then(|mut statement| {
            let mut rows = statement.query(params)?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push(read(row)?);
            }
            Ok(found)
        });
        self.answer(found)
    }

    /// The first row that `read` takes for what is sought. Rows behind it aren't read.
    pub(crate) fn find<T>(
        &self,
        sql: &str,
        params: impl Params,
        mut read: impl FnMut(&Row<'_>) -> std::result::Result<Option<T>, Fault>,
    ) -> Result<Option<T>> {
        let found = self.statement(sql).and_then(|mut statement| {
            let mut rows = statement.query(params)?;
            while let Some(row) = rows.next()? {
                if let Some(found) = read(row)? {
                    return Ok(Some(found));
                }
            }
            Ok(None)
        });
        self.answer(found)
    }

    /// Turns a fault into the engine's error. Damage is remembered beside the file: its next opening moves it aside.
    fn answer<T>(&self, answer: std::result::Result<T, Fault>) -> Result<T> {
        answer.map_err(|fault| {
            if fault.is_damage() && fs::write(open::suspicion(&self.path), "").is_err() {
                tracing::error!("the index is damaged, and that can't be written down");
            }
            fault.into()
        })
    }
}

impl Fault {
    fn is_damage(&self) -> bool {
        use rusqlite::{Error, ErrorCode};
        match self {
            Self::Sql(Error::SqliteFailure(error, _)) => {
                matches!(error.code, ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
            }
            // A column that holds another type than it is given.
            Self::Sql(
                Error::FromSqlConversionFailure(..) | Error::InvalidColumnType(..) | Error::IntegralValueOutOfRange(..),
            )
            | Self::Damaged(_) => true,
            Self::Sql(_) => false,
        }
    }
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<rusqlite::types::FromSqlError> for Fault {
    fn from(_: rusqlite::types::FromSqlError) -> Self {
        Self::Damaged("a column holds something else than it should")
    }
}

impl From<Fault> for IndexError {
    fn from(fault: Fault) -> Self {
        let reason = match fault {
            Fault::Sql(error) => error.to_string(),
            Fault::Damaged(what) => what.to_owned(),
        };
        Self { reason }
    }
}

pub(crate) fn to_json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("what the index keeps as JSON has text keys and no failing parts")
}

pub(crate) fn from_json<T: DeserializeOwned>(json: &[u8]) -> std::result::Result<T, Fault> {
    serde_json::from_slice(json).map_err(|_| Fault::Damaged("a value can't be read"))
}

/// SQLite's integers are signed. Numbers that are only compared for equality keep their bits.
pub(crate) const fn bits(number: u64) -> i64 {
    number.cast_signed()
}

#[cfg(test)]
mod tests;
