//! What a server says of itself to those who look for it: its peer name, and the record behind its server ID.
//!
//! Both lie in the DHT, which forgets them after about two hours; so they are said again each hour and when this computer
//! wakes up, and the peer name at every change of address or switch. The record lies in a directory instead or as well, if the owner named one, and is
//! said again there once a week. A publication that was revoked is forgotten here only once every place where it lies
//! deleted it; until then every wake-up tries again, and nobody pairs by it any more from the first moment.

use super::{Instance, blocking, gone, now_secs};
use crate::{
    api::types::{Nothing, PublicationPlace, PublicationState, PublicationView, PublishRequest},
    finding::{directory_client, directory_problem, read_directory_url},
    message::{Code, Problem, Result},
};
use directory::DirectoryError;
use identity::{Comment, RecordKeys, Rendezvous, Salt, ServerId, ServerName, ServerRecord, ServiceId};
use net::{DhtError, PeerName, Source, Wakes, peer_name, server_record};
use serde::{Deserialize, Serialize};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::time::{sleep, timeout};

const PUBLICATIONS: &str = "server.publications";
/// What there was of it before there were directories: one publication, in the DHT.
const PUBLICATION: &str = "server.publication";
const PEER_NAME: &str = "server.peer-name";
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);
/// The DHT keeps a record about that long.
const DHT_KEEPS: Duration = HOUR.saturating_mul(2);
/// A directory keeps a record that long without hearing of it.
const DIRECTORY_KEEPS: Duration = DAY.saturating_mul(60);
/// Addresses change several at a time.
const SETTLING: Duration = Duration::from_millis(300);
/// After one, two, three and more times that nobody took what was said.
const AGAIN_AFTER: [Duration; 4] =
    [Duration::from_secs(5), Duration::from_secs(30), Duration::from_secs(120), Duration::from_secs(600)];
/// Whoever stops being a server waits no longer for what takes its record back.
const TAKING_BACK: Duration = Duration::from_secs(30);
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
    seq: i64,
    /// The owner took it back; some place has yet to be told.
    is_revoked: bool,
    #[serde(default = "in_the_dht")]
    places: Vec<Place>,
}

/// Where a record lies, or doesn't yet.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
struct Place {
    /// The address of a directory. `None`: the DHT.
    directory: Option<String>,
    /// The record is to go from there.
    is_left: bool,
    /// When it was last stored there, as it is now.
    stored_at: Option<u64>,
    /// When it is to be stored again.
    due_at: u64,
    /// Why that didn't work the last time.
    problem: Option<String>,
    /// Switchboards beside the directory, as it last named them.
    #[serde(default)]
    rendezvous: Vec<Rendezvous>,
}

fn in_the_dht() -> Vec<Place> {
    vec![Place::default()]
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

    /// The directory it lies in, or is to lie in.
    fn directory(&self) -> Option<&str> {
        self.places.iter().find_map(|place| place.directory.as_deref().filter(|_| !place.is_left))
    }

    /// The directory as others are told it: only one that is asked by https, by its name.
    pub(super) fn directory_for_others(&self) -> Option<identity::Directory> {
        identity::Directory::parse(self.directory()?.strip_prefix("https://")?)
    }

    fn is_in_dht(&self) -> bool {
        self.places.iter().any(|place| place.directory.is_none() && !place.is_left)
    }

    /// Makes this the only places it is to lie in.
    fn lie_in(&mut self, wanted: &[Option<String>]) {
        for place in &mut self.places {
            place.is_left = !wanted.contains(&place.directory);
            (place.due_at, place.problem) = (0, None);
        }
        for directory in wanted {
            if !self.places.iter().any(|place| place.directory == *directory) {
                self.places.push(Place { directory: directory.clone(), ..Place::default() });
            }
        }
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
        let mut wakes = Wakes::of(&self.network);
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
                () = wakes.next() => sleep(SETTLING).await,
            }
        }
    }

    /// Looks at this computer's own addresses again and again: its interfaces', and the one its router leads here.
    pub(super) async fn know_own_addresses(self: Arc<Self>) {
        let Some(endpoint) = &self.endpoint else { return };
        loop {
            let addresses = endpoint.local_addresses();
            let of = |source| -> Vec<SocketAddr> {
                addresses.iter().copied().filter(|address| Source::of_interface(address) == source).collect()
            };
            for source in [Source::Interface, Source::Ipv6] {
                self.candidates.replace(source, &of(source), now_secs());
            }
            let mapped = self.router.mapping().map(|mapping| mapping.external);
            self.candidates.replace(Source::Mapping, mapped.as_slice(), now_secs());
            sleep(LOOK_EVERY).await;
        }
    }

    async fn say_everything(&self) -> Result<()> {
        let _one_at_a_time = self.publishing.lock().await;
        let said = self.say_peer_name().await;
        let renewed = self.renew_publications().await;
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
            candidates: if internet { self.candidates.for_others() } else { Vec::new() },
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

    async fn renew_publications(&self) -> Result<()> {
        let mut outcome = Ok(());
        let before = self.rendezvous_of_directories().await?;
        for publication in self.publications().await? {
            if publication.is_revoked || self.settings().network.internet {
                outcome = outcome.and(self.settle(publication).await.map(drop));
            }
        }
        if self.rendezvous_of_directories().await? != before {
            self.rules.send_replace(());
        }
        outcome
    }

    /// Stores the record wherever it is to be and is due, and deletes it wherever it isn't to be any more. `Err`: what went
    /// wrong first; the rest is done all the same.
    async fn settle(&self, mut publication: Publication) -> Result<Publication> {
        let is_due = |place: &Place| place.due_at <= now_secs();
        if !publication.places.iter().any(is_due) {
            return Ok(publication);
        }
        publication.seq = peer_name::next_seq(publication.seq, now_secs());
        // Before it is used, so that it never is twice.
        self.keep_publication(&publication).await?;
        let mut outcome = Ok(());
        for mut place in std::mem::take(&mut publication.places) {
            if !is_due(&place) {
                publication.places.push(place);
                continue;
            }
            match self.settle_in(&publication, &mut place).await {
                Ok(()) if publication.is_revoked || place.is_left => continue,
                Ok(()) => place.problem = None,
                // By now it has forgotten by itself.
                Err(_) if place.directory.is_some() && place.is_forgotten(&publication) => continue,
                Err(problem) => {
                    place.problem = Some(problem.code.as_str().to_owned());
                    outcome = outcome.and(Err(problem));
                }
            }
            publication.places.push(place);
        }
        self.keep_publication(&publication).await?;
        outcome.map(|()| publication)
    }

    async fn settle_in(&self, publication: &Publication, place: &mut Place) -> Result<()> {
        let is_leaving = publication.is_revoked || place.is_left;
        let seq = publication.seq;
        let renewed_after = match &place.directory {
            None => {
                let (keys, dht) = (publication.keys().await?, self.dht().await?);
                if is_leaving {
                    return server_record::revoke(&dht, &keys, seq).await.map_err(unsaid);
                }
                let record = publication.record(&self.key.public())?;
                let signed = record.sign(&self.key).ok_or_else(|| Problem::new(Code::Unexpected))?;
                server_record::publish(&dht, &keys, &signed, seq).await.map_err(unsaid)?;
                HOUR / 2
            }
            Some(url) => {
                let refused = |error| directory_problem(url, error);
                let client = directory_client(read_directory_url(url)?)?;
                let sequence = seq.cast_unsigned();
                if is_leaving {
                    return client.revoke(publication.id, &self.key, sequence).await.map_err(refused);
                }
                let refreshed = match place.stored_at {
                    Some(_) => client.refresh(publication.id, &self.key, sequence).await,
                    None => Err(DirectoryError::NotFound),
                };
                match refreshed {
                    Err(DirectoryError::NotFound) => {
                        let record = publication.record(&self.key.public())?;
                        client.publish(&record, &self.key, sequence).await
                    }
                    outcome => outcome,
                }
                .map_err(refused)?;
                // Whoever looks this server up there asks for it at the switchboards that are named there.
                if let Ok(info) = client.info().await {
                    place.rendezvous = info.switchboards();
                }
                // Not all servers of a directory on the same day.
                DAY * 6 + DAY.mul_f64(f64::from(publication.salt[0]) / 256.0)
            }
        };
        (place.stored_at, place.due_at) = (Some(now_secs()), now_secs() + renewed_after.as_secs());
        Ok(())
    }

    /// Everything that lies somewhere, or has to be deleted somewhere.
    async fn publications(&self) -> Result<Vec<Publication>> {
        if let Some(publications) = self.kept(PUBLICATIONS).await? {
            return Ok(publications);
        }
        Ok(self.kept(PUBLICATION).await?.into_iter().collect())
    }

    async fn keep_publication(&self, publication: &Publication) -> Result<()> {
        let mut publications = self.publications().await?;
        publications.retain(|other| other.id != publication.id);
        if !(publication.is_revoked && publication.places.is_empty()) {
            publications.push(publication.clone());
        }
        self.keep(PUBLICATIONS, &publications).await?;
        self.forget(PUBLICATION).await
    }

    async fn forget_publication(&self, id: ServerId) -> Result<()> {
        let mut publications = self.publications().await?;
        publications.retain(|publication| publication.id != id);
        self.keep(PUBLICATIONS, &publications).await
    }

    /// Switchboards at which others ask for this server because the directory it is published in names them.
    pub(super) async fn rendezvous_of_directories(&self) -> Result<Vec<Rendezvous>> {
        let published = self.published().await?;
        let places = published.into_iter().flat_map(|publication| publication.places);
        Ok(places.filter(|place| !place.is_left).flat_map(|place| place.rendezvous).collect())
    }

    /// What is published, for the door and for people.
    pub(super) async fn published(&self) -> Result<Option<Publication>> {
        Ok(self.publications().await?.into_iter().find(|publication| !publication.is_revoked))
    }

    pub(crate) async fn publication(&self, _: Nothing) -> Result<PublicationView> {
        self.door()?;
        let publications = self.publications().await?;
        let current = publications.iter().find(|publication| !publication.is_revoked);
        self.publication_view(current.or(publications.last())).await
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
            renewed_at: publication
                .and_then(|publication| publication.places.iter().filter_map(|at| at.stored_at).max()),
            places: publication
                .map_or_else(Vec::new, |publication| publication.places.iter().map(Place::view).collect()),
            says_internet: said.map(|said| said.internet),
        })
    }

    pub(crate) async fn publish(&self, request: PublishRequest) -> Result<PublicationView> {
        let door = self.door()?;
        if !self.settings().network.internet {
            return Err(Problem::new(Code::PublishNeedsInternet));
        }
        let name = match &request.name {
            Some(name) => ServerName::parse(name)?,
            None => self.settings().name.clone().ok_or_else(|| Problem::new(Code::NotSetUp))?,
        };
        let comment = request.comment.as_deref().filter(|comment| !comment.trim().is_empty());
        let comment =
            comment.map(|comment| Comment::parse(comment).map_err(|error| comment_problem(&error))).transpose()?;
        let _one_at_a_time = self.publishing.lock().await;
        let before = self.published().await?;
        let places = wanted_places(&request, before.as_ref())?;
        let mut publication = match before.clone() {
            // The ID stays: it commits to neither name nor comment.
            Some(publication) => publication,
            None => self.new_publication().await?,
        };
        publication.lie_in(&places);
        let comment = comment.as_ref().map(ToString::to_string);
        if (publication.name.as_str(), &publication.comment) != (name.as_str(), &comment) {
            (publication.name, publication.comment) = (name.to_string(), comment);
            publication.places.iter_mut().for_each(|place| place.stored_at = None);
        }
        let outcome = self.settle(publication).await;
        let publication = match (outcome, self.published().await?) {
            (Ok(publication), _) => publication,
            // Somewhere it is stored. The rest is tried again and again.
            (Err(_), Some(publication)) if publication.is_stored_somewhere() => publication,
            (Err(problem), tried) => {
                // As if nobody had asked for anything.
                match (before, tried) {
                    (Some(before), Some(tried)) => {
                        self.keep_publication(&Publication { seq: tried.seq, ..before }).await?;
                    }
                    (None, Some(tried)) => self.forget_publication(tried.id).await?,
                    (_, None) => {}
                }
                return Err(problem);
            }
        };
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
            seq: 0,
            is_revoked: false,
            places: Vec::new(),
        })
    }

    pub(crate) async fn revoke(&self, _: Nothing) -> Result<PublicationView> {
        let door = self.door()?;
        let _one_at_a_time = self.publishing.lock().await;
        let Some(publication) = self.published().await? else { return self.publication_view(None).await };
        let publication = publication.revoked();
        self.keep_publication(&publication).await?;
        door.set_published(None);
        if let Err(problem) = self.settle(publication).await {
            tracing::info!(?problem, "the publication is revoked as soon as the network can be reached");
        }
        let left = self.publications().await?;
        self.rules.send_replace(());
        self.publication_view(left.last()).await
    }

    /// Deletes everywhere what this server says of itself, because in a moment it is none any more. `Some`: what couldn't be
    /// reached stays to be found for a while, and nobody can delete it then.
    pub(super) async fn take_back(&self) -> Result<Option<Problem>> {
        let _one_at_a_time = self.publishing.lock().await;
        for publication in self.publications().await? {
            self.keep_publication(&publication.revoked()).await?;
        }
        // The last peer name says that nobody is called here, and holds no addresses.
        self.settings().network.internet = false;
        let taking_back = async { self.renew_publications().await.and(self.say_peer_name().await) };
        match timeout(TAKING_BACK, taking_back).await {
            Ok(Ok(())) => {}
            Ok(Err(problem)) => tracing::warn!(%problem, "not everything could be taken back"),
            Err(_) => tracing::warn!("taking everything back takes too long"),
        }
        let left = self.publications().await?;
        let stays = left.iter().flat_map(|one| one.places.iter().map(move |place| (place.stays_secs(one), one.id)));
        let longest = stays.filter(|(secs, _)| *secs > 0).max_by_key(|(secs, _)| *secs);
        Ok(longest.map(|(secs, id)| {
            Problem::new(Code::PublicationStays).with("server_id", id.to_string()).with("left_secs", secs)
        }))
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

impl Publication {
    /// The same, to be deleted everywhere.
    fn revoked(mut self) -> Self {
        self.is_revoked = true;
        self.lie_in(&[]);
        self
    }

    fn is_stored_somewhere(&self) -> bool {
        self.places.iter().any(|place| !place.is_left && place.stored_at.is_some() && place.problem.is_none())
    }
}

impl Place {
    fn view(&self) -> PublicationPlace {
        PublicationPlace {
            directory: self.directory.clone(),
            is_left: self.is_left,
            stored_at: self.stored_at,
            problem: self.problem.clone(),
        }
    }

    /// Says whether a record that is to go has expired meanwhile.
    fn is_forgotten(&self, publication: &Publication) -> bool {
        (publication.is_revoked || self.is_left) && self.stays_secs(publication) == 0
    }

    /// How long the record can still be found there if nobody deletes it.
    fn stays_secs(&self, publication: &Publication) -> u64 {
        let keeps = if self.directory.is_some() { DIRECTORY_KEEPS } else { DHT_KEEPS };
        let stored_at = self.stored_at.unwrap_or(publication.published_at);
        (stored_at + keeps.as_secs()).saturating_sub(now_secs())
    }
}

/// Where the record is to be: as it is now, but for what the request says; at first, in the DHT.
fn wanted_places(request: &PublishRequest, before: Option<&Publication>) -> Result<Vec<Option<String>>> {
    let in_dht = request.dht.unwrap_or_else(|| before.is_none_or(Publication::is_in_dht));
    let directory = match request.directory.as_deref().map(str::trim) {
        None => before.and_then(Publication::directory).map(ToOwned::to_owned),
        Some("") => None,
        Some(text) => Some(read_directory_url(text)?.to_string()),
    };
    let places: Vec<Option<String>> = in_dht.then_some(None).into_iter().chain(directory.map(Some)).collect();
    if places.is_empty() {
        return Err(Problem::new(Code::PublishNowhere));
    }
    Ok(places)
}

fn unsaid(error: DhtError) -> Problem {
    Problem::new(Code::Offline).because(error)
}

fn comment_problem(error: &identity::TextError) -> Problem {
    Problem::new(Code::CommentNotUsable).with("chars_max", Comment::CHARS_MAX).because(*error)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: &str = "https://directory.example";

    fn publication(places: Vec<Place>) -> Publication {
        Publication {
            id: ServerId::parse("CVWW-PTSP-HJPB-J8J2").unwrap(),
            salt: [3; 16],
            service_id: [2; 16],
            name: "Office PC".to_owned(),
            comment: None,
            published_at: now_secs(),
            seq: 1,
            is_revoked: false,
            places,
        }
    }

    fn place(directory: Option<&str>) -> Place {
        Place { directory: directory.map(ToOwned::to_owned), stored_at: Some(now_secs()), ..Place::default() }
    }

    fn wanted(dht: Option<bool>, directory: Option<&str>, before: Option<&Publication>) -> Vec<Option<String>> {
        let directory = directory.map(ToOwned::to_owned);
        wanted_places(&PublishRequest { dht, directory, ..PublishRequest::default() }, before).unwrap()
    }

    #[test]
    fn a_record_lies_in_the_dht_unless_somebody_says_otherwise_and_stays_where_it_is() {
        let in_directory = Some(HERE.to_owned());
        assert_eq!(wanted(None, None, None), [None]);
        assert_eq!(wanted(None, Some("directory.example"), None), [None, in_directory.clone()]);
        assert_eq!(wanted(Some(false), Some("directory.example"), None), std::slice::from_ref(&in_directory));

        let both = publication(vec![place(None), place(Some(HERE))]);
        assert_eq!(wanted(None, None, Some(&both)), [None, in_directory.clone()]);
        assert_eq!(wanted(None, Some(""), Some(&both)), [None]);
        assert_eq!(wanted(Some(false), None, Some(&both)), [in_directory]);
        let nowhere = PublishRequest { dht: Some(false), ..PublishRequest::default() };
        assert_eq!(wanted_places(&nowhere, None).unwrap_err().code, Code::PublishNowhere);
    }

    #[test]
    fn a_place_that_isnt_wanted_any_more_is_kept_until_it_is_cleared() {
        let mut publication = publication(vec![place(None), place(Some(HERE))]);
        publication.lie_in(&[None]);
        assert_eq!(publication.directory(), None);
        assert!(publication.is_in_dht());
        assert!(publication.places[1].is_left && publication.places[1].due_at == 0);
        publication.lie_in(&[None, Some(HERE.to_owned())]);
        assert_eq!(publication.directory(), Some(HERE));
        assert_eq!(publication.places.len(), 2);
        publication.lie_in(&[]);
        assert!(publication.places.iter().all(|place| place.is_left));
    }

    #[test]
    fn a_directory_that_never_comes_back_is_given_up_once_it_must_have_forgotten() {
        let mut publication = publication(vec![place(Some(HERE))]);
        publication.is_revoked = true;
        assert!(!publication.places[0].is_forgotten(&publication));
        publication.places[0].stored_at = Some(now_secs() - 61 * 24 * 3600);
        assert!(publication.places[0].is_forgotten(&publication));
        publication.is_revoked = false;
        assert!(!publication.places[0].is_forgotten(&publication), "it is to be stored there");
    }

    #[test]
    fn others_are_told_of_a_directory_by_its_name_and_only_if_it_is_asked_by_https() {
        for (url, told) in [
            ("https://directory.example", Some("directory.example")),
            ("https://directory.example:8443", Some("directory.example:8443")),
            ("http://directory.example", None),
            ("https://127.0.0.1:8443", None),
        ] {
            let publication = publication(vec![place(Some(url))]);
            assert_eq!(publication.directory_for_others().map(|directory| directory.to_string()).as_deref(), told);
        }
    }

    #[test]
    fn a_publication_from_before_there_were_directories_lies_in_the_dht() {
        let mut old = serde_json::to_value(publication(Vec::new())).unwrap();
        old.as_object_mut().unwrap().remove("places");
        old["renewed_at"] = 7.into();
        let read: Publication = serde_json::from_value(old).unwrap();
        assert!(read.is_in_dht());
        assert_eq!(read.directory(), None);
    }
}
