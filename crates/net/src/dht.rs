//! The Mainline DHT (BEP 5) as a place for small encrypted values that only their owners can find (BEP 44).
//!
//! Everybody who holds the two keys of a value ([`ValueKeys`]) can read and write it; those who store it see an
//! unlinkable key and ciphertext of a padded length. What a value says must be signed inside, by whom it is about.
//!
//! This computer is a client of the DHT: it asks and stores. Only when it turns out to be reachable does it answer
//! others too, as the DHT lives from that.

use aws_lc_rs::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use futures_lite::StreamExt as _;
use mainline::{MutableItem, SigningKey, async_dht::AsyncDht, errors::PutMutableError};
use std::{fmt, io, net::Ipv4Addr, time::Duration};
use tokio::{sync::mpsc, task::JoinSet, time::timeout};

/// This computer's place in the DHT. Leaves it when the last copy is dropped.
#[derive(Clone, Debug)]
pub struct Dht(AsyncDht);

/// A network of a few nodes on this computer alone, for trying things out. It ends when it is dropped.
pub struct LoopbackDht(mainline::Testnet);

impl fmt::Debug for LoopbackDht {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LoopbackDht").field(&self.0.bootstrap).finish()
    }
}

impl LoopbackDht {
    /// Starts it; takes a second, so call it where waiting is fine.
    pub fn start() -> io::Result<Self> {
        const NODES: usize = 5;
        mainline::Testnet::builder(NODES).bind_address(Ipv4Addr::LOCALHOST).build().map(Self)
    }

    /// Nodes to begin with (`IP:PORT`).
    #[must_use]
    pub fn bootstrap(&self) -> &[String] {
        &self.0.bootstrap
    }
}

/// Why a value isn't stored.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum DhtError {
    /// No node answered: this computer is offline, or its network lets no UDP out.
    #[error("no node of the network for addresses answered")]
    NoNode,
    /// The nodes hold a newer value.
    #[error("a newer value is stored already")]
    NotNewest,
    /// Nodes answered, and none took the value.
    #[error("no node took the value")]
    NotStored,
}

/// What leads to a value.
#[derive(Clone)]
pub(crate) struct ValueKeys {
    /// Seed of the ed25519 key under which it is stored.
    pub(crate) signing_seed: [u8; 32],
    /// What it is encrypted with.
    pub(crate) secret: [u8; 32],
}

/// A value as it was found.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) seq: i64,
    /// `None`: it was overwritten with nothing, or can't be opened.
    pub(crate) content: Option<Vec<u8>>,
    pub(crate) is_empty: bool,
}

/// The longest value nodes take (BEP 44).
const VALUE_MAX: usize = 1000;
const TAG_LEN: usize = 16;
const LEN_LEN: usize = 2;
/// Lengths are rounded up to this, so that they tell little.
const PADDED_TO: usize = 64;
/// The longest content.
pub(crate) const CONTENT_MAX: usize = (VALUE_MAX - NONCE_LEN - TAG_LEN) / PADDED_TO * PADDED_TO - LEN_LEN;
const PUT_MAX: Duration = Duration::from_secs(15);
const GET_MAX: Duration = Duration::from_secs(6);

impl Dht {
    /// Takes part. `bootstrap` are nodes to begin with (`HOST:PORT`; none: those everybody knows), `remembered` those
    /// of an earlier time. Names are resolved here, so call it where waiting is fine.
    pub fn open(bootstrap: &[String], remembered: &[String]) -> io::Result<Self> {
        let mut nodes: Vec<&str> = match bootstrap {
            [] => mainline::DEFAULT_BOOTSTRAP_NODES.to_vec(),
            own => own.iter().map(String::as_str).collect(),
        };
        nodes.extend(remembered.iter().map(String::as_str));
        // Any port: the usual one would say what this computer takes part in.
        let dht = mainline::Dht::builder().bootstrap(&nodes).port(0).build()?;
        Ok(Self(dht.as_async()))
    }

    /// Nodes to begin with next time.
    pub async fn remembered(&self) -> Vec<String> {
        let mut nodes = self.0.to_bootstrap().await;
        nodes.truncate(32);
        nodes
    }

    pub(crate) async fn put(&self, keys: &ValueKeys, content: &[u8], seq: i64) -> Result<(), DhtError> {
        let value = if content.is_empty() { Vec::new() } else { seal(keys, content) };
        let item = MutableItem::new(keys.signing_key(), &value, seq, None);
        match timeout(PUT_MAX, self.0.put_mutable(item, None)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(PutMutableError::Concurrency(_))) => Err(DhtError::NotNewest),
            Ok(Err(PutMutableError::Query(error))) => Err(match error {
                mainline::errors::PutQueryError::NoClosestNodes | mainline::errors::PutQueryError::Timeout => {
                    DhtError::NoNode
                }
                mainline::errors::PutQueryError::ErrorResponse(_) => DhtError::NotStored,
            }),
            Err(_) => Err(DhtError::NoNode),
        }
    }

    /// Everything that is stored under these keys, as answers come. The channel closes when no more will.
    pub(crate) fn get(&self, keys: Vec<ValueKeys>) -> mpsc::Receiver<(usize, Found)> {
        let (found, receiver) = mpsc::channel(64);
        let mut asking = JoinSet::new();
        for (which, keys) in keys.into_iter().enumerate() {
            let (dht, found) = (self.0.clone(), found.clone());
            asking.spawn(async move {
                let public = keys.public();
                let mut items = dht.get_mutable(&public, None, None);
                while let Some(item) = items.next().await {
                    let content = open(&keys, item.value());
                    let value = Found { seq: item.seq(), content, is_empty: item.value().is_empty() };
                    if found.send((which, value)).await.is_err() {
                        return;
                    }
                }
            });
        }
        tokio::spawn(async move {
            tokio::select! {
                _ = timeout(GET_MAX, async { while asking.join_next().await.is_some() {} }) => {}
                () = found.closed() => {}
            }
        });
        receiver
    }

    /// Whether any node answers.
    pub async fn answers(&self) -> bool {
        timeout(GET_MAX, self.0.bootstrapped()).await.unwrap_or(false)
    }
}

impl ValueKeys {
    fn signing_key(&self) -> SigningKey {
        SigningKey::from_bytes(&self.signing_seed)
    }

    /// The key under which nodes store the value.
    pub(crate) fn public(&self) -> [u8; 32] {
        self.signing_key().verifying_key().to_bytes()
    }

    fn cipher(&self) -> LessSafeKey {
        let key = UnboundKey::new(&CHACHA20_POLY1305, &self.secret).expect("32 bytes");
        LessSafeKey::new(key)
    }
}

/// Nonce ‖ ChaCha20-Poly1305(length ‖ content ‖ zeros), bound to the key it is stored under.
fn seal(keys: &ValueKeys, content: &[u8]) -> Vec<u8> {
    assert!(content.len() <= CONTENT_MAX, "whoever makes contents keeps to CONTENT_MAX");
    let mut nonce = [0; NONCE_LEN];
    getrandom::fill(&mut nonce).expect("the system gives random bytes, or nothing here is safe");
    let mut sealed = (content.len() as u16).to_be_bytes().to_vec();
    sealed.extend_from_slice(content);
    sealed.resize(sealed.len().next_multiple_of(PADDED_TO), 0);
    keys.cipher()
        .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(keys.public()), &mut sealed)
        .expect("far shorter than what the cipher takes");
    [nonce.as_slice(), &sealed].concat()
}

fn open(keys: &ValueKeys, value: &[u8]) -> Option<Vec<u8>> {
    let (nonce, sealed) = value.split_first_chunk::<NONCE_LEN>()?;
    let mut sealed = sealed.to_vec();
    let nonce = Nonce::assume_unique_for_key(*nonce);
    let opened = keys.cipher().open_in_place(nonce, Aad::from(keys.public()), &mut sealed).ok()?;
    let (len, rest) = opened.split_first_chunk::<LEN_LEN>()?;
    rest.get(..usize::from(u16::from_be_bytes(*len))).map(<[u8]>::to_vec)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(seed: u8) -> ValueKeys {
        ValueKeys { signing_seed: [seed; 32], secret: [seed + 100; 32] }
    }

    #[test]
    fn a_value_fits_the_network_and_only_its_keys_open_it() {
        for len in [1, 61, 62, 63, 500, CONTENT_MAX] {
            let content = vec![7; len];
            let value = seal(&keys(1), &content);
            assert!(value.len() <= VALUE_MAX, "{len} → {}", value.len());
            assert_eq!((value.len() - NONCE_LEN - TAG_LEN) % PADDED_TO, 0);
            assert_eq!(open(&keys(1), &value), Some(content));
            assert_eq!(open(&keys(2), &value), None);
            // The same secret under another name: a value can't be moved.
            assert_eq!(open(&ValueKeys { signing_seed: [9; 32], ..keys(1) }, &value), None);
        }
    }

    #[test]
    fn a_damaged_value_is_nothing() {
        let value = seal(&keys(1), b"here");
        for at in 0..value.len() {
            let mut damaged = value.clone();
            damaged[at] ^= 1;
            assert_eq!(open(&keys(1), &damaged), None, "byte {at}");
            assert_eq!(open(&keys(1), &value[..at]), None, "cut at {at}");
        }
    }
}
