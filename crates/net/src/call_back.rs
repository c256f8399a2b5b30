//! Servers call clients, too: when a switchboard tells both of each other, each sends towards the other, and of the two
//! connections the first wins. Who is server and who is client stays as it is; only QUIC's roles change sides.
//!
//! The client's port opens to a knock that it made for this one call and that only its server was told, and takes only
//! the pinned key. The server sends to the address the switchboard observed and to addresses in its own network, a few a
//! second at most, so nobody can make it send to others.

use crate::{
    CloseCode, Entry, KnockKey, KnockScope, ServerRules, endpoint::Shared, gate, link::canonical, race::Won, serve, tls,
};
use identity::{Hint, PublicKey};
use quinn::ConnectionId;
use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::mpsc,
    task::JoinSet,
    time::{Instant, sleep, sleep_until, timeout},
};

/// Packets that open the way, and how often they are sent. Routers remember each for half a minute at least.
const PUNCHES: u32 = 60;
const PUNCH_EVERY: Duration = Duration::from_millis(50);
/// When a round begins, and by how much the packet that goes a short way comes before those that arrive. The second round
/// is for those whose switchboard's words didn't arrive at the same time.
const ROUNDS: [(Duration, Duration); 2] =
    [(Duration::ZERO, Duration::from_millis(60)), (Duration::from_secs(5), Duration::from_millis(400))];

/// Sends towards an address, so that what comes from there is let in, and says when to call it: once in each round.
async fn open_way<Called: Future<Output = ()>>(shared: &Shared, to: SocketAddr, call: impl Fn() -> Called) {
    let begun = Instant::now();
    for (begin, lead) in ROUNDS {
        sleep_until(begun + begin).await;
        shared.socket.punch_a_short_way(to);
        sleep(lead).await;
        let punching = async {
            for _ in 0..PUNCHES {
                shared.socket.punch(to);
                sleep(PUNCH_EVERY).await;
            }
        };
        tokio::join!(call(), punching);
    }
}

/// Calls that this computer, a client, waits for.
#[derive(Debug, Default)]
pub(crate) struct CallsBack(Mutex<Vec<Expected>>);

#[derive(Debug)]
struct Expected {
    knock: KnockKey,
    server: PublicKey,
    won: mpsc::Sender<Won>,
    /// Handshakes that this knock still opens. Who watched it can repeat it.
    left: u8,
}

const HANDSHAKES_MAX: u8 = 8;

impl CallsBack {
    fn all(&self) -> MutexGuard<'_, Vec<Expected>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for this server until the receiver is dropped.
    pub(crate) fn expect(&self, knock: KnockKey, server: PublicKey) -> mpsc::Receiver<Won> {
        let (won, receiver) = mpsc::channel(1);
        let mut all = self.all();
        all.retain(|other| !other.won.is_closed());
        all.push(Expected { knock, server, won, left: HANDSHAKES_MAX });
        receiver
    }

    fn opened_by(&self, id: &ConnectionId) -> Option<(PublicKey, mpsc::Sender<Won>)> {
        let mut all = self.all();
        all.retain(|other| !other.won.is_closed());
        let expected = all.iter_mut().find(|expected| expected.left > 0 && expected.knock.opens(id))?;
        expected.left -= 1;
        Some((expected.server, expected.won.clone()))
    }

    /// Takes a call that is waited for; gives back any other.
    pub(crate) fn take(shared: &Arc<Shared>, incoming: quinn::Incoming) -> Option<quinn::Incoming> {
        let Some((server, won)) = shared.calls_back.opened_by(&incoming.orig_dst_cid()) else {
            return Some(incoming);
        };
        let shared = Arc::clone(shared);
        tokio::spawn(async move {
            let config = tls::called_back_config(&shared.key, server, &shared.saved, &shared.shape);
            let Ok(connecting) = incoming.accept_with(Arc::new(config)) else { return };
            let Ok(Ok(connection)) = timeout(shared.settings.limits.handshake, connecting).await else { return };
            if let Err(lost) = won.try_send((connection, server)) {
                let (connection, _) = lost.into_inner();
                connection.close(CloseCode::LostRace.number(), b"");
            }
        });
        None
    }
}

/// Calls that this computer, a server, was asked for, so that it can't be made to send without end.
#[derive(Debug)]
pub(crate) struct Calls(Mutex<Asked>);

#[derive(Debug)]
struct Asked {
    recent: VecDeque<([u8; 16], Vec<SocketAddr>)>,
    allowance: f64,
    counted_at: Instant,
}

/// A client asks over several lines at once; it is one call.
const LINES_MAX: usize = 4;
const CALLS_BURST: f64 = 4.0;
const RECENT_MAX: usize = 256;
/// Addresses of a client in our own network.
const ON_LINK_MAX: usize = 4;

impl Default for Calls {
    fn default() -> Self {
        Self(Mutex::new(Asked { recent: VecDeque::new(), allowance: CALLS_BURST, counted_at: Instant::now() }))
    }
}

impl Calls {
    /// Whether to answer: calls come at most once a second on average, and none counts twice.
    pub(crate) fn may_answer(&self, call: [u8; 16], from: SocketAddr, now: Instant) -> bool {
        let mut asked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, lines)) = asked.recent.iter_mut().find(|(known, _)| *known == call) {
            let is_new = lines.len() < LINES_MAX && !lines.contains(&from);
            if is_new {
                lines.push(from);
            }
            return is_new;
        }
        let waited = now.saturating_duration_since(asked.counted_at).as_secs_f64();
        asked.allowance = (asked.allowance + waited).min(CALLS_BURST);
        asked.counted_at = now;
        if asked.allowance < 1.0 {
            return false;
        }
        asked.allowance -= 1.0;
        if asked.recent.len() >= RECENT_MAX {
            asked.recent.pop_front();
        }
        asked.recent.push_back((call, vec![from]));
        true
    }
}

/// Who is to be called back.
#[derive(Debug)]
pub(crate) struct Caller {
    /// What opens its port.
    pub(crate) knock: KnockKey,
    /// Where the switchboard sees it.
    pub(crate) observed: SocketAddr,
    /// Its addresses in networks of its own; those that are ours, too, are called.
    pub(crate) own: Vec<SocketAddr>,
    /// What it proved to know.
    pub(crate) scope: KnockScope,
}

/// Calls a client back. Ends when it is connected, or when there is no use in going on.
pub(crate) async fn call_back(shared: Arc<Shared>, caller: Caller) {
    let is_near = |address: &&SocketAddr| shared.settings.on_link.is_lan(address.ip()) && !address.ip().is_loopback();
    let mut to: Vec<SocketAddr> = caller.own.iter().filter(is_near).take(ON_LINK_MAX).copied().collect();
    to.extend(Hint::new(canonical(caller.observed)).map(|hint| hint.address()));
    let mut ways = JoinSet::new();
    for address in to {
        let (shared, knock, scope) = (Arc::clone(&shared), caller.knock, caller.scope);
        ways.spawn(async move {
            let (tell, mut is_through) = mpsc::channel(1);
            let call = || {
                let (shared, tell) = (Arc::clone(&shared), tell.clone());
                async move {
                    if let Some(rules) = shared.rules()
                        && dial(&shared, rules, knock, scope, address).await
                    {
                        // Told already is fine.
                        let _ = tell.try_send(());
                    }
                }
            };
            tokio::select! {
                () = open_way(&shared, address, call) => false,
                is_through = is_through.recv() => is_through.is_some(),
            }
        });
    }
    while let Some(way) = ways.join_next().await {
        if way.unwrap_or(false) {
            return;
        }
    }
}

/// Whether a connection came about.
async fn dial(shared: &Arc<Shared>, rules: ServerRules, knock: KnockKey, scope: KnockScope, to: SocketAddr) -> bool {
    let config = tls::call_back_config(&shared.key, knock, &shared.shape);
    let Some(entry) = shared.gate.enter(to.ip(), Instant::now()) else { return false };
    let Ok(connecting) = shared.quinn.connect_with(config, to, &tls::server_name(None)) else { return false };
    let Ok(Ok(connection)) = timeout(shared.settings.limits.dial, connecting).await else { return false };
    answer(shared, rules, scope, connection, entry);
    true
}

fn answer(
    shared: &Arc<Shared>,
    rules: ServerRules,
    scope: KnockScope,
    connection: quinn::Connection,
    entry: gate::Entry,
) {
    let number = entry.number();
    let begun = serve::get_to_know(Arc::clone(shared), rules, scope, connection, entry, serve::By::Own);
    shared.gate.attach(number, tokio::spawn(begun).abort_handle());
}

/// Sends towards a server and calls it, as it does with us.
pub(crate) async fn meet(shared: &Shared, server: SocketAddr, entry: &Entry) {
    open_way(shared, server, || {
        let entry = entry.clone();
        async move { entry.enter_anew(server).await }
    })
    .await;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_server_answers_a_few_calls_a_second_and_none_twice() {
        let (calls, now) = (Calls::default(), Instant::now());
        let [home, away] = [at("203.0.113.5:4000"), at("[2001:db8::5]:4000")];
        assert!(calls.may_answer([1; 16], home, now));
        assert!(!calls.may_answer([1; 16], home, now), "the same over again");
        assert!(calls.may_answer([1; 16], away, now), "the same call over another line");
        let taken = (2..20).filter(|n| calls.may_answer([*n; 16], home, now)).count();
        assert_eq!(taken, 3, "a burst of four in all");
        assert!(!calls.may_answer([30; 16], home, now));
        assert!(calls.may_answer([30; 16], home, now + Duration::from_secs(1)));
    }
}
