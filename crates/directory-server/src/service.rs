//! What the directory does with a request, whatever it came by.

use crate::{
    challenge::ChallengeKey,
    config::{Config, Limits},
    limits::{Kind, Limiter},
    metrics::Metrics,
    storage::{Change, Storage, StorageError, Verdict},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use directory::{Challenge, ChangeRequest, Info, LookupAnswer, LookupRequest, Operation, Published, RefusalReason};
use std::{
    net::IpAddr,
    sync::atomic::Ordering,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// Whoever tries IDs learns from the time, too, as little as possible, and each try takes a while.
const MISS_DELAY: Duration = Duration::from_millis(250);

/// A directory with its storage.
#[derive(Debug)]
pub(crate) struct Service<S> {
    storage: S,
    challenges: ChallengeKey,
    names: Vec<String>,
    limits: Limits,
    pub(crate) limiter: Limiter,
    pub(crate) metrics: Metrics,
    info: Info,
}

/// Who asks, and whom they think they ask.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) address: IpAddr,
    /// The `Host` header.
    pub(crate) host: String,
}

/// A "no", with how long to wait if that helps.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct No {
    pub(crate) reason: RefusalReason,
    pub(crate) wait: Option<Duration>,
}

impl From<RefusalReason> for No {
    fn from(reason: RefusalReason) -> Self {
        Self { reason, wait: None }
    }
}

impl From<StorageError> for No {
    fn from(error: StorageError) -> Self {
        tracing::error!(error = &error as &dyn std::error::Error, "the database can't be used");
        Self { reason: RefusalReason::Unavailable, wait: Some(Duration::from_secs(30)) }
    }
}

impl<S: Storage> Service<S> {
    pub(crate) async fn new(storage: S, config: &Config, info: Info) -> Result<Self, StorageError> {
        let challenges = ChallengeKey::new(storage.secret().await?);
        let service = Self {
            storage,
            challenges,
            names: config.names.clone(),
            limits: config.limits,
            limiter: Limiter::new(&config.limits, Instant::now()),
            metrics: Metrics::default(),
            info,
        };
        service.tidy().await?;
        service.count().await?;
        Ok(service)
    }

    /// Deletes what expired, forgets what is over; often.
    pub(crate) async fn tidy(&self) -> Result<(), StorageError> {
        self.limiter.tidy(Instant::now());
        self.storage.sweep(now_secs()).await
    }

    /// Counts the records; now and then.
    pub(crate) async fn count(&self) -> Result<(), StorageError> {
        self.metrics.records.store(self.storage.count().await?, Ordering::Relaxed);
        Ok(())
    }

    /// Says whether the storage answers.
    pub(crate) async fn is_healthy(&self) -> bool {
        self.storage.secret().await.is_ok()
    }

    pub(crate) const fn info(&self) -> &Info {
        &self.info
    }

    pub(crate) fn challenge(&self, caller: &Caller) -> Result<Challenge, No> {
        self.admit(Kind::Challenge, caller)?;
        Ok(self.challenges.give_out(now_secs()))
    }

    pub(crate) async fn look_up(&self, request: LookupRequest, caller: &Caller) -> Result<LookupAnswer, No> {
        self.admit(Kind::Lookup, caller)?;
        match self.storage.look_up(request.server_id, now_secs()).await? {
            Some(record) => Ok(LookupAnswer::new(&record)),
            None => {
                let more = self.limits.miss_cost.saturating_sub(1);
                self.limiter.charge(Kind::Lookup, caller.address, more, Instant::now());
                tokio::time::sleep(MISS_DELAY).await;
                Err(RefusalReason::NotFound.into())
            }
        }
    }

    pub(crate) async fn change(
        &self,
        operation: Operation,
        request: ChangeRequest,
        caller: &Caller,
    ) -> Result<Published, No> {
        self.admit(if operation == Operation::Publish { Kind::Publish } else { Kind::Change }, caller)?;
        let now = now_secs();
        let challenge = self.challenges.take_back(&request.challenge, now).ok_or(RefusalReason::Challenge)?;
        self.verify(operation, &request, caller)?;
        if operation == Operation::Publish && self.metrics.records.load(Ordering::Relaxed) >= self.limits.records {
            return Err(RefusalReason::Full.into());
        }
        let change = Change {
            operation,
            server_id: request.server_id,
            public_key: request.public_key,
            sequence: request.sequence,
            record: request.record.and_then(|text| URL_SAFE_NO_PAD.decode(text).ok()).unwrap_or_default(),
            challenge,
            records_per_key_max: self.limits.records_per_key,
        };
        match self.storage.change(change, now).await? {
            Verdict::Done if operation == Operation::Publish => {
                // Replacing a record counts too, until they are counted anew.
                self.metrics.records.fetch_add(1, Ordering::Relaxed);
            }
            Verdict::Done => {}
            Verdict::NotFound => return Err(RefusalReason::NotFound.into()),
            Verdict::ChallengeUsed => return Err(RefusalReason::Challenge.into()),
            Verdict::OldSequence => return Err(RefusalReason::Sequence.into()),
            Verdict::Taken => return Err(RefusalReason::Taken.into()),
            Verdict::TooManyRecords => return Err(RefusalReason::TooManyRecords.into()),
        }
        Ok(Published { expires_at_secs: Change::expires_at_secs(now) })
    }

    /// The request has to be signed for one of our names: else another directory could pass on here what was meant for it.
    fn verify(&self, operation: Operation, request: &ChangeRequest, caller: &Caller) -> Result<(), RefusalReason> {
        if self.names.is_empty() {
            // Nobody else can claim to be at an address.
            let name = is_address(&caller.host).then_some(&caller.host).ok_or(RefusalReason::WrongName)?;
            return request.verify(operation, name).map(drop).map_err(|_| RefusalReason::Invalid);
        }
        let is_for_us = self.names.iter().any(|name| request.verify(operation, name).is_ok());
        is_for_us.then_some(()).ok_or(RefusalReason::Invalid)
    }

    fn admit(&self, kind: Kind, caller: &Caller) -> Result<(), No> {
        self.limiter
            .admit(kind, caller.address, Instant::now())
            .map_err(|wait| No { reason: RefusalReason::RateLimited, wait: Some(wait) })
    }
}

/// Says whether a `Host` header names an address (or this computer) rather than a name.
fn is_address(host: &str) -> bool {
    let without_port = host.rsplit_once(':').map_or(host, |(name, _)| name);
    [host, without_port].iter().any(|name| {
        let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
        bare == "localhost" || bare.parse::<IpAddr>().is_ok()
    })
}

pub(crate) fn now_secs() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_told_from_a_name() {
        for address in ["127.0.0.1", "127.0.0.1:80", "[::1]:47115", "[::1]", "localhost:1", "localhost"] {
            assert!(is_address(address), "{address}");
        }
        for name in ["", "directory.example", "directory.example:47115", "127.0.0.1.example", "localhost.example:1"] {
            assert!(!is_address(name), "{name}");
        }
    }
}
