//! Encrypted connections: of those who ask, and to PostgreSQL.
#![cfg(unix)]

mod support;

use directory_server::{
    Server,
    storage::{Postgres, Storage as _},
};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use std::{os::unix::fs::PermissionsExt as _, path::Path, time::Duration};
use support::{config, postgres::PostgresServer};

/// An authority, and certificates for `localhost` that it signed.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        Self(CertifiedIssuer::self_signed(params, key).expect("a certificate"))
    }

    /// Writes `ca.pem`, `certificate.pem` and `key.pem`.
    fn write(&self, folder: &Path) {
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
        let certificate = params.signed_by(&key, &self.0).expect("a certificate");
        std::fs::write(folder.join("ca.pem"), self.0.pem()).expect("written");
        std::fs::write(folder.join("certificate.pem"), certificate.pem()).expect("written");
        std::fs::write(folder.join("key.pem"), key.serialize_pem()).expect("written");
        let private = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(folder.join("key.pem"), private).expect("it is ours");
    }
}

/// A client that trusts one authority.
fn client_of(ca: &Path) -> reqwest::Client {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(ca).expect("PEM")).expect("a certificate");
    let tls = rustls::ClientConfig::builder_with_provider(rustls::crypto::aws_lc_rs::default_provider().into())
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    reqwest::Client::builder().tls_backend_preconfigured(tls).no_proxy().build().expect("a client")
}

#[tokio::test]
async fn with_a_certificate_only_https_is_spoken_and_a_renewed_one_is_taken_up() {
    let folder = tempfile::tempdir().expect("a folder");
    Authority::new().write(folder.path());
    let mut config = config(&folder.path().join("data"));
    config.tls.certificate = folder.path().join("certificate.pem");
    config.tls.key = folder.path().join("key.pem");
    let server = Server::start(&config).await.expect("a directory");
    assert!(server.addresses().tls);
    let url = format!("https://localhost:{}/health", server.addresses().http.port());
    let before = client_of(&folder.path().join("ca.pem"));
    assert_eq!(before.get(&url).send().await.expect("an answer").status(), 200);
    assert!(before.get(url.replace("https", "http")).send().await.is_err());

    Authority::new().write(folder.path());
    let begun = std::time::Instant::now();
    loop {
        let after = client_of(&folder.path().join("ca.pem"));
        if after.get(&url).send().await.is_ok() {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(120), "the new certificate isn't taken up");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    server.stop().await;
}

#[tokio::test]
async fn a_certificate_that_cant_be_used_keeps_the_directory_from_starting() {
    let folder = tempfile::tempdir().expect("a folder");
    Authority::new().write(folder.path());
    let mut config = config(&folder.path().join("data"));
    config.tls.certificate = folder.path().join("certificate.pem");
    config.tls.key = folder.path().join("nowhere.pem");
    let error = Server::start(&config).await.expect_err("no key");
    assert!(error.to_string().contains("nowhere.pem"), "{error}");
    Authority::new().write(&folder.path().join("."));
    config.tls.key = folder.path().join("ca.pem");
    assert!(Server::start(&config).await.is_err(), "no key in there");
}

#[tokio::test]
async fn a_connection_to_postgresql_is_encrypted_and_checked_when_asked_for() {
    let with_certificate = |folder: &Path| {
        Authority::new().write(folder);
        let file = |name: &str| folder.join(name).display().to_string();
        let (certificate, key) = (file("certificate.pem"), file("key.pem"));
        vec!["ssl=on".to_owned(), format!("ssl_cert_file={certificate}"), format!("ssl_key_file={key}")]
    };
    let Some(postgres) = PostgresServer::start_with(with_certificate) else { return };
    postgres.database("encrypted");
    let url = format!("{}?sslmode=require", postgres.over_tcp("encrypted"));
    let ca = postgres.folder().join("ca.pem");
    let storage = Postgres::connect(&url, Some(&ca)).await.expect("a connection");
    assert_eq!(storage.count().await.expect("a database"), 0);

    let other = tempfile::tempdir().expect("a folder");
    Authority::new().write(other.path());
    let refused = Postgres::connect(&url, Some(&other.path().join("ca.pem"))).await;
    assert!(refused.is_err(), "another authority's certificate");
    assert!(Postgres::connect(&url, None).await.is_err(), "nobody the system trusts signed it");
}
