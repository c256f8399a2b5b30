//! Asks a directory. Nothing is sent anywhere before one of these methods is called.

use crate::{
    BODY_BYTES_MAX, Challenge, ChangeRequest, DirectoryError, DirectoryUrl, Info, LookupAnswer, LookupRequest,
    Operation, Published, Refusal, RefusalReason,
};
use identity::{IdentityKey, ServerId, ServerRecord};
use reqwest::{Response, StatusCode, header, redirect};
use rustls_platform_verifier::BuilderVerifierExt as _;
use serde::{Serialize, de::DeserializeOwned};
use std::{sync::Arc, time::Duration};

/// From the first packet to the last byte of the answer.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);

/// If a directory says "wait" and not how long; and the longest it is believed.
const WAIT_DEFAULT: Duration = Duration::from_secs(60);
const WAIT_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// Speaks to one directory.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    url: DirectoryUrl,
}

impl Client {
    /// A client of the directory at this address. Certificates are checked as this system's browsers do.
    pub fn new(url: DirectoryUrl) -> Result<Self, DirectoryError> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(rustls::ConfigBuilder::with_platform_verifier)
            .map_err(DirectoryError::Certificates)?
            .with_no_client_auth();
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .https_only(!url.is_plain())
            // A redirect could lead to plain http, or to a directory that nobody chose.
            .redirect(redirect::Policy::none())
            .timeout(REQUEST_TIMEOUT)
            .build()
            .map_err(DirectoryError::Unreachable)?;
        Ok(Self { http, url })
    }

    /// The server behind an ID. Takes half a second of one core beside the network.
    pub async fn look_up(&self, id: ServerId) -> Result<ServerRecord, DirectoryError> {
        let answer: LookupAnswer = self.post("/v1/lookup", &LookupRequest { server_id: id }).await?;
        in_background(move || answer.open(id)).await.ok_or(DirectoryError::Mismatch)
    }

    /// Stores a record, or replaces the one with the same ID. `sequence` is larger than in any request before.
    pub async fn publish(
        &self,
        record: &ServerRecord,
        key: &IdentityKey,
        sequence: u64,
    ) -> Result<Published, DirectoryError> {
        let challenge = self.challenge().await?;
        let (record, key, directory) = (record.clone(), key.clone(), self.url.authority().to_owned());
        let request = in_background(move || ChangeRequest::publish(&record, &key, sequence, &directory, challenge));
        let request = request.await.ok_or(DirectoryError::OtherKey)?;
        self.post(Operation::Publish.path(), &request).await
    }

    /// Keeps a record for another 60 days. [`DirectoryError::NotFound`]: it has to be published again.
    pub async fn refresh(&self, id: ServerId, key: &IdentityKey, sequence: u64) -> Result<Published, DirectoryError> {
        let challenge = self.challenge().await?;
        let request = ChangeRequest::refresh(id, key, sequence, self.url.authority(), challenge);
        self.post(Operation::Refresh.path(), &request).await
    }

    /// Deletes a record. That it isn't there any more is fine.
    pub async fn revoke(&self, id: ServerId, key: &IdentityKey, sequence: u64) -> Result<(), DirectoryError> {
        let challenge = self.challenge().await?;
        let request = ChangeRequest::revoke(id, key, sequence, self.url.authority(), challenge);
        match self.post::<serde_json::Value>(Operation::Revoke.path(), &request).await {
            Ok(_) | Err(DirectoryError::NotFound) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// What the directory says of itself.
    pub async fn info(&self) -> Result<Info, DirectoryError> {
        let response = self.http.get(self.url.join("/v1/info")).send().await.map_err(DirectoryError::Unreachable)?;
        Self::read(response).await
    }

    async fn challenge(&self) -> Result<Challenge, DirectoryError> {
        self.post("/v1/challenge", &serde_json::json!({})).await
    }

    async fn post<A: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<A, DirectoryError> {
        let body = serde_json::to_vec(body).expect("a request is a JSON object");
        let request = self.http.post(self.url.join(path)).header(header::CONTENT_TYPE, "application/json").body(body);
        Self::read(request.send().await.map_err(DirectoryError::Unreachable)?).await
    }

    async fn read<A: DeserializeOwned>(response: Response) -> Result<A, DirectoryError> {
        let (status, wait) = (response.status(), retry_after(&response));
        // Proxies before a directory say "wait" too, in words of their own.
        if matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
            return Err(DirectoryError::RateLimited { wait });
        }
        let not_a_directory = || DirectoryError::NotADirectory { status: status.as_u16() };
        let answer = read_bounded(response).await?.ok_or_else(not_a_directory)?;
        if status.is_success() {
            return serde_json::from_slice(&answer).map_err(|_| not_a_directory());
        }
        let refusal: Refusal = serde_json::from_slice(&answer).map_err(|_| not_a_directory())?;
        Err(match refusal.error {
            RefusalReason::NotFound => DirectoryError::NotFound,
            RefusalReason::RateLimited => DirectoryError::RateLimited { wait },
            reason => DirectoryError::Refused { reason },
        })
    }
}

/// The answer's body. `None`: it is longer than any answer of a directory.
async fn read_bounded(mut response: Response) -> Result<Option<Vec<u8>>, DirectoryError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(DirectoryError::Unreachable)? {
        if body.len() + chunk.len() > BODY_BYTES_MAX {
            return Ok(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Some(body))
}

fn retry_after(response: &Response) -> Duration {
    let header = response.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok());
    header.and_then(|text| text.parse().ok()).map_or(WAIT_DEFAULT, Duration::from_secs).min(WAIT_MAX)
}

/// Runs what is slow on purpose where it holds up nobody.
async fn in_background<T: Send + 'static>(slow: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(slow).await {
        Ok(result) => result,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
