//! What an endpoint keeps over a restart: the keys by which clients notice that the server started anew and by which
//! the server recognizes addresses it has seen, and on the client the tokens that save a round trip.

use bytes::Bytes;
use hmac::{Hmac, Mac};
use quinn::{ConnectionId, ConnectionIdGenerator, TokenLog, TokenReuseError, TokenStore};
use quinn_proto::InvalidCid;
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use std::{
    collections::BTreeMap,
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

/// Give it to the endpoint at start, take it back with [`Endpoint::saved`](crate::Endpoint::saved) after a connection
/// and at the end, and store it where secrets may lie.
#[derive(Clone, Serialize, Deserialize)]
pub struct SavedTransport {
    reset_key: [u8; 32],
    token_key: [u8; 32],
    tokens: Tokens,
}

type Tokens = BTreeMap<String, Vec<Vec<u8>>>;

impl SavedTransport {
    /// For an endpoint that never ran before.
    #[must_use]
    pub fn generate() -> Self {
        let mut keys = [[0; 32]; 2];
        for key in &mut keys {
            getrandom::fill(key).expect("the system gives random bytes, or nothing here is safe");
        }
        let [reset_key, token_key] = keys;
        Self { reset_key, token_key, tokens: BTreeMap::new() }
    }

    pub(crate) fn with_tokens(&self, tokens: &AddressTokens) -> Self {
        Self { tokens: tokens.tokens().clone(), ..self.clone() }
    }

    pub(crate) fn address_tokens(&self) -> AddressTokens {
        AddressTokens(Mutex::new(self.tokens.clone()))
    }

    /// How an endpoint on any socket of this computer behaves.
    pub(crate) fn transport(&self) -> quinn::EndpointConfig {
        let mut transport = quinn::EndpointConfig::new(std::sync::Arc::new(self.reset_key()));
        let connection_ids = self.connection_ids();
        transport.cid_generator(move || Box::new(connection_ids.clone()));
        transport
    }

    fn reset_key(&self) -> aws_lc_rs::hmac::Key {
        aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, &self.reset_key)
    }

    pub(crate) fn token_key(&self) -> aws_lc_rs::hkdf::Prk {
        aws_lc_rs::hkdf::Salt::new(aws_lc_rs::hkdf::HKDF_SHA256, b"tandem address token 1").extract(&self.token_key)
    }

    fn connection_ids(&self) -> OwnConnectionIds {
        OwnConnectionIds { key: self.reset_key }
    }
}

impl fmt::Debug for SavedTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SavedTransport").field("servers", &self.tokens.len()).finish_non_exhaustive()
    }
}

/// Address tokens servers gave us, for one use each.
#[derive(Debug)]
pub(crate) struct AddressTokens(Mutex<Tokens>);

const TOKENS_PER_SERVER: usize = 4;
const SERVERS_MAX: usize = 64;
const TOKEN_LEN_MAX: usize = 256;

impl AddressTokens {
    fn tokens(&self) -> MutexGuard<'_, Tokens> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TokenStore for AddressTokens {
    fn insert(&self, server_name: &str, token: Bytes) {
        let mut tokens = self.tokens();
        if token.len() > TOKEN_LEN_MAX || (tokens.len() >= SERVERS_MAX && !tokens.contains_key(server_name)) {
            return;
        }
        let of_server = tokens.entry(server_name.to_owned()).or_default();
        if of_server.len() >= TOKENS_PER_SERVER {
            of_server.remove(0);
        }
        of_server.push(token.to_vec());
    }

    fn take(&self, server_name: &str) -> Option<Bytes> {
        // The newest: the address we have now is the likeliest to be the one it was given for.
        self.tokens().get_mut(server_name)?.pop().map(Bytes::from)
    }
}

/// Address tokens that came back, so that none counts twice. A restart forgets them, which lets someone who watched a
/// token skip proving the address once; the knock and everything behind it stand.
#[derive(Debug, Default)]
pub(crate) struct UsedTokens(Mutex<BTreeMap<u128, SystemTime>>);

const USED_TOKENS_MAX: usize = 4096;

impl TokenLog for UsedTokens {
    fn check_and_insert(&self, nonce: u128, issued: SystemTime, lifetime: Duration) -> Result<(), TokenReuseError> {
        let mut used = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if used.len() >= USED_TOKENS_MAX {
            let now = SystemTime::now();
            used.retain(|_, issued| *issued + lifetime > now);
        }
        // Full of tokens that still hold: ask the client to prove its address instead.
        if used.len() >= USED_TOKENS_MAX || used.contains_key(&nonce) {
            return Err(TokenReuseError);
        }
        used.insert(nonce, issued);
        Ok(())
    }
}

/// Connection IDs that only this installation can make, before and after a restart. A packet of a connection nobody
/// knows any more gets an answer (a stateless reset) only if it carries one; strangers can't make one.
#[derive(Clone)]
pub(crate) struct OwnConnectionIds {
    key: [u8; 32],
}

const ID_LEN: usize = 8;
const ID_NONCE_LEN: usize = 3;

impl OwnConnectionIds {
    fn mark(&self, nonce: &[u8]) -> [u8; ID_LEN - ID_NONCE_LEN] {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("HMAC takes keys of any length");
        mac.update(b"connection id");
        mac.update(nonce);
        mac.finalize().into_bytes()[..ID_LEN - ID_NONCE_LEN].try_into().expect("cut to this length")
    }
}

impl ConnectionIdGenerator for OwnConnectionIds {
    fn generate_cid(&mut self) -> ConnectionId {
        let mut id = [0; ID_LEN];
        getrandom::fill(&mut id[..ID_NONCE_LEN]).expect("the system gives random bytes, or nothing here is safe");
        let mark = self.mark(&id[..ID_NONCE_LEN]);
        id[ID_NONCE_LEN..].copy_from_slice(&mark);
        ConnectionId::new(&id)
    }

    fn validate(&self, id: &ConnectionId) -> Result<(), InvalidCid> {
        let is_own = id.len() == ID_LEN && self.mark(&id[..ID_NONCE_LEN]) == id[ID_NONCE_LEN..];
        if is_own { Ok(()) } else { Err(InvalidCid) }
    }

    fn cid_len(&self) -> usize {
        ID_LEN
    }

    fn cid_lifetime(&self) -> Option<Duration> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_connection_ids_are_known_after_a_restart_and_no_others() {
        let saved = SavedTransport::generate();
        let id = saved.connection_ids().generate_cid();
        assert!(saved.connection_ids().validate(&id).is_ok());
        assert!(SavedTransport::generate().connection_ids().validate(&id).is_err());
        assert!(saved.connection_ids().validate(&ConnectionId::new(&[0; 8])).is_err());
        assert!(saved.connection_ids().validate(&ConnectionId::new(&[])).is_err());
    }

    #[test]
    fn a_token_is_used_once_and_survives_a_restart() {
        let saved = SavedTransport::generate();
        let tokens = saved.address_tokens();
        tokens.insert("office", Bytes::from_static(b"first"));
        tokens.insert("office", Bytes::from_static(b"second"));
        let json = serde_json::to_string(&saved.with_tokens(&tokens)).expect("plain data");
        let restarted: SavedTransport = serde_json::from_str(&json).expect("own data");
        let tokens = restarted.address_tokens();
        assert_eq!(tokens.take("office").as_deref(), Some(b"second".as_slice()));
        assert_eq!(tokens.take("office").as_deref(), Some(b"first".as_slice()));
        assert_eq!(tokens.take("office"), None);
        assert_eq!(tokens.take("elsewhere"), None);
    }

    #[test]
    fn a_hostile_server_cannot_fill_the_token_store() {
        let tokens = SavedTransport::generate().address_tokens();
        for at in 0..1000 {
            tokens.insert("office", Bytes::from(vec![0; 100]));
            tokens.insert(&format!("server {at}"), Bytes::from(vec![0; 100]));
        }
        tokens.insert("office", Bytes::from(vec![1; 5000]));
        assert_eq!(tokens.tokens().len(), SERVERS_MAX);
        assert_eq!(tokens.tokens()["office"].len(), TOKENS_PER_SERVER);
        assert!(tokens.tokens()["office"].iter().all(|token| token.len() == 100));
    }

    #[test]
    fn a_returned_token_counts_once() {
        let used = UsedTokens::default();
        let day = Duration::from_secs(86_400);
        assert!(used.check_and_insert(1, SystemTime::now(), day).is_ok());
        assert!(used.check_and_insert(1, SystemTime::now(), day).is_err());
        assert!(used.check_and_insert(2, SystemTime::now(), day).is_ok());
    }

    #[test]
    fn it_prints_no_keys() {
        assert_eq!(format!("{:?}", SavedTransport::generate()), "SavedTransport { servers: 0, .. }");
    }
}
