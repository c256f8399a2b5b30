//! The tables, as the migrations that made them. A migration is added, never edited: people don't update both of their
//! computers on the same day, and an old index is opened by a newer program.

use rusqlite::Connection;

/// Written into the file's header, so that other programs can tell what it is: `Tndm`.
pub(super) const APPLICATION_ID: i32 = 0x546e_646d;

/// Each entry takes a file from the version that is its place in the list to the next one.
const MIGRATIONS: &[&str] = &[FIRST, EARLIER, FOLDERS_THAT_WERE, FOLDERS_IN_HISTORY];

/// The version this program writes.
pub(super) const VERSION: i32 = MIGRATIONS.len() as i32;

/// Brings a file from `version` to [`VERSION`], together or not at all.
pub(super) fn migrate(connection: &Connection, version: i32) -> rusqlite::Result<()> {
    let due = usize::try_from(version).map_or(MIGRATIONS, |done| &MIGRATIONS[done.min(MIGRATIONS.len())..]);
    if due.is_empty() {
        return Ok(());
    }
    connection.execute_batch("BEGIN IMMEDIATE")?;
    let done = due.iter().try_for_each(|migration| connection.execute_batch(migration)).and_then(|()| {
        connection.pragma_update(None, "application_id", APPLICATION_ID)?;
        connection.pragma_update(None, "user_version", VERSION)?;
        connection.execute_batch("COMMIT")
    });
    if done.is_err() {
        // The first error is the one to tell; SQLite may have rolled back already.
        let _ = connection.execute_batch("ROLLBACK");
    }
    done
}

const FIRST: &str = "
-- What there is one of: cursor, guard, stamps, budgets, listing tokens.
CREATE TABLE state (name TEXT PRIMARY KEY NOT NULL, value BLOB NOT NULL) WITHOUT ROWID;

-- Folders by number, so that items name them in a byte or two. `record` is what the replica knows (JSON), if anything.
-- The counts follow the items: a guard asks for them once per deletion.
CREATE TABLE folders (
    id INTEGER PRIMARY KEY,
    uid BLOB NOT NULL UNIQUE,
    record TEXT,
    base_items INTEGER NOT NULL DEFAULT 0,
    local_items INTEGER NOT NULL DEFAULT 0,
    live_items INTEGER NOT NULL DEFAULT 0
);

-- What comes before the last part of an href; thousands of items share it.
CREATE TABLE places (id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE);

-- The replica's items. `state` is what the store holds, else the base, else what the hub says; the others are only
-- written where they differ from it. See `item.rs`.
CREATE TABLE items (
    id INTEGER PRIMARY KEY,
    uid BLOB NOT NULL UNIQUE,
    folder INTEGER,
    dirty INTEGER NOT NULL,
    unpaired INTEGER,
    place INTEGER,
    href_hash INTEGER,
    base_seq INTEGER,
    state BLOB,
    tail TEXT,
    rev BLOB,
    file_id INTEGER,
    object_uid BLOB,
    local_fields BLOB,
    base_state BLOB,
    stored_state BLOB,
    base_fields BLOB,
    remote_seq INTEGER,
    remote_state BLOB,
    hold TEXT
);
CREATE INDEX items_by_folder ON items (folder) WHERE place IS NOT NULL;
CREATE INDEX items_by_href ON items (href_hash) WHERE href_hash IS NOT NULL;
CREATE INDEX items_dirty ON items (dirty) WHERE dirty;
CREATE INDEX items_unpaired ON items (folder, unpaired) WHERE unpaired IS NOT NULL;
CREATE INDEX items_held ON items (uid) WHERE hold IS NOT NULL;

-- Conflicts the replica knows of (JSON).
CREATE TABLE conflicts (id BLOB PRIMARY KEY NOT NULL, conflict TEXT NOT NULL) WITHOUT ROWID;

-- The hub's log: one current row per subject. kind: 0 folder, 1 item, 2 conflict. `folder` is the folder of a live item
-- and the parent of a live folder; `canon` and `identity` are the first four bytes of a live item's hashes. A row
-- without body says that its subject is gone or decided; a tombstone is a body without `canon`.
CREATE TABLE log (
    seq INTEGER PRIMARY KEY,
    kind INTEGER NOT NULL,
    uid BLOB NOT NULL,
    folder INTEGER,
    canon INTEGER,
    identity INTEGER,
    body BLOB,
    UNIQUE (uid, kind)
);
CREATE INDEX log_by_content ON log (folder, canon) WHERE canon IS NOT NULL;
CREATE INDEX log_by_identity ON log (folder, identity) WHERE identity IS NOT NULL;
CREATE INDEX log_of_folders ON log (folder) WHERE kind = 0 AND body IS NOT NULL;
CREATE TABLE marks (seq INTEGER PRIMARY KEY, hash BLOB NOT NULL);
CREATE TABLE replicas (id BLOB PRIMARY KEY NOT NULL, record TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE held_deletions (item BLOB PRIMARY KEY NOT NULL, deletion TEXT NOT NULL) WITHOUT ROWID;

-- Steps begun at the store and not yet known to be done. A number is never used twice, so a late close closes nothing new.
CREATE TABLE intents (id INTEGER PRIMARY KEY AUTOINCREMENT, item BLOB NOT NULL, intent BLOB NOT NULL, context BLOB NOT NULL);

CREATE TABLE devices (
    id BLOB PRIMARY KEY NOT NULL,
    key BLOB NOT NULL UNIQUE,
    name TEXT NOT NULL,
    platform TEXT NOT NULL,
    paired_at INTEGER NOT NULL,
    path TEXT NOT NULL,
    last_seen_day INTEGER,
    removed_at INTEGER,
    is_allowed_again INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE tickets (
    digest BLOB PRIMARY KEY NOT NULL,
    uses_left INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    failures INTEGER NOT NULL
) WITHOUT ROWID;

-- History. A run that goes on has no end and no counts (JSON) yet. `before` and `after` are item states whose folder is
-- the entry's where they say nothing else.
CREATE TABLE runs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    started_at INTEGER NOT NULL,
    ended_at INTEGER,
    partner TEXT NOT NULL,
    counts TEXT
);
CREATE INDEX runs_open ON runs (id) WHERE ended_at IS NULL;
CREATE TABLE entries (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    run INTEGER NOT NULL REFERENCES runs (id),
    at INTEGER NOT NULL,
    item BLOB NOT NULL,
    folder INTEGER NOT NULL,
    action INTEGER NOT NULL,
    side INTEGER NOT NULL,
    title TEXT NOT NULL,
    before BLOB,
    after BLOB,
    undone_by INTEGER
);
CREATE INDEX entries_by_run ON entries (run);
CREATE INDEX entries_by_item ON entries (item);

-- Contents that items had before, and when they had them last: so that a change can be undone.
CREATE TABLE before_images (native BLOB PRIMARY KEY NOT NULL, kept_at INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX before_images_by_age ON before_images (kept_at);
";

const EARLIER: &str = "
-- What the store held of an item before, newest last: the first eight bytes of its hash. Going back to it in many items at
-- once looks like a restored backup.
CREATE TABLE earlier (id INTEGER PRIMARY KEY AUTOINCREMENT, item BLOB NOT NULL, content INTEGER NOT NULL);
CREATE UNIQUE INDEX earlier_by_item ON earlier (item, content);
";

const FOLDERS_THAT_WERE: &str = "
-- What a folder was when it was deleted (JSON): whoever takes back the deletion of an item may need its folder, too.
ALTER TABLE folders ADD COLUMN was TEXT;
";

const FOLDERS_IN_HISTORY: &str = "
-- From here on an entry may be about a folder: then `item` is the folder's uid, and `before` and `after` are folder states
-- (JSON). Nothing about the tables changes, but a program that doesn't know such entries must not read them.
";

/// Lets the hub find a content in the server's own store. A client never asks, so only a server pays for it.
pub(super) const SERVE: &str = "
CREATE INDEX IF NOT EXISTS items_by_content ON items (substr(state, 1, 8)) WHERE place IS NOT NULL;
";
