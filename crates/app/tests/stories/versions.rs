//! Two computers with versions of the protocol that don't fit together. No number but the own one exists yet, so the other
//! side is a bare endpoint that says another one.

use crate::common::{Computer, call, invite, joined, request, run, server, status, until, until_problem};
use app::{
    node::Node,
    secrets::{SecretName, StoreKind},
    settings::Settings,
};
use identity::{IdentityKey, Invitation, Salt, ServiceId};
use net::{
    Admission, Caller, Doorkeeper, Endpoint, EndpointConfig, Enrolled, Entrants, Guess, Knock, KnockKey, KnockScope,
    NewDevice, NotEnrolled, PROTOCOL_VERSION, PairingDesk, PasswordRecord, Permit, SavedTransport, ServerRules, Target,
    Verdict,
};
use serde_json::json;
use std::{
    net::{IpAddr, SocketAddr, UdpSocket},
    sync::Arc,
};

fn endpoint(key: IdentityKey, protocol: u8) -> Endpoint {
    endpoint_at("127.0.0.1:0", key, protocol)
}

fn endpoint_at(address: &str, key: IdentityKey, protocol: u8) -> Endpoint {
    let config = EndpointConfig::new(key, SavedTransport::generate(), |_| None);
    Endpoint::bind(EndpointConfig { protocol, ..config }, address.parse().unwrap()).unwrap()
}

/// Waits until whoever listened there is gone altogether.
async fn until_free(address: &str) {
    until("the address is free", || UdpSocket::bind(address).is_ok()).await;
}

/// It is called by this service ID, and says nothing but its version.
fn speak(server: &Endpoint, service_id: &ServiceId) {
    server.set_knocks(&[Knock { key: KnockKey::of_service(service_id), scope: KnockScope::Anyone }]);
    server.serve(ServerRules { doorkeeper: Arc::new(Nobody), desk: Arc::new(Nobody) });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_tells_that_a_computer_with_another_version_called() {
    let office = Computer::new("office");
    office.mails("mail", 0..3);
    let server = server(&office).await;
    let invitation = invite(&server, json!({})).await;
    let address = status(&server).await.addresses[0].parse::<SocketAddr>().unwrap();
    let knock = KnockKey::of_service(&invitation.service_id);
    for (theirs, older) in [(PROTOCOL_VERSION + 1, "this computer only"), (PROTOCOL_VERSION - 1, "speaks only")] {
        let newcomer = endpoint(IdentityKey::generate(), theirs);
        let target = Target { addresses: vec![address], server: Some(invitation.public_key), knock };
        let connected = newcomer.connect(&target, Entrants::none()).await.unwrap();
        assert!(connected.ask_to_pair().await.is_err());
        until_problem(&server, Some("N34")).await;
        let problem = status(&server).await.problem.unwrap();
        assert!(problem.message.contains(older), "{}", problem.message);
    }
    assert!(call(&server, "devices", json!({})).await.as_array().unwrap().is_empty());
    assert_eq!(office.total(), 3);
    server.shut_down().await;
}

/// Says nothing to anybody: whoever speaks another version doesn't come that far.
struct Nobody;

impl Doorkeeper for Nobody {
    fn admit(&self, _: &Caller) -> Admission {
        unreachable!("the version comes first")
    }

    fn speaks_otherwise(&self, _: IpAddr, _: Option<u8>) {}
}

impl PairingDesk for Nobody {
    fn password(&self) -> Option<PasswordRecord> {
        None
    }

    fn is_published(&self, _: &Salt) -> bool {
        false
    }

    fn take_guess(&self, _: &Guess) -> Verdict {
        unreachable!("the version comes first")
    }

    fn succeeded(&self, _: Permit) {}

    fn enrol(&self, _: &NewDevice) -> Result<Enrolled, NotEnrolled> {
        Err(NotEnrolled)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_laptop_hears_which_of_the_two_to_update_and_keeps_everything() {
    let template = Computer::new("template");
    let real = server(&template).await;
    let invitation = invite(&real, json!({})).await;
    real.shut_down().await;

    // Nothing is older than the first version yet. Nobody can say 0: such a server is known to be another one, no more.
    for (theirs, what) in [(PROTOCOL_VERSION + 1, "on this computer"), (0, "with the older version")] {
        let laptop = Computer::new("laptop");
        laptop.mails("mail", 0..3);
        let key = IdentityKey::generate();
        let invitation =
            Invitation { public_key: key.public(), service_id: ServiceId::generate(), ..invitation.clone() };
        let office = endpoint(key, theirs);
        speak(&office, &invitation.service_id);
        let mut request = request(invitation, &laptop);
        request.addresses = office.local_addresses();
        let refused =
            Node::join(&laptop.profile(), request).await.err().unwrap().view(app::language::Language::English);
        assert_eq!(refused.code, "N07");
        assert!(refused.action.contains(what), "{}", refused.action);
        assert_eq!(laptop.total(), 3);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_laptop_whose_server_was_updated_is_told_by_the_check_and_keeps_everything() {
    let (office, laptop) = (Computer::new("office"), Computer::new("laptop"));
    office.mails("mail", 0..3);
    let server = server(&office).await;
    joined(&server, &laptop).await.shut_down().await;
    let address = status(&server).await.addresses[0].clone();
    let service_id = invite(&server, json!({})).await.service_id;
    server.shut_down().await;

    let settings = Settings::load(&office.profile().settings_file()).unwrap();
    let secrets = app::secrets::open(&office.profile(), &settings.profile.unwrap(), StoreKind::File);
    let seed = secrets.get_bytes(SecretName::IdentitySeed).unwrap();
    let key = IdentityKey::from_seed(seed.as_slice().try_into().unwrap());
    until_free(&address).await;
    let updated = endpoint_at(&address, key, PROTOCOL_VERSION + 1);
    speak(&updated, &service_id);
    let client = run(&laptop).await;
    until_problem(&client, Some("N07")).await;
    let checks = call(&client, "doctor", json!({})).await;
    let stop = checks.as_array().unwrap().iter().find(|check| check["result"] == "problem").unwrap();
    assert_eq!((&stop["id"], &stop["problem"]["code"]), (&json!("version"), &json!("N07")), "{checks:#}");
    assert_eq!(laptop.total(), 3);
    client.shut_down().await;
}
