//! Servers that publish, and directories to publish in.
#![allow(dead_code, reason = "each test program uses a part")]

#[cfg(unix)]
pub(crate) mod postgres;

use directory::{Client, DirectoryUrl};
use directory_server::{Config, Server};
use identity::{Comment, IdentityKey, Salt, ServerId, ServerName, ServerRecord, ServiceId};
use std::{path::Path, sync::LazyLock};

/// A server with a record of its own. Its ID takes half a second, so it is derived once.
#[derive(Clone, Debug)]
pub(crate) struct Office {
    pub(crate) key: IdentityKey,
    pub(crate) record: ServerRecord,
    pub(crate) id: ServerId,
}

impl Office {
    pub(crate) fn new(number: u8) -> Self {
        Self::with_comment(number, "Anna, front desk")
    }

    pub(crate) fn with_comment(number: u8, comment: &str) -> Self {
        let mut office = Self::with_any_id(number, any_id(0));
        office.record.comment = Some(Comment::parse(comment).expect("a comment"));
        office.id = office.record.server_id();
        office
    }

    /// With an ID that its record doesn't commit to, made without waiting: directories don't look at that.
    pub(crate) fn with_any_id(number: u8, id: ServerId) -> Self {
        let key = IdentityKey::from_seed(&[number; 32]);
        let record = ServerRecord {
            name: ServerName::parse(&format!("Office PC {number}")).expect("a name"),
            comment: None,
            public_key: key.public(),
            service_id: ServiceId::from_bytes([number; 16]),
            salt: Salt::from_bytes([number; 16]),
        };
        Self { key, record, id }
    }

    pub(crate) fn signed(&self) -> Vec<u8> {
        self.record.sign(&self.key).expect("its own key")
    }
}

/// Settings of a directory on a port of its own, with its file in this folder, and with plenty of everything.
pub(crate) fn config(folder: &Path) -> Config {
    let mut config = Config { listen: "127.0.0.1:0".parse().expect("an address"), ..Config::default() };
    config.data = folder.to_owned();
    config.limits.publishes_per_day = 1000;
    config.limits.publishes_per_second = 1000;
    config.limits.lookups_burst = 1000;
    config.limits.lookups_per_second = 1000;
    config.limits.connections_per_source = 1000;
    config
}

pub(crate) async fn start(config: &Config) -> (Server, Client) {
    let server = Server::start(config).await.expect("a directory");
    let client = client(&format!("http://{}", server.addresses().http));
    (server, client)
}

pub(crate) fn client(url: &str) -> Client {
    Client::new(DirectoryUrl::parse(url).expect("an address")).expect("a client")
}

/// Says whether any file below this folder holds these bytes.
pub(crate) fn holds(folder: &Path, needle: &[u8]) -> bool {
    std::fs::read_dir(folder).expect("a folder").any(|entry| {
        let path = entry.expect("an entry").path();
        match path.is_dir() {
            true => holds(&path, needle),
            false => std::fs::read(&path).expect("a file").windows(needle.len()).any(|window| window == needle),
        }
    })
}

/// The ID with this number. IDs are a linear code, so all of them are sums of a few.
pub(crate) fn any_id(number: u64) -> ServerId {
    const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    static POWERS: LazyLock<Vec<[usize; 16]>> = LazyLock::new(|| (0..64).map(power_of_two).collect());

    fn text(symbols: &[usize; 16]) -> String {
        symbols.iter().map(|symbol| char::from(ALPHABET[*symbol])).collect()
    }

    /// The ID with one bit set among those that aren't there to check the others.
    fn power_of_two(bit: usize) -> [usize; 16] {
        let mut symbols = [0; 16];
        symbols[bit / 5] = 1 << (bit % 5);
        for checks in 0..1024 {
            (symbols[14], symbols[15]) = (checks / 32, checks % 32);
            if ServerId::parse(&text(&symbols)).is_ok() {
                return symbols;
            }
        }
        unreachable!("two symbols check all the others");
    }

    let mut symbols = [0; 16];
    for bit in (0..64).filter(|bit| number >> bit & 1 == 1) {
        for (symbol, other) in symbols.iter_mut().zip(POWERS[bit]) {
            *symbol ^= other;
        }
    }
    ServerId::parse(&text(&symbols)).expect("a sum of IDs is one")
}
