//! What a server says of itself to those who look for it: its peer name, and the record behind its server ID.
//!
//! Both lie in the DHT, which forgets them after about two hours; so they are said again each hour, and the peer name at
//! every change of address or switch. A publication that was revoked is forgotten here only once the network took the
//! empty record in its place; until then every wake-up tries again, and nobody pairs by it any more from the first moment.

use super::{Instance, blocking, gone, now_secs};
use crate::{
    api::types::{Nothing, PublicationState, PublicationView, PublishRequest},
    message::{Code, Problem, Result},
};
use identity::{Comment, RecordKeys, Salt, ServerId, ServerName, ServerRecord, ServiceId};
use net::{DhtError, PeerName, Source, peer_name, server_record};
use serde::{Deserialize, Serialize};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::time::sleep;

const PUBLICATION: &str = "server.publication";
const PEER_NAME: &str = "server.peer-name";
const HOUR: Duration = Duration::from_secs(3600);
/// Addresses change several at a time.
const SETTLING: Duration = Duration::from_millis(300);
/// After one, two, three and more times that nobody took what was said.
const AGAIN_AFTER: [Duration; 4] =
    [Duration::from_secs(5), Duration::from_secs(30), Duration::from_secs(120), Duration::from_secs(600)];
/// Own addresses are looked at this often.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// What is published under a server ID.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Publication {
    id: ServerId,
    salt: [u8; 16],
    service_id: [u8; 16],
    name: String,
    comment: Option<String>,
    published_at: u64,
    renewed_at: Option<u64>,
    seq: i64,
    /// The owner took it back; the network has yet to be told.
    is_revoked: bool,
}

/// What was said in peer names so far.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
struct Said {
    seq: i64,
    /// The last one said that this server synchronizes via the Internet, so another has to say when it doesn't.
    internet: bool,
}

impl Publication {
    pub(super) fn salt(&self) -> Option<Salt> {
        (!self.is_revoked).then(|| Salt::from_bytes(self.salt))
    }

    fn record(&self, key: &identity::PublicKey) -> Result<ServerRecord> {
        Ok(ServerRecord {
            name: ServerName::parse(&self.name)?,
            comment: self.comment.as_deref().map(Comment::parse).transpose()?,
            public_key: *key,
            service_id: ServiceId::from_bytes(self.service_id),
            salt: Salt::from_bytes(self.salt),
        })
    }

    async fn keys(&self) -> Result<RecordKeys> {
        let id = self.id;
        blocking(move || Ok(id.record_keys())).await
    }
}

impl Instance {
    /// Keeps the server findable until the instance ends.
    pub(super) async fn stay_findable(self: Arc<Self>) {
        let (mut rules, mut addresses) = (self.rules.subscribe(), self.candidates.watch());
        let mut failures = 0_usize;
        loop {
            rules.mark_unchanged();
            addresses.mark_unchanged();
            failures = match self.say_everything().await {
                Ok(()) => 0,
                Err(problem) => {
                    tracing::info!(?problem, "this server's address isn't published");
                    failures + 1
                }
            };
            let wait = match failures {
                0 => HOUR.mul_f64(0.9),
                failures => AGAIN_AFTER[(failures - 1).min(AGAIN_AFTER.len() - 1)],
            };
            tokio::select! {
                () = sleep(wait) => {}
                Ok(()) = rules.changed() => {}
                Ok(()) = addresses.changed() => sleep(SETTLING).await,
            }
        }
    }

    /// Looks at this computer's own addresses again and again: its interfaces', and the one its router leads here.
    pub(super) async fn know_own_addresses(self: Arc<Self>) {
        let Some(endpoint) = &self.endpoint else { return };
        loop {
            if let Ok(addresses) = endpoint.local_addresses() {
                let of = |source| -> Vec<SocketAddr> {
                    addresses.iter().copied().filter(|address| Source::of_interface(address) == source).collect()
                };
                for source in [Source::Interface, Source::Ipv6] {
                    self.candidates.replace(source, &of(source), now_secs());
                }
            }
            let mapped = self.router.mapping().map(|mapping| mapping.external);
            self.candidates.replace(Source::Mapping, mapped.as_slice(), now_secs());
            sleep(LOOK_EVERY).await;
        }
    }

    async fn say_everything(&self) -> Result<()> {
        let _one_at_a_time = self.publishing.lock().await;
        let said = self.say_peer_name().await;
        let renewed = self.renew_publication().await;
        said.and(renewed)
    }

    async fn say_peer_name(&self) -> Result<()> {
        let (internet, peer_names) = {
            let settings = self.settings();
            (settings.network.internet, settings.network.peer_names)
        };
        let said: Said = self.kept(PEER_NAME).await?.unwrap_or_default();
        if !peer_names || !(internet || said.internet) {
            return Ok(());
        }
        let name = PeerName {
            internet,
            candidates: if internet { self.addresses_for_others() } else { Vec::new() },
            rendezvous: self.told_rendezvous(),
        };
        let seq = peer_name::next_seq(said.seq, now_secs());
        // Before it is used, so that it never is twice.
        self.keep(PEER_NAME, &Said { seq, ..said }).await?;
        let dht = self.dht().await?;
        peer_name::publish(&dht, &self.key, &self.service_id(), &name, seq, now_secs()).await.map_err(unsaid)?;
        self.keep(PEER_NAME, &Said { seq, internet }).await?;
        if !internet {
            self.leave_dht().await;
        }
        Ok(())
    }

    /// Where others may find this server. Loopback means something to others only where there is nothing else.
    fn addresses_for_others(&self) -> Vec<(Source, SocketAddr)> {
        let mut all: Vec<(Source, SocketAddr)> =
            self.candidates.all().iter().map(|known| (known.source, known.address)).collect();
        if all.iter().any(|(_, address)| !address.ip().is_loopback()) {
            all.retain(|(_, address)| !address.ip().is_loopback());
        }
        // The most useful ones where not all have room: what others outside reach.
        all.sort_by_key(|(source, address)| (*source <= Source::Interface, *source, *address));
        all.truncate(PeerName::CANDIDATES_MAX);
        all
    }

    async fn renew_publication(&self) -> Result<()> {
        let Some(publication) = self.kept::<Publication>(PUBLICATION).await? else { return Ok(()) };
        if publication.is_revoked {
            return self.finish_revoking(publication).await;
        }
        let is_fresh = publication.renewed_at.is_some_and(|at| now_secs().saturating_sub(at) < HOUR.as_secs() / 2);
        if is_fresh || !self.settings().network.internet {
            return Ok(());
        }
        self.say_record(publication).await.map(drop)
    }

    /// Stores the record behind the server ID; answers with what is published now.
    async fn say_record(&self, publication: Publication) -> Result<Publication> {
        let seq = peer_name::next_seq(publication.seq, now_secs());
        let record = publication.record(&self.key.public())?;
        let signed = record.sign(&self.key).ok_or_else(|| Problem::new(Code::Unexpected))?;
        let (keys, dht) = (publication.keys().await?, self.dht().await?);
        server_record::publish(&dht, &keys, &signed, seq).await.map_err(unsaid)?;
        let publication = Publication { seq, renewed_at: Some(now_secs()), ..publication };
        self.keep(PUBLICATION, &publication).await?;
        Ok(publication)
    }

    async fn finish_revoking(&self, publication: Publication) -> Result<()> {
        let seq = peer_name::next_seq(publication.seq, now_secs());
        let (keys, dht) = (publication.keys().await?, self.dht().await?);
        server_record::revoke(&dht, &keys, seq).await.map_err(unsaid)?;
        self.forget(PUBLICATION).await
    }

    /// What is published, for the door and for people.
    pub(super) async fn published(&self) -> Result<Option<Publication>> {
        self.kept(PUBLICATION).await
    }

    pub(crate) async fn publication(&self, _: Nothing) -> Result<PublicationView> {
        self.door()?;
        let publication = self.published().await?;
        self.publication_view(publication.as_ref()).await
    }

    async fn publication_view(&self, publication: Option<&Publication>) -> Result<PublicationView> {
        let said: Option<Said> = self.kept(PEER_NAME).await?;
        let own_name = self.settings().name.as_ref().map(ToString::to_string).unwrap_or_default();
        Ok(PublicationView {
            state: match publication {
                None => PublicationState::None,
                Some(publication) if publication.is_revoked => PublicationState::Revoking,
                Some(_) => PublicationState::Published,
            },
            server_id: publication.map(|publication| publication.id.to_string()),
            name: publication.map_or(own_name, |publication| publication.name.clone()),
            comment: publication.and_then(|publication| publication.comment.clone()),
            public_key: self.key.public().to_string(),
            published_at: publication.map(|publication| publication.published_at),
            renewed_at: publication.and_then(|publication| publication.renewed_at),
            says_internet: said.map(|said| said.internet),
        })
    }

    pub(crate) async fn publish(&self, request: PublishRequest) -> Result<PublicationView> {
        let door = self.door()?;
        if !self.settings().network.internet {
            return Err(Problem::new(Code::PublishNeedsInternet));
        }
        let name = match request.name {
            Some(name) => ServerName::parse(&name)?,
            None => self.settings().name.clone().ok_or_else(|| Problem::new(Code::NotSetUp))?,
        };
        let comment = request.comment.filter(|comment| !comment.trim().is_empty());
        let comment =
            comment.map(|comment| Comment::parse(&comment).map_err(|error| comment_problem(&error))).transpose()?;
        let _one_at_a_time = self.publishing.lock().await;
        let publication = match self.published().await? {
            Some(publication) if publication.is_revoked => {
                self.finish_revoking(publication).await?;
                self.new_publication().await?
            }
            // The ID stays: it commits to neither name nor comment.
            Some(publication) => publication,
            None => self.new_publication().await?,
        };
        let comment = comment.as_ref().map(ToString::to_string);
        let publication = self.say_record(Publication { name: name.to_string(), comment, ..publication }).await?;
        door.set_published(publication.salt());
        self.rules.send_replace(());
        self.publication_view(Some(&publication)).await
    }

    async fn new_publication(&self) -> Result<Publication> {
        let (salt, service_id, key) = (Salt::generate(), self.service_id(), self.key.public());
        let id = blocking(move || Ok(ServerId::derive(&key, &service_id, &salt))).await?;
        Ok(Publication {
            id,
            salt: *salt.as_bytes(),
            service_id: *service_id.as_bytes(),
            name: String::new(),
            comment: None,
            published_at: now_secs(),
            renewed_at: None,
            seq: 0,
            is_revoked: false,
        })
    }

    pub(crate) async fn revoke(&self, _: Nothing) -> Result<PublicationView> {
        let door = self.door()?;
        let _one_at_a_time = self.publishing.lock().await;
        let Some(publication) = self.published().await? else { return self.publication_view(None).await };
        let publication = Publication { is_revoked: true, ..publication };
        self.keep(PUBLICATION, &publication).await?;
        door.set_published(None);
        let left = match self.finish_revoking(publication.clone()).await {
            Ok(()) => None,
            Err(problem) => {
                tracing::info!(?problem, "the publication is revoked as soon as the network can be reached");
                Some(publication)
            }
        };
        self.rules.send_replace(());
        self.publication_view(left.as_ref()).await
    }

    async fn kept<T: for<'de> Deserialize<'de>>(&self, name: &'static str) -> Result<Option<T>> {
        let bytes = self.engine.run(move |room| room.index.value(name)).await.ok_or_else(gone)??;
        Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
    }

    async fn keep(&self, name: &'static str, value: &impl Serialize) -> Result<()> {
        let bytes = serde_json::to_vec(value).map_err(|error| Problem::new(Code::Unexpected).because(error))?;
        Ok(self.engine.run(move |room| room.index.set_value(name, Some(&bytes))).await.ok_or_else(gone)??)
    }

    async fn forget(&self, name: &'static str) -> Result<()> {
        Ok(self.engine.run(move |room| room.index.set_value(name, None)).await.ok_or_else(gone)??)
    }
}

fn unsaid(error: DhtError) -> Problem {
    Problem::new(Code::Offline).because(error)
}

fn comment_problem(error: &identity::TextError) -> Problem {
    Problem::new(Code::CommentNotUsable).with("chars_max", Comment::CHARS_MAX).because(*error)
}
