//! Finding a server nobody knows the address of, in a network for addresses (DHT) of its own on the loopback network.

use crate::common::*;
use app::{
    finding,
    node::{InitServer, JoinRequest, Node},
    secrets::StoreKind,
    settings::Settings,
};
use identity::{Fingerprint, Secret, ServerId};
use mainline::Testnet;
use serde_json::json;
use std::{net::Ipv4Addr, time::Duration};

fn network() -> Testnet {
    Testnet::builder(10).bind_address(Ipv4Addr::LOCALHOST).build().unwrap()
}

fn settings(computer: &Computer) -> Settings {
    Settings::load(&computer.profile().settings_file()).unwrap()
}

fn set(computer: &Computer, change: impl FnOnce(&mut Settings)) {
    let mut settings = settings(computer);
    change(&mut settings);
    std::fs::create_dir_all(computer.profile_folder()).unwrap();
    settings.save(&computer.profile().settings_file()).unwrap();
}

fn use_network(computer: &Computer, network: &Testnet) {
    let nodes = network.bootstrap.clone();
    set(computer, |settings| settings.network.dht_bootstrap = nodes);
}

async fn internet_server(computer: &Computer, network: &Testnet) -> Node {
    trace();
    use_network(computer, network);
    let request = InitServer {
        name: "Office PC".into(),
        stores: vec![computer.spec()],
        password: Secret::new(PASSWORD.into()),
        internet: true,
        listen: Some("127.0.0.1:0".parse().unwrap()),
        secrets: Some(StoreKind::File),
        folders: None,
    };
    Node::init_server(&computer.profile(), request).await.unwrap();
    serve(computer).await
}

async fn publish(server: &Node, request: serde_json::Value) -> ServerId {
    let published = call(server, "publish", request).await;
    assert_eq!(published["state"], "published");
    published["serverId"].as_str().unwrap().parse().unwrap()
}

async fn join_by_id(client: &Computer, found: &finding::Found, server: &Node) -> app::message::Result<Node> {
    let request = request(invite(server, json!({})).await, client);
    Node::join(&client.profile(), JoinRequest { server: found.clone().into(), ..request }).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_is_published_joined_by_its_id_and_revoked_without_anybodys_directory() {
    let network = network();
    let (office, laptop, late) = (Computer::new("office"), Computer::new("laptop"), Computer::new("late"));
    office.mails("mail", 0..3);
    let server = internet_server(&office, &network).await;
    for client in [&laptop, &late] {
        use_network(client, &network);
    }
    let id = publish(&server, json!({"comment": "Anna, front desk"})).await;
    let found = finding::look_up(id, &settings(&laptop), None).await.unwrap();
    let record = &found.record;
    let comment = record.comment.as_ref().map(ToString::to_string);
    assert_eq!((record.name.as_str(), comment.as_deref()), ("Office PC", Some("Anna, front desk")));
    assert_eq!(Fingerprint::of(&record.public_key).to_string(), status(&server).await.fingerprint);

    // No address is known: the peer name says where the server is.
    let client = join_by_id(&laptop, &found, &server).await.unwrap();
    call(&client, "start", json!({})).await;
    wait_quiet(&client).await;
    assert_eq!(laptop.total(), 3);
    assert!(status(&client).await.internet);

    // The same ID with another comment.
    assert_eq!(publish(&server, json!({"comment": "Ben"})).await, id);
    let renewed = finding::look_up(id, &settings(&laptop), None).await.unwrap().record;
    assert_eq!(renewed.comment.map(|comment| comment.to_string()).as_deref(), Some("Ben"));

    let left = call(&server, "revoke", json!({})).await;
    assert_eq!(left["state"], "none");
    let gone = finding::look_up(id, &settings(&laptop), None).await.unwrap_err();
    assert_eq!(gone.code.as_str(), "I02");
    // Somebody kept a copy of the record.
    let refused = join_by_id(&late, &found, &server).await.unwrap_err();
    assert_eq!(refused.code.as_str(), "I02");
    assert!(status(&client).await.is_connected, "who is connected stays connected");
    assert_ne!(publish(&server, json!({})).await, id, "a new publication has nothing in common with the old one");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_set_up_in_the_local_network_follows_its_server_to_another_address() {
    let network = network();
    let (office, laptop) = (Computer::new("office"), Computer::new("laptop"));
    office.mails("mail", 0..2);
    let server = internet_server(&office, &network).await;
    use_network(&laptop, &network);
    joined(&server, &laptop).await.shut_down().await;
    let client = run(&laptop).await;
    wait_until("the client is connected", async || status(&client).await.is_connected).await;
    assert!(status(&client).await.internet, "as the server has it");

    let before = server.listening();
    server.shut_down().await;
    set(&office, |settings| settings.network.listen.set_port(0));
    let server = serve(&office).await;
    assert_ne!(server.listening(), before);
    office.mails("mail", 2..3);
    wait_until("the new mail is here", async || laptop.total() == 3).await;
    assert!(status(&client).await.is_connected);
}

#[tokio::test(flavor = "multi_thread")]
async fn revoking_without_a_network_is_queued_and_carried_out_later() {
    let (first, office) = (network(), Computer::new("office"));
    let server = internet_server(&office, &first).await;
    let id = publish(&server, json!({})).await;
    server.shut_down().await;
    drop(first);
    let server = serve(&office).await;
    // The last nodes may still be answering.
    let is_nobody_there = async || {
        let found = finding::look_up(id, &settings(&office), None).await;
        found.is_err_and(|problem| problem.code.as_str() == "N01")
    };
    wait_until("nobody answers any more", is_nobody_there).await;
    let left = call(&server, "revoke", json!({})).await;
    assert_eq!((left["state"].as_str(), left["serverId"].as_str()), (Some("revoking"), Some(id.to_string().as_str())));
    server.shut_down().await;

    let second = network();
    use_network(&office, &second);
    let server = serve(&office).await;
    wait_until("the network was told", async || call(&server, "publication", json!({})).await["state"] == "none").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_makes_publishing_useless_is_said_first() {
    let office = Computer::new("office");
    let server = server(&office).await;
    let refused = try_call(&server, "publish", json!({})).await.unwrap_err();
    assert_eq!(refused.code.as_str(), "N13");
    drop(server);

    let (network, shop) = (network(), Computer::new("shop"));
    let server = internet_server(&shop, &network).await;
    let refused = try_call(&server, "publish", json!({"comment": "x".repeat(40)})).await.unwrap_err();
    assert_eq!(refused.code.as_str(), "C22");
    assert_eq!(problem(&server).await, None);
    call(&server, "set_options", json!({"peerNames": false})).await;
    assert_eq!(problem(&server).await.as_deref(), Some("N10"), "nothing says where it is");
}

/// What goes through the network for addresses takes a few seconds, on a busy machine more.
async fn wait_until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    for _ in 0..900 {
        if is_so().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("it didn't come to be: {what}");
}
