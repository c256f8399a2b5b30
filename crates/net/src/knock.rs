//! The knock: the first connection ID of a client carries proof that the client knows a secret of the server.
//!
//! `n8 ‖ HMAC-SHA256(key, "knock1" ‖ n8)[..12]`, 20 bytes, n8 random. Whoever doesn't know the key gets no packet at
//! all, so the port looks closed. Whoever watched a knock can repeat it; that opens nothing but the door to TLS.

use hmac::{Hmac, Mac};
use identity::ServiceId;
use quinn::ConnectionId;
use sha2::Sha256;
use std::fmt;

const NONCE_LEN: usize = 8;
const LEN: usize = 20;

/// A secret that opens the port.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct KnockKey([u8; 16]);

impl KnockKey {
    /// The key of everyone who was invited.
    #[must_use]
    pub const fn of_service(service_id: &ServiceId) -> Self {
        Self(*service_id.as_bytes())
    }

    /// A key made for one purpose, as for the local network.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// A new one.
    #[must_use]
    pub fn generate() -> Self {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).expect("the system gives random bytes, or nothing here is safe");
        Self(bytes)
    }

    /// As the local network is told it.
    pub(crate) fn to_hex(self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    pub(crate) fn from_hex(text: &str) -> Option<Self> {
        let is_hex = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = u128::from_str_radix(text, 16).ok().filter(|_| is_hex)?;
        Some(Self(number.to_be_bytes()))
    }

    pub(crate) const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    pub(crate) fn knock(&self) -> ConnectionId {
        let mut id = [0; LEN];
        getrandom::fill(&mut id[..NONCE_LEN]).expect("the system gives random bytes, or nothing here is safe");
        let proof = self.proof(&id[..NONCE_LEN]).finalize().into_bytes();
        id[NONCE_LEN..].copy_from_slice(&proof[..LEN - NONCE_LEN]);
        ConnectionId::new(&id)
    }

    pub(crate) fn opens(&self, id: &ConnectionId) -> bool {
        id.len() == LEN && self.proof(&id[..NONCE_LEN]).verify_truncated_left(&id[NONCE_LEN..]).is_ok()
    }

    fn proof(&self, nonce: &[u8]) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        mac.update(b"knock1");
        mac.update(nonce);
        mac
    }
}

impl fmt::Debug for KnockKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KnockKey(..)")
    }
}

/// Whom a knock lets through to TLS.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum KnockScope {
    /// Everyone who knows it.
    Anyone,
    /// Devices that are paired already: an old service ID, kept for those who haven't heard of the new one.
    KnownDevices,
    /// Everyone in the same network.
    LocalNetwork,
}

/// One key with those it is for.
#[derive(Clone, Copy, Debug)]
pub struct Knock {
    /// The secret.
    pub key: KnockKey,
    /// Whom it lets through.
    pub scope: KnockScope,
}

/// The scope of the first key that opens.
pub(crate) fn check(knocks: &[Knock], id: &ConnectionId, is_lan: bool) -> Option<KnockScope> {
    let scope = knocks.iter().find(|knock| knock.key.opens(id))?.scope;
    (scope != KnockScope::LocalNetwork || is_lan).then_some(scope)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OFFICE: KnockKey = KnockKey::from_bytes([1; 16]);
    const LAN: KnockKey = KnockKey::from_bytes([2; 16]);
    const OLD: KnockKey = KnockKey::from_bytes([3; 16]);

    fn knocks() -> [Knock; 3] {
        [
            Knock { key: OFFICE, scope: KnockScope::Anyone },
            Knock { key: OLD, scope: KnockScope::KnownDevices },
            Knock { key: LAN, scope: KnockScope::LocalNetwork },
        ]
    }

    #[test]
    fn each_key_opens_for_its_own() {
        assert_eq!(check(&knocks(), &OFFICE.knock(), false), Some(KnockScope::Anyone));
        assert_eq!(check(&knocks(), &OLD.knock(), false), Some(KnockScope::KnownDevices));
        assert_eq!(check(&knocks(), &LAN.knock(), true), Some(KnockScope::LocalNetwork));
        assert_eq!(check(&knocks(), &LAN.knock(), false), None);
        assert_eq!(check(&knocks(), &KnockKey::from_bytes([9; 16]).knock(), true), None);
    }

    #[test]
    fn nothing_but_the_whole_proof_opens() {
        let good = OFFICE.knock();
        for bit in 0..good.len() * 8 {
            let mut id = good.to_vec();
            id[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(check(&knocks(), &ConnectionId::new(&id), true), None, "bit {bit}");
        }
        assert_eq!(check(&knocks(), &ConnectionId::new(&good[..19]), true), None);
        assert_eq!(check(&knocks(), &ConnectionId::new(&[]), true), None);
        assert_eq!(check(&[], &good, true), None);
    }

    #[test]
    fn no_two_knocks_are_alike() {
        assert_ne!(OFFICE.knock(), OFFICE.knock());
    }
}
