//! The certificate, read anew when its files change: those of a certificate authority are renewed every few weeks.

use crate::config::Tls;
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};
use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::SystemTime,
};

/// Why the certificate can't be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// One of the files.
    #[error("{path} can't be read as PEM")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: rustls::pki_types::pem::Error,
    },
    /// Both together.
    #[error("the certificate and its key can't be used")]
    Unusable(#[from] rustls::Error),
}

/// What connections are encrypted with.
#[derive(Debug)]
pub(crate) struct Certificate {
    files: Tls,
    current: Mutex<(Arc<ServerConfig>, Changed)>,
}

/// When each file was written.
type Changed = [Option<SystemTime>; 2];

impl Certificate {
    pub(crate) fn read(files: Tls) -> Result<Self, TlsError> {
        let changed = changed(&files);
        let current = Mutex::new((server_config(&files)?, changed));
        Ok(Self { files, current })
    }

    pub(crate) fn current(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.current.lock().unwrap_or_else(PoisonError::into_inner).0)
    }

    /// Takes up new files. Files that can't be used are left for later: perhaps only one of the two is new yet.
    pub(crate) fn renew(&self) {
        let changed = changed(&self.files);
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if changed == current.1 {
            return;
        }
        match server_config(&self.files) {
            Ok(config) => {
                tracing::info!("the certificate was renewed");
                *current = (config, changed);
            }
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "the new certificate can't be used")
            }
        }
    }
}

fn changed(files: &Tls) -> Changed {
    [&files.certificate, &files.key].map(|path| path.metadata().and_then(|data| data.modified()).ok())
}

fn server_config(files: &Tls) -> Result<Arc<ServerConfig>, TlsError> {
    let unreadable = |path: &PathBuf| {
        let path = path.clone();
        move |source| TlsError::File { path, source }
    };
    let chain = CertificateDer::pem_file_iter(&files.certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(unreadable(&files.certificate))?;
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(unreadable(&files.key))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}
