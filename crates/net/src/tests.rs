//! Two computers on loopback with the real QUIC and TLS stack.

mod dialing;
mod finding;
mod frames;
mod hostile;
mod pairing;
mod simulated;
mod strangers;

use crate::*;
use identity::{DeviceId, IdentityKey, PublicKey, Secret, ServiceId};
use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
    sync::{Arc, LazyLock, Mutex},
    time::Duration,
};

const NOW: u64 = 1_790_000_000;
const PASSWORD: &str = "Käse im Bücherregal";
const CONTROL: u8 = 1;
const CHUNK: u8 = 2;

/// Registering takes half a second, so all tests share one.
static RECORD: LazyLock<PasswordRecord> = LazyLock::new(|| PasswordRecord::register(&secret(PASSWORD)).unwrap());

fn secret(text: &str) -> Secret {
    Secret::new(text.to_owned())
}

fn caps(kind: u8) -> Option<usize> {
    match kind {
        CONTROL => Some(64 << 10),
        CHUNK => Some(1 << 20),
        _ => None,
    }
}

fn key(seed: u8) -> IdentityKey {
    IdentityKey::from_seed(&[seed; 32])
}

fn config(seed: u8) -> EndpointConfig {
    EndpointConfig::new(key(seed), SavedTransport::generate(), caps)
}

fn loopback() -> SocketAddr {
    "127.0.0.1:0".parse().unwrap()
}

/// The application of a server: its list of devices, its password, its budgets.
struct Desk(Mutex<DeskState>);

struct DeskState {
    devices: BTreeMap<PublicKey, Admission>,
    allowed_back: Vec<PublicKey>,
    budgets: GuessBudgets,
    password: Option<PasswordRecord>,
    refusal: Option<Refusal>,
    guesses_taken: usize,
    enrolled: Vec<NewDevice>,
    lan_looks_like_internet: bool,
    spoke_otherwise: Vec<Option<u8>>,
}

impl Desk {
    fn new(known: &[u8]) -> Arc<Self> {
        Arc::new(Self(Mutex::new(DeskState {
            devices: known.iter().map(|seed| (key(*seed).public(), Admission::Known)).collect(),
            allowed_back: Vec::new(),
            budgets: GuessBudgets::new(NOW, [7; 32]),
            password: Some(RECORD.clone()),
            refusal: None,
            guesses_taken: 0,
            enrolled: Vec::new(),
            lan_looks_like_internet: false,
            spoke_otherwise: Vec::new(),
        })))
    }

    fn with<T>(&self, change: impl FnOnce(&mut DeskState) -> T) -> T {
        change(&mut self.0.lock().unwrap())
    }
}

impl Doorkeeper for Desk {
    fn admit(&self, caller: &Caller) -> Admission {
        self.with(|desk| match desk.refusal {
            Some(refusal) => Admission::Refused(refusal),
            None => desk.devices.get(&caller.key).copied().unwrap_or(Admission::Unknown),
        })
    }

    fn speaks_otherwise(&self, _: IpAddr, version: Option<u8>) {
        self.with(|desk| desk.spoke_otherwise.push(version));
    }
}

impl PairingDesk for Desk {
    fn password(&self) -> Option<PasswordRecord> {
        self.with(|desk| desk.password.clone())
    }

    fn is_published(&self, salt: &identity::Salt) -> bool {
        *salt == identity::Salt::from_bytes([3; 16])
    }

    fn take_guess(&self, guess: &Guess) -> Verdict {
        self.with(|desk| {
            desk.guesses_taken += 1;
            let guess = Guess { is_lan: guess.is_lan && !desk.lan_looks_like_internet, ..*guess };
            desk.budgets.take(&guess, NOW, [7; 32])
        })
    }

    fn succeeded(&self, permit: Permit) {
        self.with(|desk| desk.budgets.succeeded(permit));
    }

    fn enrol(&self, device: &NewDevice) -> Result<Enrolled, NotEnrolled> {
        self.with(|desk| {
            if device.was_removed && !desk.allowed_back.contains(&device.key) {
                return Err(NotEnrolled);
            }
            desk.devices.insert(device.key, Admission::Known);
            desk.enrolled.push(device.clone());
            let service_id = ServiceId::from_bytes([9; 16]);
            Ok(Enrolled { server_name: "Office PC".to_owned(), service_id, internet: true })
        })
    }
}

/// A server that greets everyone who is let in and sends back what it is told.
struct Office {
    endpoint: Arc<Endpoint>,
    desk: Arc<Desk>,
    target: Target,
}

const OFFICE: u8 = 1;
const LAPTOP: u8 = 2;
const TABLET: u8 = 3;

impl Office {
    fn open(known: &[u8]) -> Self {
        Self::with(config(OFFICE), known)
    }

    fn with(config: EndpointConfig, known: &[u8]) -> Self {
        Self::at(Endpoint::bind(config, loopback()).unwrap(), known)
    }

    fn at(endpoint: Endpoint, known: &[u8]) -> Self {
        let desk = Desk::new(known);
        let knock = KnockKey::of_service(&ServiceId::from_bytes([9; 16]));
        endpoint.set_knocks(&[Knock { key: knock, scope: KnockScope::Anyone }]);
        endpoint.serve(ServerRules { doorkeeper: desk.clone(), desk: desk.clone() });
        let addresses = endpoint.local_addresses();
        let endpoint = Arc::new(endpoint);
        tokio::spawn(greet_everyone(Arc::clone(&endpoint)));
        let target = Target { addresses, server: Some(key(OFFICE).public()), knock };
        Self { endpoint, desk, target }
    }

    fn without_pin(&self) -> Target {
        Target { server: None, ..self.target.clone() }
    }
}

async fn greet_everyone(endpoint: Arc<Endpoint>) {
    while let Some(arrival) = endpoint.accept().await {
        tokio::spawn(async move {
            let greeting = [b"welcome, ".as_slice(), arrival.hello()].concat();
            let Ok(Joined { link, mut control, .. }) = arrival.welcome(greeting).await else { return };
            loop {
                match control.receiver.next().await {
                    Ok(Some(Frame { kind, payload })) if control.sender.send(kind, payload.clone()).await.is_ok() => {}
                    Ok(_) => break,
                    Err(error) => return link.close_after(&error),
                }
            }
            link.closed().await;
        });
    }
}

fn client(seed: u8) -> Endpoint {
    Endpoint::bind(config(seed), loopback()).unwrap()
}

async fn join(client: &Endpoint, target: &Target) -> Result<Joined, DialError> {
    match client.dial(target, b"laptop".as_slice()).await? {
        Answer::Joined(joined) => Ok(joined),
        Answer::PairingNeeded(_) => panic!("the server doesn't know this computer"),
    }
}

async fn ask_to_pair(client: &Endpoint, target: &Target) -> Result<Pairing, DialError> {
    match client.dial_to_pair(target).await? {
        Answer::PairingNeeded(pairing) => Ok(pairing),
        Answer::Joined(_) => panic!("nobody asked for a session"),
    }
}

fn credentials(password: &str) -> Credentials {
    Credentials {
        password: secret(password),
        device_name: "laptop".to_owned(),
        platform: "linux".to_owned(),
        ticket: None,
        salt: None,
    }
}

async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(5), future).await.expect("this should not take long")
}
