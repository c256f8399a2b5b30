//! Every reader of this crate whose bytes come from strangers or peers, in one place, so that fuzzing and the tests of
//! the workspace can feed them with anything. No part of the interface.

use crate::{
    Credentials, Enrolled, KnockKey, LanName, PasswordRecord, PeerName, Refusal, Source,
    opening::{self, Wish},
    pairing,
    password::KE1_LEN,
    peer_name, rendezvous, socket,
};
use bytes::Bytes;
use identity::{IdentityKey, Secret, ServerName, ServiceId, Signature, Statement};

const SERVICE: ServiceId = ServiceId::from_bytes([9; 16]);
const DAY: u64 = 20_000;

/// Gives all but the first byte to the reader that the first byte chooses.
pub fn read(bytes: &[u8]) {
    let Some((which, bytes)) = bytes.split_first() else { return };
    match which {
        0 => drop(opening::decode(&Bytes::copy_from_slice(bytes), opening::PROTOCOL_VERSION)),
        1 => {
            let refusal = opening::decode_refusal(bytes);
            assert_eq!(opening::decode_refusal(&opening::encode_refusal(refusal)), refusal);
        }
        2 => drop(pairing::Request::decode(bytes)),
        3 => drop(Enrolled::decode(bytes)),
        4 => drop(rendezvous::decode::<rendezvous::Request>(bytes).map(|request| request.is_bounded())),
        5 => drop(rendezvous::decode::<rendezvous::Reply>(bytes)),
        6 => drop(rendezvous::ToServer::read(bytes)),
        7 => drop(rendezvous::ToClient::read(bytes)),
        8 => {
            let key = office();
            // Signed, so that what is behind the signature is reached.
            let Signature(signature) = key.sign(Statement::Record, &peer_name::statement(&SERVICE, DAY, bytes));
            let read = PeerName::read(&[bytes, &signature].concat(), &key.public(), &SERVICE, DAY);
            assert!(read.is_none_or(|(_, name)| {
                name.candidates.len() <= PeerName::CANDIDATES_MAX && name.rendezvous.len() <= PeerName::RENDEZVOUS_MAX
            }));
        }
        9 => {
            let text = String::from_utf8_lossy(bytes);
            drop((KnockKey::from_hex(&text), LanName::of_instance(&text), ServerName::parse(&text)));
        }
        _ => drop((socket::is_worth_handling(bytes), PasswordRecord::from_bytes(bytes))),
    }
}

fn office() -> IdentityKey {
    IdentityKey::from_seed(&[1; 32])
}

/// Something that each reader takes, behind the byte that chooses it.
#[must_use]
pub fn samples() -> Vec<Vec<u8>> {
    let key = office();
    let address = |text: &str| text.parse().expect("an address");
    let hello = Wish::Session { hello: Bytes::from_static(b"hello") };
    let credentials = Credentials {
        password: Secret::new("not sent".to_owned()),
        device_name: "laptop".to_owned(),
        platform: "linux".to_owned(),
        ticket: Some(identity::Token::from_bytes([5; 16])),
        salt: Some(identity::Salt::from_bytes([6; 16])),
    };
    let enrolled = Enrolled { server_name: "Office PC".to_owned(), service_id: SERVICE, internet: true };
    let topic = rendezvous::Topic::of(&SERVICE);
    let sealed = vec![7; rendezvous::SEALED_LEN];
    let server = *key.public().as_bytes();
    let candidates = vec![
        (Source::Mapping, address("203.0.113.7:41234")),
        (Source::Interface, address("192.168.1.7:41234")),
        (Source::Ipv6, address("[2001:db8::1]:41234")),
    ];
    let switchboard = identity::Rendezvous {
        address: identity::HostPort::parse("rendezvous.example:41235").expect("a host and a port"),
        key: key.public(),
    };
    let name = PeerName { internet: true, candidates: candidates.clone(), rendezvous: vec![switchboard] };
    let mut named = name.sign(&key, &SERVICE, DAY, 7);
    named.truncate(named.len() - 64);
    let requests = [
        rendezvous::Request::Register { topics: vec![topic] },
        rendezvous::Request::CallMe { port: 41_234, token: [8; 16] },
        rendezvous::Request::Answer { call: 3, sealed: sealed.clone() },
        rendezvous::Request::Dial { server, topic, sealed: sealed.clone() },
    ];
    let replies = [
        rendezvous::Reply::Seen { address: address("203.0.113.7:41234"), probe_port: Some(41_236) },
        rendezvous::Reply::Peer { call: 3, address: address("[2001:db8::1]:41234"), sealed },
        rendezvous::Reply::Offline,
    ];
    let call = rendezvous::ToServer { call_back: [4; 16], addresses: vec![address("192.168.1.7:41234")] };
    let mut samples = vec![
        (0, opening::encode(&hello, opening::PROTOCOL_VERSION).to_vec()),
        (0, opening::encode(&Wish::Pairing, opening::PROTOCOL_VERSION).to_vec()),
        (1, opening::encode_refusal(Refusal::Paused { until_unix_secs: Some(1_800_000_000) }).to_vec()),
        (1, opening::encode_refusal(Refusal::Version { speaks: Some(2) }).to_vec()),
        (2, pairing::encode_request(&credentials, &[7; KE1_LEN]).to_vec()),
        (3, enrolled.encode()),
        (6, postcard(&call)),
        (7, postcard(&rendezvous::ToClient { candidates })),
        (8, named),
        (9, b"000102030405060708090a0b0c0d0e0f".to_vec()),
        (9, b"0001020304050607._tandem._udp.local.".to_vec()),
        (10, [&[0xc0, 0, 0, 0, 1, 20][..], &[7; 20]].concat()),
    ];
    samples.extend(requests.iter().map(|request| (4, postcard(request))));
    samples.extend(replies.iter().map(|reply| (5, postcard(reply))));
    samples.into_iter().map(|(which, bytes)| [&[which], &bytes[..]].concat()).collect()
}

fn postcard(message: &impl serde::Serialize) -> Vec<u8> {
    postcard::to_stdvec(message).expect("messages hold nothing that postcard can't write")
}
