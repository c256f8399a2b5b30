//! The computers a server knows, tickets, and how often somebody guessed.

use super::{Fault, Index, bits};
use identity::{DeviceId, PublicKey};
use rusqlite::Row;
use sync::index::Result;

/// A computer that was added.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Device {
    /// Follows from the key.
    pub id: DeviceId,
    /// Opens the door, unless the device was removed.
    pub key: PublicKey,
    /// What the owner calls it.
    pub name: String,
    /// The system it runs, in its own words.
    pub platform: String,
    /// Seconds since 1970.
    pub paired_at: u64,
    /// How it found the server.
    pub paired_by: PairedBy,
    /// Days since 1970. A day is enough for the owner, and more would be a diary of a person.
    pub last_seen_day: Option<u64>,
    /// Seconds since 1970. A removed device stays in the list, so that its key is refused.
    pub removed_at: Option<u64>,
    /// The owner said yes to a removed device's return; the next pairing with the password brings it back.
    pub is_allowed_again: bool,
}

/// How a device found the server when it was added.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum PairedBy {
    /// By an invitation.
    Invitation,
    /// By the server ID.
    ServerId,
    /// In the local network.
    Lan,
    /// By an address that somebody typed.
    Address,
}

/// A one-time ticket of an invitation: a guess budget of its own.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Ticket {
    /// [`identity::Token::digest`]: a reader of the file can't use the ticket.
    pub digest: [u8; 32],
    /// How many computers it can still add.
    pub uses_left: u32,
    /// Seconds since 1970.
    pub expires_at: u64,
    /// Wrong passwords given with it.
    pub failures: u32,
}

const BUDGETS: &str = "guess.budgets";

const DEVICE: &str =
    "SELECT id, key, name, platform, paired_at, path, last_seen_day, removed_at, is_allowed_again FROM devices";

const TICKET: &str = "SELECT digest, uses_left, expires_at, failures FROM tickets";

impl Index {
    /// Every device, removed ones included, in the order they were added.
    pub fn devices(&self) -> Result<Vec<Device>> {
        self.0.all(&format!("{DEVICE} ORDER BY paired_at, id"), (), read_device)
    }

    /// A device by its name.
    pub fn device(&self, id: DeviceId) -> Result<Option<Device>> {
        self.0.one(&format!("{DEVICE} WHERE id = ?1"), [id.as_bytes()], read_device)
    }

    /// Remembers a device.
    pub fn put_device(&self, device: &Device) -> Result<()> {
        let Device { id, key, name, platform, paired_at, paired_by, last_seen_day, removed_at, is_allowed_again } =
            device;
        self.0.run(
            "INSERT OR REPLACE INTO devices
                 (id, key, name, platform, paired_at, path, last_seen_day, removed_at, is_allowed_again)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            rusqlite::params![
                id.as_bytes(),
                key.as_bytes(),
                name,
                platform,
                bits(*paired_at),
                paired_by.as_str(),
                last_seen_day.map(bits),
                removed_at.map(bits),
                is_allowed_again,
            ],
        )?;
        Ok(())
    }

    /// A ticket by what is stored of it.
    pub fn ticket(&self, digest: &[u8; 32]) -> Result<Option<Ticket>> {
        self.0.one(&format!("{TICKET} WHERE digest = ?1"), [digest], read_ticket)
    }

    /// Every ticket.
    pub fn tickets(&self) -> Result<Vec<Ticket>> {
        self.0.all(&format!("{TICKET} ORDER BY digest"), (), read_ticket)
    }

    /// Remembers a ticket; one that can add nothing more is forgotten.
    pub fn put_ticket(&self, ticket: &Ticket) -> Result<()> {
        if ticket.uses_left == 0 {
            self.0.run("DELETE FROM tickets WHERE digest = ?1", [ticket.digest])?;
            return Ok(());
        }
        self.0.run(
            "INSERT OR REPLACE INTO tickets (digest, uses_left, expires_at, failures) VALUES (?1, ?2, ?3, ?4)",
            (ticket.digest, ticket.uses_left, bits(ticket.expires_at), ticket.failures),
        )?;
        Ok(())
    }

    /// Forgets the tickets that end by `now_secs`.
    pub fn forget_expired_tickets(&self, now_secs: u64) -> Result<()> {
        let now = i64::try_from(now_secs).unwrap_or(i64::MAX);
        self.0.run("DELETE FROM tickets WHERE expires_at <= ?1", [now])?;
        Ok(())
    }

    /// Forgets every ticket: the password was changed.
    pub fn forget_tickets(&self) -> Result<()> {
        self.0.run("DELETE FROM tickets", ())?;
        Ok(())
    }

    /// The state of the guess budgets, so that a restart doesn't refill them.
    pub fn guess_budgets(&self) -> Result<Option<Vec<u8>>> {
        self.value(BUDGETS)
    }

    /// Remembers the state of the guess budgets.
    pub fn set_guess_budgets(&self, budgets: &[u8]) -> Result<()> {
        self.set_value(BUDGETS, Some(budgets))
    }
}

fn read_ticket(row: &Row<'_>) -> std::result::Result<Ticket, Fault> {
    Ok(Ticket {
        digest: row.get(0)?,
        uses_left: row.get(1)?,
        expires_at: row.get::<_, i64>(2)?.cast_unsigned(),
        failures: row.get(3)?,
    })
}

fn read_device(row: &Row<'_>) -> std::result::Result<Device, Fault> {
    let seconds = |column| row.get::<_, Option<i64>>(column).map(|seconds| seconds.map(i64::cast_unsigned));
    Ok(Device {
        id: DeviceId::from_bytes(row.get(0)?),
        key: PublicKey::from_bytes(&row.get(1)?).map_err(|_| Fault::Damaged("a device's key isn't one"))?,
        name: row.get(2)?,
        platform: row.get(3)?,
        paired_at: row.get::<_, i64>(4)?.cast_unsigned(),
        paired_by: PairedBy::named(row.get_ref(5)?.as_str()?)?,
        last_seen_day: seconds(6)?,
        removed_at: seconds(7)?,
        is_allowed_again: row.get(8)?,
    })
}

impl PairedBy {
    const ALL: [Self; 4] = [Self::Invitation, Self::ServerId, Self::Lan, Self::Address];

    /// The stable name, as stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Invitation => "invitation",
            Self::ServerId => "server-id",
            Self::Lan => "lan",
            Self::Address => "address",
        }
    }

    fn named(name: &str) -> std::result::Result<Self, Fault> {
        let found = Self::ALL.into_iter().find(|path| path.as_str() == name);
        found.ok_or(Fault::Damaged("a device came by an unknown path"))
    }
}
