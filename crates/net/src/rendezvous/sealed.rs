//! What a client and its server tell each other through a switchboard that must not read it.
//!
//! ChaCha20-Poly1305 under HKDF-SHA256(service ID, "rendezvous call 1"), a random nonce in front. A call is bound to server
//! key and topic, an answer to its call besides, so that nothing can be moved elsewhere. All have one length. Only
//! holders of the service ID can make them; who holds it can also knock.

use super::{SEALED_LEN, Topic};
use crate::{KnockKey, Source, candidates::NAMED_MAX};
use aws_lc_rs::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use hkdf::Hkdf;
use identity::{Hint, PublicKey, ServiceId};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use std::net::SocketAddr;

/// From a client to its server.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct ToServer {
    /// What opens the client's port to a call back, for this call only. It names the call, too.
    pub(crate) call_back: [u8; 16],
    /// The client's addresses in networks of its own.
    pub(crate) addresses: Vec<SocketAddr>,
}

/// From a server to a client.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub(crate) struct ToClient {
    /// Where else the server may be.
    pub(crate) candidates: Vec<(Source, SocketAddr)>,
}

impl ToServer {
    /// Reads what was sealed.
    pub(crate) fn read(text: &[u8]) -> Option<Self> {
        let mut call: Self = postcard::from_bytes(text).ok()?;
        call.addresses.retain(|address| Hint::new(*address).is_some());
        call.addresses.truncate(NAMED_MAX);
        Some(call)
    }
}

impl ToClient {
    /// Reads what was sealed.
    pub(crate) fn read(text: &[u8]) -> Option<Self> {
        let mut answer: Self = postcard::from_bytes(text).ok()?;
        // Also the right server's word doesn't make this computer send to everybody.
        answer.candidates.retain(|(_, address)| Hint::new(*address).is_some());
        answer.candidates.truncate(NAMED_MAX);
        Some(answer)
    }
}

const TAG_LEN: usize = 16;
const LEN_LEN: usize = 2;
const TEXT_LEN: usize = SEALED_LEN - NONCE_LEN - TAG_LEN;

/// Who is called, and what only the two know.
#[derive(Clone)]
pub(super) struct CallKey {
    server: PublicKey,
    topic: Topic,
    secret: [u8; 32],
}

impl CallKey {
    pub(super) fn new(server: PublicKey, service_id: &ServiceId) -> Self {
        let mut secret = [0; 32];
        let hkdf = Hkdf::<Sha256>::new(None, service_id.as_bytes());
        hkdf.expand(b"rendezvous call 1", &mut secret).expect("32 bytes are within what HKDF can give");
        Self { server, topic: Topic::of(service_id), secret }
    }

    pub(super) const fn topic(&self) -> Topic {
        self.topic
    }

    pub(super) fn seal_call(&self, call: &ToServer) -> Vec<u8> {
        self.seal(call, b"")
    }

    pub(super) fn open_call(&self, sealed: &[u8]) -> Option<ToServer> {
        ToServer::read(&self.open(sealed, b"")?)
    }

    pub(super) fn seal_answer(&self, answer: &ToClient, call: &ToServer) -> Vec<u8> {
        self.seal(answer, &call.call_back)
    }

    pub(super) fn open_answer(&self, sealed: &[u8], call_back: &KnockKey) -> Option<ToClient> {
        ToClient::read(&self.open(sealed, call_back.as_bytes())?)
    }

    fn seal(&self, text: &impl Serialize, bound_to: &[u8]) -> Vec<u8> {
        let text = postcard::to_stdvec(text).expect("calls hold nothing that postcard can't write");
        assert!(text.len() <= TEXT_LEN - LEN_LEN, "twelve addresses have room");
        let mut nonce = [0; NONCE_LEN];
        getrandom::fill(&mut nonce).expect("the system gives random bytes, or nothing here is safe");
        let mut sealed = (text.len() as u16).to_be_bytes().to_vec();
        sealed.extend_from_slice(&text);
        sealed.resize(TEXT_LEN, 0);
        self.cipher()
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(self.bound_to(bound_to)),
                &mut sealed,
            )
            .expect("far shorter than what the cipher takes");
        [nonce.as_slice(), &sealed].concat()
    }

    fn open(&self, sealed: &[u8], bound_to: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_LEN>()?;
        let mut sealed = sealed.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let text = self.cipher().open_in_place(nonce, Aad::from(self.bound_to(bound_to)), &mut sealed).ok()?;
        let (len, rest) = text.split_first_chunk::<LEN_LEN>()?;
        rest.get(..usize::from(u16::from_be_bytes(*len))).map(<[u8]>::to_vec)
    }

    fn bound_to(&self, more: &[u8]) -> Vec<u8> {
        [self.server.as_bytes().as_slice(), self.topic.as_bytes(), more].concat()
    }

    fn cipher(&self) -> LessSafeKey {
        LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, &self.secret).expect("the key has the cipher's length"))
    }
}

impl std::fmt::Debug for CallKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CallKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use identity::IdentityKey;

    fn key(service: u8) -> CallKey {
        CallKey::new(IdentityKey::from_seed(&[1; 32]).public(), &ServiceId::from_bytes([service; 16]))
    }

    fn addresses() -> Vec<SocketAddr> {
        (0..NAMED_MAX as u16).map(|n| SocketAddr::from(([0x2001, 0xdb8, 1, 2, 3, 4, 5, 6], 40_000 + n))).collect()
    }

    #[test]
    fn a_call_and_its_answer_are_for_those_who_know_the_service() {
        let call = ToServer { call_back: [7; 16], addresses: addresses() };
        let sealed = key(2).seal_call(&call);
        assert_eq!(sealed.len(), SEALED_LEN);
        assert_eq!(key(2).open_call(&sealed), Some(call.clone()));
        assert_eq!(key(3).open_call(&sealed), None);
        let answer = ToClient { candidates: addresses().into_iter().map(|at| (Source::Relay, at)).collect() };
        let sealed = key(2).seal_answer(&answer, &call);
        assert_eq!(sealed.len(), SEALED_LEN);
        assert_eq!(key(2).open_answer(&sealed, &KnockKey::from_bytes([7; 16])), Some(answer));
        assert_eq!(key(2).open_answer(&sealed, &KnockKey::from_bytes([8; 16])), None, "another call's answer");
        assert_eq!(key(2).open_call(&sealed), None, "an answer isn't a call");
    }

    #[test]
    fn what_is_damaged_or_names_everybody_is_nothing() {
        let everybody: SocketAddr = "255.255.255.255:40000".parse().unwrap();
        let sealed = key(2).seal_call(&ToServer { call_back: [7; 16], addresses: vec![everybody] });
        assert_eq!(key(2).open_call(&sealed).unwrap().addresses, []);
        for at in (0..sealed.len()).step_by(7) {
            let mut damaged = sealed.clone();
            damaged[at] ^= 1;
            assert_eq!(key(2).open_call(&damaged), None, "byte {at}");
            assert_eq!(key(2).open_call(&sealed[..at]), None, "cut at {at}");
        }
    }
}
