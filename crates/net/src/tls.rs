//! TLS 1.3 with raw public keys (RFC 7250) on both sides.
//!
//! A client takes the pinned key and no other; without a pin (first pairing by address alone) it takes any, and OPAQUE
//! proves the rest. A server takes any well-formed key in TLS and decides afterwards who that is, because in TLS 1.3
//! a client learns of a refused key only after it believed itself connected.

use crate::{
    Limits, SavedTransport, knock::KnockKey, limits::windows, rendezvous, saved::AddressTokens, saved::UsedTokens,
};
use identity::{IdentityKey, PublicKey};
use quinn::{
    ClientConfig, ConnectionError, IdleTimeout, NoneTokenStore, ServerConfig, TransportConfig, TransportErrorCode,
    ValidationTokenConfig, VarInt,
    crypto::rustls::{QuicClientConfig, QuicServerConfig},
};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, PeerIncompatible, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, aws_lc_rs, verify_tls13_signature_with_raw_key},
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, SubjectPublicKeyInfoDer, UnixTime},
    server::danger::{ClientCertVerified, ClientCertVerifier},
    sign::CertifiedKey,
};
use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

const ALPN: &[u8] = b"tandem/1";
/// A server that calls a client: TLS client and TLS server change sides, everything above stays.
const ALPN_BACK: &[u8] = b"tandem-back/1";

/// TLS alert `no_application_protocol` (RFC 7301).
const NO_APPLICATION_PROTOCOL: u8 = 120;

/// The one provider, with the post-quantum hybrid first: what is recorded today may be read in twenty years.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: OnceLock<Arc<CryptoProvider>> = OnceLock::new();
    let provider = PROVIDER.get_or_init(|| {
        let mut provider = aws_lc_rs::default_provider();
        provider.kx_groups = vec![aws_lc_rs::kx_group::X25519MLKEM768, aws_lc_rs::kx_group::X25519];
        Arc::new(provider)
    });
    Arc::clone(provider)
}

/// What both sides' connections have in common.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    pub(crate) limits: Limits,
    /// A simulated network carries datagrams one by one and has no path MTU to discover.
    pub(crate) is_simulated: bool,
}

impl Shape {
    fn transport(&self) -> TransportConfig {
        let mut transport = TransportConfig::default();
        let idle = IdleTimeout::try_from(self.limits.idle).expect("seconds, not millennia");
        transport
            .max_idle_timeout(Some(idle))
            .stream_receive_window(windows::STREAM_RECEIVE)
            .receive_window(windows::RECEIVE_BEFORE)
            .send_window(windows::SEND_BEFORE)
            .max_concurrent_uni_streams(VarInt::from_u32(0))
            .datagram_receive_buffer_size(None)
            .datagram_send_buffer_size(0)
            .allow_spin(false)
            // The default of 333 ms makes everyone wait a second for a lost first packet.
            .initial_rtt(Duration::from_millis(100));
        if self.is_simulated {
            transport.mtu_discovery_config(None).enable_segmentation_offload(false);
        }
        transport
    }

    /// The end of a server, whoever called: it takes one stream until it knows who that is.
    fn of_server(&self) -> TransportConfig {
        let mut transport = self.transport();
        transport.max_concurrent_bidi_streams(VarInt::from_u32(1));
        transport
    }

    /// The end of a client, whoever called: it keeps the connection alive.
    fn of_client(&self) -> TransportConfig {
        let mut transport = self.transport();
        transport.max_concurrent_bidi_streams(VarInt::from_u32(0)).keep_alive_interval(Some(self.limits.keep_alive));
        transport
    }
}

fn answering(key: &IdentityKey, pin: Option<PublicKey>, alpn: &[u8]) -> Arc<QuicServerConfig> {
    let mut tls = rustls::ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("the provider has TLS 1.3")
        .with_client_cert_verifier(Arc::new(PeerKey { pin, seen: SeenKey::default() }))
        .with_cert_resolver(Arc::new(rustls::server::AlwaysResolvesServerRawPublicKeys::new(certified(key))));
    tls.alpn_protocols = vec![alpn.to_vec()];
    tls.send_tls13_tickets = 0;
    tls.max_early_data_size = 0;
    Arc::new(QuicServerConfig::try_from(tls).expect("the provider has the suite of initial packets"))
}

fn calling(key: &IdentityKey, pin: Option<PublicKey>, alpn: &[u8], seen: &SeenKey) -> ClientConfig {
    let mut tls = rustls::ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("the provider has TLS 1.3")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(PeerKey { pin, seen: seen.clone() }))
        .with_client_cert_resolver(Arc::new(rustls::client::AlwaysResolvesClientRawPublicKeys::new(certified(key))));
    tls.alpn_protocols = vec![alpn.to_vec()];
    tls.enable_sni = false;
    tls.resumption = rustls::client::Resumption::disabled();
    let crypto = QuicClientConfig::try_from(tls).expect("the provider has the suite of initial packets");
    ClientConfig::new(Arc::new(crypto))
}

pub(crate) fn server_config(key: &IdentityKey, saved: &SavedTransport, shape: &Shape) -> ServerConfig {
    let mut config = ServerConfig::new(answering(key, None, ALPN), Arc::new(saved.token_key()));
    let mut tokens = ValidationTokenConfig::default();
    tokens.lifetime(Duration::from_secs(86_400)).sent(2).log(Arc::new(UsedTokens::default()));
    let transport = shape.of_server();
    config
        .validation_token_config(tokens)
        .retry_token_lifetime(Duration::from_secs(10))
        .max_incoming(256)
        .incoming_buffer_size(8 << 10)
        .incoming_buffer_size_total(2 << 20)
        .transport_config(Arc::new(transport));
    config
}

/// Everything one call needs. What the verifier saw is told apart from other failures through [`SeenKey`].
pub(crate) fn client_config(
    key: &IdentityKey,
    pin: Option<PublicKey>,
    knock: KnockKey,
    tokens: &Arc<AddressTokens>,
    shape: &Shape,
) -> (ClientConfig, SeenKey) {
    let seen = SeenKey::default();
    let mut config = calling(key, pin, ALPN, &seen);
    config.transport_config(Arc::new(shape.of_client())).initial_dst_cid_provider(Arc::new(move || knock.knock()));
    // A token tells the server which connections are the same client's; a server that isn't known yet gets none.
    match pin {
        Some(_) => config.token_store(Arc::clone(tokens) as Arc<dyn quinn::TokenStore>),
        None => config.token_store(Arc::new(NoneTokenStore)),
    };
    (config, seen)
}

/// With what a server calls a client back. It takes any key, as when it is called, and decides afterwards who that is.
pub(crate) fn call_back_config(key: &IdentityKey, knock: KnockKey, shape: &Shape) -> ClientConfig {
    let mut config = calling(key, None, ALPN_BACK, &SeenKey::default());
    config
        .transport_config(Arc::new(shape.of_server()))
        .initial_dst_cid_provider(Arc::new(move || knock.knock()))
        .token_store(Arc::new(NoneTokenStore));
    config
}

/// With what a client takes its server's call.
pub(crate) fn called_back_config(
    key: &IdentityKey,
    server: PublicKey,
    saved: &SavedTransport,
    shape: &Shape,
) -> ServerConfig {
    let mut config = ServerConfig::new(answering(key, Some(server), ALPN_BACK), Arc::new(saved.token_key()));
    config.transport_config(Arc::new(shape.of_client()));
    config
}

/// With what a switchboard answers everybody.
pub(crate) fn switchboard_config(key: &IdentityKey, limits: &Limits) -> ServerConfig {
    let mut config = ServerConfig::with_crypto(answering(key, None, rendezvous::ALPN));
    let mut transport = Shape { limits: limits.clone(), is_simulated: false }.of_server();
    // Thousands of visitors say little.
    transport.stream_receive_window(windows::VISITOR).receive_window(windows::VISITOR).mtu_discovery_config(None);
    config.max_incoming(1024).incoming_buffer_size(4 << 10).incoming_buffer_size_total(4 << 20);
    config.transport_config(Arc::new(transport));
    config
}

/// With what a computer calls a switchboard.
pub(crate) fn visitor_config(key: &IdentityKey, switchboard: PublicKey, shape: &Shape) -> ClientConfig {
    let mut config = calling(key, Some(switchboard), rendezvous::ALPN, &SeenKey::default());
    let mut transport = shape.of_client();
    let idle = IdleTimeout::try_from(rendezvous::IDLE).expect("seconds, not millennia");
    transport.max_idle_timeout(Some(idle)).keep_alive_interval(Some(rendezvous::KEEP_ALIVE));
    config.transport_config(Arc::new(transport)).token_store(Arc::new(NoneTokenStore));
    config
}

/// The name a connection goes by inside this process; it is never sent.
pub(crate) fn server_name(pin: Option<&PublicKey>) -> String {
    match pin {
        // Two labels, because one of a DNS name has room for 63 characters.
        Some(key) => {
            let hex: String = key.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
            format!("{}.{}", &hex[..32], &hex[32..])
        }
        None => "any.invalid".to_owned(),
    }
}

/// Whether two ends found no common ALPN: one of them speaks a version of the handshake the other one doesn't know.
pub(crate) fn is_other_protocol(error: &ConnectionError) -> bool {
    let code = match error {
        ConnectionError::ConnectionClosed(close) => close.error_code,
        ConnectionError::TransportError(error) => error.code,
        _ => return false,
    };
    code == TransportErrorCode::crypto(NO_APPLICATION_PROTOCOL)
}

pub(crate) fn peer_key(connection: &quinn::Connection) -> Option<PublicKey> {
    let certificates = connection.peer_identity()?.downcast::<Vec<CertificateDer<'static>>>().ok()?;
    PublicKey::from_spki(certificates.first()?).ok()
}

/// What this TLS connection has that no other has (RFC 9266).
pub(crate) fn channel_binding(connection: &quinn::Connection) -> [u8; 32] {
    let mut binding = [0; 32];
    connection
        .export_keying_material(&mut binding, b"EXPORTER-Channel-Binding", b"")
        .expect("32 bytes are within what HKDF can give");
    binding
}

fn certified(key: &IdentityKey) -> Arc<CertifiedKey> {
    let pkcs8 = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.pkcs8().to_vec()));
    let signer = provider().key_provider.load_private_key(pkcs8).expect("the provider signs with ed25519");
    Arc::new(CertifiedKey::new(vec![CertificateDer::from(key.public().spki().to_vec())], signer))
}

/// The key that answered, if it wasn't the pinned one.
#[derive(Clone, Debug, Default)]
pub(crate) struct SeenKey(Arc<OnceLock<PublicKey>>);

impl SeenKey {
    pub(crate) fn wrong(&self) -> Option<PublicKey> {
        self.0.get().copied()
    }
}

/// Checks the raw public key of the other side, whichever that is.
#[derive(Debug)]
struct PeerKey {
    /// The only key it may be, if that is known.
    pin: Option<PublicKey>,
    seen: SeenKey,
}

impl PeerKey {
    fn check(&self, end_entity: &CertificateDer<'_>, rest: &[CertificateDer<'_>]) -> Result<(), Error> {
        if !rest.is_empty() {
            return Err(CertificateError::BadEncoding.into());
        }
        let key = PublicKey::from_spki(end_entity).map_err(|_| Error::from(CertificateError::BadEncoding))?;
        if self.pin.is_none_or(|pin| pin == key) {
            return Ok(());
        }
        // A second value can't come: one verifier serves one handshake.
        let _ = self.seen.0.set(key);
        Err(CertificateError::ApplicationVerificationFailure.into())
    }
}

/// What both of rustls' verifiers ask for in the same words: signatures of TLS 1.3 by the raw ed25519 key.
macro_rules! raw_ed25519_signatures {
    () => {
        fn verify_tls12_signature(
            &self,
            _: &[u8],
            _: &CertificateDer<'_>,
            _: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            Err(PeerIncompatible::Tls12NotOffered.into())
        }

        fn verify_tls13_signature(
            &self,
            message: &[u8],
            key: &CertificateDer<'_>,
            signature: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            let key = SubjectPublicKeyInfoDer::from(key.as_ref());
            let algorithms = provider().signature_verification_algorithms;
            verify_tls13_signature_with_raw_key(message, &key, signature, &algorithms)
        }

        fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
            vec![SignatureScheme::ED25519]
        }

        fn requires_raw_public_keys(&self) -> bool {
            true
        }
    };
}

impl ServerCertVerifier for PeerKey {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        rest: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.check(end_entity, rest).map(|()| ServerCertVerified::assertion())
    }

    raw_ed25519_signatures!();
}

impl ClientCertVerifier for PeerKey {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        rest: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.check(end_entity, rest).map(|()| ClientCertVerified::assertion())
    }

    raw_ed25519_signatures!();
}
