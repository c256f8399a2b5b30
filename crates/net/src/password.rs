//! The password exchange: OPAQUE (RFC 9807) behind a narrow door, so that the crate can be replaced.
//!
//! The server stores a record from which the password can't be read, only guessed at one Argon2id (64 MiB) per guess.
//! In the exchange the client does that work and the server hardly any. Both sides end with the same session key if and
//! only if the password was right and both saw the same context (the TLS connection and both keys).

use identity::Secret;
use opaque_ke::{
    CipherSuite, ClientLogin, ClientLoginFinishParameters, ClientRegistration, ClientRegistrationFinishParameters,
    CredentialFinalization, CredentialRequest, CredentialResponse, Identifiers, Ristretto255, ServerLogin,
    ServerLoginParameters, ServerRegistration, ServerSetup, TripleDh,
    argon2::{Algorithm, Argon2, Params, Version},
};
use rand_core::OsRng;
use std::fmt;
use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;

struct Suite;

impl CipherSuite for Suite {
    type OprfCs = Ristretto255;
    type KeyExchange = TripleDh<Ristretto255, sha2::Sha512>;
    type Ksf = Argon2<'static>;
}

/// There is one password, so one name for it.
const CREDENTIAL: &[u8] = b"server-password-v1";
const FORMAT: u8 = 1;
const SETUP_LEN: usize = 128;
pub(crate) const KE1_LEN: usize = 96;
pub(crate) const KE2_LEN: usize = 320;
pub(crate) const KE3_LEN: usize = 64;

/// The key both sides share after a right password.
pub(crate) type SessionKey = Zeroizing<Vec<u8>>;

/// What the server keeps of its password.
#[derive(Clone)]
pub struct PasswordRecord {
    setup: ServerSetup<Suite>,
    record: ServerRegistration<Suite>,
}

impl PasswordRecord {
    /// Longest password in bytes, after composing (NFC).
    pub const PASSWORD_BYTES_MAX: usize = 1024;

    /// Makes the record of a first password. Takes about half a second and 64 MiB.
    pub fn register(password: &Secret) -> Result<Self, PasswordError> {
        Self::register_with(ServerSetup::new(&mut OsRng), password)
    }

    /// Makes the record of a new password for the same server.
    pub fn change(&self, password: &Secret) -> Result<Self, PasswordError> {
        Self::register_with(self.setup.clone(), password)
    }

    fn register_with(setup: ServerSetup<Suite>, password: &Secret) -> Result<Self, PasswordError> {
        let password = prepared(password)?;
        let start = ClientRegistration::<Suite>::start(&mut OsRng, password.as_bytes()).map_err(own_fault)?;
        let answer = ServerRegistration::<Suite>::start(&setup, start.message, CREDENTIAL).map_err(own_fault)?;
        let argon2 = argon2();
        let parameters = ClientRegistrationFinishParameters::new(Identifiers::default(), Some(&argon2));
        let done =
            start.state.finish(&mut OsRng, password.as_bytes(), answer.message, parameters).map_err(own_fault)?;
        Ok(Self { setup, record: ServerRegistration::finish(done.message) })
    }

    /// The record for storing, with the number of its format in front.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(vec![FORMAT]);
        bytes.extend_from_slice(&self.setup.serialize());
        bytes.extend_from_slice(&self.record.serialize());
        bytes
    }

    /// Reads a stored record.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PasswordError> {
        let [FORMAT, rest @ ..] = bytes else { return Err(PasswordError::DamagedRecord) };
        let (setup, record) = rest.split_at_checked(SETUP_LEN).ok_or(PasswordError::DamagedRecord)?;
        Ok(Self {
            setup: ServerSetup::deserialize(setup).map_err(|_| PasswordError::DamagedRecord)?,
            record: ServerRegistration::deserialize(record).map_err(|_| PasswordError::DamagedRecord)?,
        })
    }
}

impl fmt::Debug for PasswordRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordRecord(..)")
    }
}

/// Why a password or its record can't be used.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum PasswordError {
    /// Empty or longer than 1,024 bytes.
    #[error("a password has 1 to 1024 bytes")]
    Length,
    /// The stored record can't be read.
    #[error("the stored password record is damaged")]
    DamagedRecord,
    /// Wrong password, or a server that doesn't know it.
    #[error("wrong password, or not the right server")]
    Wrong,
    /// The other side sent something that is no part of the exchange.
    #[error("the password exchange is damaged")]
    DamagedMessage,
}

/// The client's half.
pub(crate) struct ClientExchange {
    state: ClientLogin<Suite>,
    password: Zeroizing<String>,
}

impl ClientExchange {
    pub(crate) fn start(password: &Secret) -> Result<(Self, Vec<u8>), PasswordError> {
        let password = prepared(password)?;
        let start = ClientLogin::<Suite>::start(&mut OsRng, password.as_bytes()).map_err(own_fault)?;
        Ok((Self { state: start.state, password }, start.message.serialize().to_vec()))
    }

    /// Takes about half a second and 64 MiB.
    pub(crate) fn finish(self, ke2: &[u8], context: &[u8]) -> Result<(Vec<u8>, SessionKey), PasswordError> {
        let answer = CredentialResponse::deserialize(ke2).map_err(|_| PasswordError::DamagedMessage)?;
        let argon2 = argon2();
        let parameters = ClientLoginFinishParameters::new(Some(context), Identifiers::default(), Some(&argon2));
        let done = self
            .state
            .finish(&mut OsRng, self.password.as_bytes(), answer, parameters)
            .map_err(|_| PasswordError::Wrong)?;
        Ok((done.message.serialize().to_vec(), Zeroizing::new(done.session_key.to_vec())))
    }
}

/// The server's half.
pub(crate) struct ServerExchange {
    state: ServerLogin<Suite>,
    context: Vec<u8>,
}

impl ServerExchange {
    pub(crate) fn answer(
        record: &PasswordRecord,
        ke1: &[u8],
        context: Vec<u8>,
    ) -> Result<(Self, Vec<u8>), PasswordError> {
        let request = CredentialRequest::deserialize(ke1).map_err(|_| PasswordError::DamagedMessage)?;
        let start = ServerLogin::start(
            &mut OsRng,
            &record.setup,
            Some(record.record.clone()),
            request,
            CREDENTIAL,
            parameters(&context),
        )
        .map_err(|_| PasswordError::DamagedMessage)?;
        let ke2 = start.message.serialize().to_vec();
        Ok((Self { state: start.state, context }, ke2))
    }

    pub(crate) fn finish(self, ke3: &[u8]) -> Result<SessionKey, PasswordError> {
        let message = CredentialFinalization::deserialize(ke3).map_err(|_| PasswordError::DamagedMessage)?;
        let done = self.state.finish(message, parameters(&self.context)).map_err(|_| PasswordError::Wrong)?;
        Ok(Zeroizing::new(done.session_key.to_vec()))
    }
}

fn parameters(context: &[u8]) -> ServerLoginParameters<'_, '_> {
    ServerLoginParameters { context: Some(context), identifiers: Identifiers::default() }
}

fn argon2() -> Argon2<'static> {
    let params = Params::new(64 * 1024, 3, 1, None).expect("constant parameters within their limits");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// One form for what looks the same: macOS and Windows keyboards write "ü" differently.
fn prepared(password: &Secret) -> Result<Zeroizing<String>, PasswordError> {
    // Composing can shorten a text, never to less than a third.
    if password.expose().len() > 3 * PasswordRecord::PASSWORD_BYTES_MAX {
        return Err(PasswordError::Length);
    }
    let composed = Zeroizing::new(password.expose().nfc().collect::<String>());
    let fits = (1..=PasswordRecord::PASSWORD_BYTES_MAX).contains(&composed.len());
    if fits { Ok(composed) } else { Err(PasswordError::Length) }
}

/// Errors that only a broken build of this side could make.
fn own_fault(_: opaque_ke::errors::ProtocolError) -> PasswordError {
    PasswordError::DamagedMessage
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Secret {
        Secret::new(text.to_owned())
    }

    fn exchange(record: &PasswordRecord, password: &str, contexts: [&[u8]; 2]) -> Result<(), PasswordError> {
        let (client, ke1) = ClientExchange::start(&secret(password))?;
        let (server, ke2) = ServerExchange::answer(record, &ke1, contexts[0].to_vec())?;
        assert_eq!((ke1.len(), ke2.len()), (KE1_LEN, KE2_LEN));
        let (ke3, client_key) = client.finish(&ke2, contexts[1])?;
        assert_eq!(ke3.len(), KE3_LEN);
        assert_eq!(server.finish(&ke3)?, client_key);
        Ok(())
    }

    #[test]
    fn only_the_right_password_in_the_same_context_passes() {
        let record = PasswordRecord::register(&secret("Käse im Bücherregal")).expect("a good password");
        assert_eq!(exchange(&record, "Käse im Bücherregal", [b"a", b"a"]), Ok(()));
        // The same in decomposed form, as a Mac may send it.
        assert_eq!(exchange(&record, "Ka\u{308}se im Bu\u{308}cherregal", [b"a", b"a"]), Ok(()));
        assert_eq!(exchange(&record, "Kase im Bucherregal", [b"a", b"a"]), Err(PasswordError::Wrong));
        assert_eq!(exchange(&record, "Käse im Bücherregal", [b"a", b"b"]), Err(PasswordError::Wrong));
    }

    #[test]
    fn a_record_is_read_back_and_a_changed_password_replaces_the_old() {
        let record = PasswordRecord::register(&secret("first password")).expect("a good password");
        let stored = PasswordRecord::from_bytes(&record.to_bytes()).expect("own bytes");
        assert_eq!(exchange(&stored, "first password", [b"", b""]), Ok(()));
        let changed = stored.change(&secret("second password")).expect("a good password");
        assert_eq!(exchange(&changed, "second password", [b"", b""]), Ok(()));
        assert_eq!(exchange(&changed, "first password", [b"", b""]), Err(PasswordError::Wrong));
        assert_eq!(format!("{changed:?}"), "PasswordRecord(..)");
    }

    #[test]
    fn passwords_have_1_to_1024_bytes() {
        assert_eq!(PasswordRecord::register(&secret("")).err(), Some(PasswordError::Length));
        assert_eq!(PasswordRecord::register(&secret(&"x".repeat(1025))).err(), Some(PasswordError::Length));
        assert!(PasswordRecord::register(&secret(&"x".repeat(1024))).is_ok());
        assert!(ClientExchange::start(&secret("")).is_err());
    }

    #[test]
    fn a_damaged_record_is_an_error() {
        let bytes = PasswordRecord::register(&secret("first password")).expect("a good password").to_bytes();
        for damaged in [&[][..], &bytes[..1], &bytes[..100], &bytes[..bytes.len() - 1], &[2; 321], &[1; 321]] {
            assert_eq!(PasswordRecord::from_bytes(damaged).err(), Some(PasswordError::DamagedRecord));
        }
    }

    #[test]
    fn garbage_in_every_message_is_an_error() {
        let record = PasswordRecord::register(&secret("first password")).expect("a good password");
        let (_, ke1) = ClientExchange::start(&secret("first password")).expect("a good password");
        // Zeros are the identity point, which would make the secret known to everyone.
        for bad in [vec![0; KE1_LEN], vec![0xff; KE1_LEN], ke1[..KE1_LEN - 1].to_vec(), Vec::new()] {
            assert_eq!(ServerExchange::answer(&record, &bad, Vec::new()).err(), Some(PasswordError::DamagedMessage));
        }
        for bad in [vec![0; KE2_LEN], vec![0xff; KE2_LEN], vec![1; 10]] {
            let (client, _) = ClientExchange::start(&secret("first password")).expect("a good password");
            assert!(client.finish(&bad, b"").is_err());
        }
        for bad in [vec![0; KE3_LEN], vec![0xff; KE3_LEN], vec![1; 10], Vec::new()] {
            let (server, _) = ServerExchange::answer(&record, &ke1, Vec::new()).expect("a good message");
            assert!(server.finish(&bad).is_err());
        }
    }

    #[test]
    fn an_old_last_message_opens_no_new_exchange() {
        let record = PasswordRecord::register(&secret("first password")).expect("a good password");
        let (client, ke1) = ClientExchange::start(&secret("first password")).expect("a good password");
        let (server, ke2) = ServerExchange::answer(&record, &ke1, b"one".to_vec()).expect("a good message");
        let (ke3, _) = client.finish(&ke2, b"one").expect("the right password");
        assert!(server.finish(&ke3).is_ok());
        let (again, _) = ServerExchange::answer(&record, &ke1, b"two".to_vec()).expect("a good message");
        assert_eq!(again.finish(&ke3).err(), Some(PasswordError::Wrong));
    }
}
