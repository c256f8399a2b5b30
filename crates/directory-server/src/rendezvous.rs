//! The rendezvous: puts computers through to each other that can't be called (`net::rendezvous` tells the story). Everything
//! is in memory and ends with the line it belongs to; addresses are written nowhere. Only its key is kept, in a file of its
//! own: others know it by that.

mod exchange;

use exchange::{Exchange, LineId, Word};
use identity::IdentityKey;
use net::rendezvous::{Reply, Request, Switchboard, Visitor, call_packet};
use std::{
    collections::BTreeMap,
    fs,
    io::{self, Write as _},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio::{net::UdpSocket, sync::mpsc, task::JoinSet, time::sleep};

/// A running rendezvous. Ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Rendezvous {
    local: SocketAddr,
    switchboards: [Switchboard; 2],
    _tasks: JoinSet<()>,
}

/// What a computer on the line hasn't taken yet; more than this many words nobody leaves lying.
const WORDS_MAX: usize = 16;
/// How often it is looked whether a computer is seen at another address.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// A packet may get lost.
const CALLS: [Duration; 3] = [Duration::ZERO, Duration::from_millis(200), Duration::from_millis(500)];

impl Rendezvous {
    /// Listens on a UDP port and, for telling routers apart, on a second one of the same address.
    pub(crate) fn start(key: &IdentityKey, listen: SocketAddr, probe_port: u16) -> io::Result<Self> {
        let main = Switchboard::bind(key, listen)?;
        let probe = Switchboard::bind(key, SocketAddr::new(listen.ip(), probe_port))?;
        let local = main.local_addr()?;
        let desk = Arc::new(Desk { probe_port: probe.local_addr()?.port(), shared: Mutex::default() });
        let mut tasks = JoinSet::new();
        for switchboard in [&main, &probe] {
            tasks.spawn(answer_all(switchboard.clone(), Arc::clone(&desk)));
        }
        Ok(Self { local, switchboards: [main, probe], _tasks: tasks })
    }

    /// Where it listens.
    #[must_use]
    pub(crate) const fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// Says goodbye to everybody.
    pub(crate) async fn stop(&self) {
        let [main, probe] = &self.switchboards;
        tokio::join!(main.close(), probe.close());
    }
}

/// The key that servers were told; a new one where there is none.
pub(crate) fn own_key(folder: &Path) -> io::Result<IdentityKey> {
    let file = folder.join("rendezvous.key");
    match fs::read(&file) {
        Ok(seed) => {
            let seed: [u8; 32] = seed.try_into().map_err(|_| {
                io::Error::new(io::ErrorKind::InvalidData, format!("{} isn't a key of 32 bytes", file.display()))
            })?;
            return Ok(IdentityKey::from_seed(&seed));
        }
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Err(_) => fs::create_dir_all(folder)?,
    }
    let key = IdentityKey::generate();
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut kept = options.open(&file)?;
    kept.write_all(key.seed())?;
    kept.sync_all()?;
    Ok(key)
}

/// What all lines have in common.
#[derive(Debug)]
struct Desk {
    probe_port: u16,
    shared: Mutex<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    exchange: Exchange,
    words: BTreeMap<LineId, mpsc::Sender<Reply>>,
}

impl Desk {
    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared {
    fn say(&self, words: impl IntoIterator<Item = Word>) {
        for (to, word) in words {
            // Who takes nothing any more misses it.
            let _ = self.words.get(&to).map(|line| line.try_send(word));
        }
    }
}

/// Somebody's place, given up with the line.
struct Place<'a> {
    desk: &'a Desk,
    id: LineId,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut shared = self.desk.shared();
        shared.words.remove(&self.id);
        shared.exchange.leave(self.id, Instant::now());
    }
}

async fn answer_all(switchboard: Switchboard, desk: Arc<Desk>) {
    let mut lines = JoinSet::new();
    while let Some(beginning) = switchboard.accept().await {
        let desk = Arc::clone(&desk);
        lines.spawn(async move {
            if let Some(visitor) = beginning.await {
                attend(&desk, visitor).await;
            }
        });
        while lines.try_join_next().is_some() {}
    }
}

/// One line, from its first request to its end.
async fn attend(desk: &Desk, visitor: Visitor) {
    let (tell, mut words) = mpsc::channel(WORDS_MAX);
    let entered = {
        let mut shared = desk.shared();
        let entered = shared.exchange.enter(*visitor.key().as_bytes(), visitor.address(), Instant::now());
        entered.inspect(|id| {
            shared.words.insert(*id, tell);
        })
    };
    let address = visitor.watch_address();
    let (mut sender, mut receiver) = visitor.into_halves();
    let Some(id) = entered else {
        let _ = sender.say(&Reply::Busy).await;
        return;
    };
    let _place = Place { desk, id };
    let mut calls = JoinSet::new();
    loop {
        let word = tokio::select! {
            request = receiver.next() => match request {
                Ok(Some(request)) => take(desk, id, address(), request, &mut calls),
                _ => return,
            },
            word = words.recv() => word,
            () = sleep(LOOK_EVERY) => {
                let now = address();
                let is_changed = desk.shared().exchange.seen(id, now);
                is_changed.then(|| seen(desk, now))
            }
        };
        if let Some(word) = word
            && sender.say(&word).await.is_err()
        {
            return;
        }
    }
}

fn seen(desk: &Desk, address: SocketAddr) -> Reply {
    Reply::Seen { address, probe_port: Some(desk.probe_port) }
}

/// Does what was asked for; what to say at once.
fn take(desk: &Desk, id: LineId, address: SocketAddr, request: Request, calls: &mut JoinSet<()>) -> Option<Reply> {
    let (mut shared, now) = (desk.shared(), Instant::now());
    shared.exchange.seen(id, address);
    match request {
        Request::Register { topics } => {
            shared.exchange.register(id, topics);
            return Some(seen(desk, address));
        }
        Request::Dial { server, topic, sealed } => {
            let words = shared.exchange.dial(id, server, topic, sealed, now);
            shared.say(words);
        }
        Request::Answer { call, sealed } => {
            let word = shared.exchange.answer(id, call, sealed);
            shared.say(word);
        }
        Request::CallMe { port, token } => {
            if let Some(ip) = shared.exchange.may_call(id, now) {
                calls.spawn(call(SocketAddr::new(ip, port), token));
            }
        }
    }
    None
}

/// Sends to a port of the asker's own address from one it can't know.
async fn call(to: SocketAddr, token: [u8; 16]) {
    let any: IpAddr = if to.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let Ok(socket) = UdpSocket::bind((any, 0)).await else { return };
    for wait in CALLS {
        sleep(wait).await;
        // A packet that doesn't get through is what was to be found out.
        let _ = socket.send_to(&call_packet(&token), to).await;
    }
}
