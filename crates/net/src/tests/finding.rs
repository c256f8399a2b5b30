//! Finding a server whose address nobody knows, in a DHT of nodes of its own on the loopback network.

use super::*;
use crate::{Dht, peer_name, server_record};
use identity::{Salt, ServerName, ServerRecord};
use mainline::Testnet;
use std::net::Ipv4Addr;

const NODES: usize = 12;
/// Half past noon, so that one day is published.
const NOON: u64 = 20_600 * 86_400 + 45_000;

fn network() -> Testnet {
    Testnet::builder(NODES).bind_address(Ipv4Addr::LOCALHOST).build().unwrap()
}

fn part_of(network: &Testnet) -> Dht {
    Dht::open(&network.bootstrap, &[]).unwrap()
}

fn said(port: u16) -> PeerName {
    let candidates = vec![(Source::Mapping, SocketAddr::from(([203, 0, 113, 7], port)))];
    PeerName { internet: true, candidates, rendezvous: Vec::new() }
}

/// DHT questions end after two seconds at most; a loaded machine may need longer.
async fn in_time<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), future).await.expect("this should not take long")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_name_is_found_by_service_id_and_the_newest_one_wins() {
    let network = network();
    let (server, reader) = (part_of(&network), part_of(&network));
    let id = ServiceId::from_bytes([9; 16]);
    let key = key(OFFICE);
    let find = |service_id, now| peer_name::find(&reader, key.public(), service_id, now);

    assert_eq!(in_time(find(id, NOON).recv()).await, None, "nothing was said yet");
    peer_name::publish(&server, &key, &id, &said(41_000), 5, NOON).await.unwrap();
    assert_eq!(in_time(find(id, NOON).recv()).await, Some(said(41_000)));
    // A reader whose clock is a day ahead or behind.
    assert_eq!(in_time(find(id, NOON + 86_400).recv()).await, Some(said(41_000)));
    assert_eq!(in_time(find(id, NOON - 86_400).recv()).await, Some(said(41_000)));
    assert_eq!(in_time(find(ServiceId::from_bytes([8; 16]), NOON).recv()).await, None, "another service ID");

    peer_name::publish(&server, &key, &id, &said(42_000), 6, NOON).await.unwrap();
    assert_eq!(in_time(find(id, NOON).recv()).await, Some(said(42_000)));
    let older = peer_name::publish(&server, &key, &id, &said(43_000), 4, NOON).await;
    assert!(older.is_err(), "an older word doesn't replace a newer one");
    assert_eq!(in_time(find(id, NOON).recv()).await, Some(said(42_000)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_holder_of_the_service_id_can_disturb_a_peer_name_but_not_forge_it() {
    let network = network();
    let (holder, reader) = (part_of(&network), part_of(&network));
    let id = ServiceId::from_bytes([9; 16]);
    let foreign = key(99);
    peer_name::publish(&holder, &foreign, &id, &said(41_000), 9, NOON).await.unwrap();
    let mut found = peer_name::find(&reader, key(OFFICE).public(), id, NOON);
    assert_eq!(in_time(found.recv()).await, None, "the server didn't say that");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_id_leads_to_its_record_until_it_is_revoked() {
    let network = network();
    let (server, reader) = (part_of(&network), part_of(&network));
    let owner = key(OFFICE);
    let record = ServerRecord {
        name: ServerName::parse("Office PC").unwrap(),
        comment: None,
        public_key: owner.public(),
        service_id: ServiceId::from_bytes([9; 16]),
        salt: Salt::from_bytes([3; 16]),
    };
    let id = record.server_id();
    let keys = id.record_keys();
    assert_eq!(in_time(server_record::look_up(&reader, id)).await, server_record::LookUp::NotPublished);
    server_record::publish(&server, &keys, &record.sign(&owner).unwrap(), 5).await.unwrap();
    assert_eq!(in_time(server_record::look_up(&reader, id)).await, server_record::LookUp::Published(record.clone()));

    // Somebody with the ID puts another server there.
    let other = ServerRecord { public_key: key(99).public(), ..record };
    server_record::publish(&reader, &keys, &other.sign(&key(99)).unwrap(), 6).await.unwrap();
    assert_eq!(in_time(server_record::look_up(&reader, id)).await, server_record::LookUp::Manipulated);

    server_record::revoke(&server, &keys, 7).await.unwrap();
    assert_eq!(in_time(server_record::look_up(&reader, id)).await, server_record::LookUp::NotPublished);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_any_node_the_answer_is_that_nobody_answered() {
    let silent = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let dht = Dht::open(&[silent.local_addr().unwrap().to_string()], &[]).unwrap();
    let (id, owner) = (ServiceId::from_bytes([9; 16]), key(OFFICE));
    let said = said(41_000);
    let published = in_time(peer_name::publish(&dht, &owner, &id, &said, 1, NOON)).await;
    assert_eq!(published, Err(crate::DhtError::NoNode));
    assert_eq!(in_time(peer_name::find(&dht, owner.public(), id, NOON).recv()).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_remembered_from_last_time_are_enough_to_begin() {
    let network = network();
    let id = ServiceId::from_bytes([9; 16]);
    let first = part_of(&network);
    peer_name::publish(&first, &key(OFFICE), &id, &said(41_000), 5, NOON).await.unwrap();
    let remembered = first.remembered().await;
    assert!(!remembered.is_empty());
    let silent = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let later = Dht::open(&[silent.local_addr().unwrap().to_string()], &remembered).unwrap();
    let mut found = peer_name::find(&later, key(OFFICE).public(), id, NOON);
    assert_eq!(in_time(found.recv()).await, Some(said(41_000)));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_found_while_calling_wins_the_race() {
    let office = Office::open(&[LAPTOP]);
    let laptop = client(LAPTOP);
    let silent = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let nowhere = Target { addresses: vec![silent.local_addr().unwrap()], ..office.target.clone() };
    let (entry, entrants) = Entrants::open();
    let address = office.target.addresses[0];
    tokio::spawn(async move { entry.enter(address).await });
    let connected = in_time(laptop.connect(&nowhere, entrants)).await.unwrap();
    assert_eq!(connected.remote_address(), address);
    let answer = in_time(connected.join(b"laptop".as_slice())).await.unwrap();
    assert!(matches!(answer, Answer::Joined(_)), "a known device");

    // Nobody finds anything: the race ends when the last one stops looking.
    let (entry, entrants) = Entrants::open();
    drop(entry);
    let empty = Target { addresses: Vec::new(), ..nowhere };
    assert_eq!(in_time(laptop.connect(&empty, entrants)).await.err(), Some(DialError::NoAddress));
}

#[tokio::test]
async fn a_pairing_by_a_revoked_server_id_is_refused_and_costs_no_guess() {
    let office = Office::open(&[]);
    let laptop = client(LAPTOP);
    for (salt, expected) in [(4, Some(PairError::Revoked)), (3, None)] {
        let credentials = Credentials { salt: Some(Salt::from_bytes([salt; 16])), ..credentials(PASSWORD) };
        let pairing = in_time(ask_to_pair(&laptop, &office.target)).await.unwrap();
        assert_eq!(in_time(pairing.pair(&credentials)).await.err(), expected);
    }
    assert_eq!(office.desk.with(|desk| desk.guesses_taken), 1);
    assert!(office.desk.with(|desk| desk.enrolled[0].by_server_id));
}
