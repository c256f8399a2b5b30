//! The running service: it listens, answers, tidies up, and ends without cutting anybody off.

use crate::{
    config::Config,
    rendezvous::{self, Rendezvous},
    room::Room,
    routes::{self, Peer, Shared},
    service::Service,
    storage::{Postgres, Sqlite, Storage, StorageError},
    tls::{Certificate, TlsError},
};
use axum::Router;
use directory::Info;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
    service::TowerToHyperService,
};
use identity::PublicKey;
use serde::Serialize;
use std::{
    io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{Arc, atomic::Ordering},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
    time::{sleep, timeout},
};

/// For the TLS handshake, and for the head of each request: whoever is slower isn't waited for.
const PATIENCE: Duration = Duration::from_secs(5);
/// For the requests that are being answered when the service ends.
const DRAINING: Duration = Duration::from_secs(10);
const TIDY_EVERY: Duration = Duration::from_secs(20);
/// Counting a million records takes a while.
const COUNT_EVERY: u32 = 45;
/// After the system has no more room for connections.
const BREATHER: Duration = Duration::from_millis(100);

/// A running directory.
#[derive(Debug)]
pub struct Server {
    addresses: Addresses,
    rendezvous: Rendezvous,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

/// Where a directory can be asked. Printed as one line of JSON when it is ready.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Addresses {
    /// The HTTP API, TCP.
    pub http: SocketAddr,
    /// Whether that takes TLS only.
    pub tls: bool,
    /// The rendezvous, UDP.
    pub rendezvous: SocketAddr,
    /// Its key. Servers are told `HOST:PORT=KEY`.
    pub rendezvous_key: PublicKey,
}

/// Why a directory doesn't start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The port is taken, or the address isn't this computer's.
    #[error("can't listen on {address}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The key by which others know the rendezvous.
    #[error("the key of the rendezvous can't be kept")]
    RendezvousKey(#[source] io::Error),
    /// The certificate.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The database.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl Server {
    /// Starts with these settings; answers once requests are taken.
    pub async fn start(config: &Config) -> Result<Self, StartError> {
        let certificate = match config.tls.certificate.as_os_str().is_empty() {
            true => None,
            false => Some(Arc::new(Certificate::read(config.tls.clone())?)),
        };
        if config.database.is_empty() {
            return Self::start_with(Sqlite::open(&config.data_dir())?, config, certificate).await;
        }
        let ca = Some(config.database_ca.as_path()).filter(|path| !path.as_os_str().is_empty());
        Self::start_with(Postgres::connect(&config.database, ca).await?, config, certificate).await
    }

    async fn start_with<S: Storage>(
        storage: S,
        config: &Config,
        certificate: Option<Arc<Certificate>>,
    ) -> Result<Self, StartError> {
        let listener = listen(config.listen).await?;
        let http = listener.local_addr().map_err(|source| StartError::Listen { address: config.listen, source })?;
        let key = rendezvous::own_key(&config.data_dir()).map_err(StartError::RendezvousKey)?;
        let probe_port = match (config.probe_port, config.listen.port()) {
            // Any port was asked for, so any second one is as good.
            (0, 0) => 0,
            (0, port) => port.wrapping_add(1),
            (port, _) => port,
        };
        let rendezvous =
            Rendezvous::start(&key, http, probe_port).map_err(|source| StartError::Listen { address: http, source })?;
        let addresses = Addresses {
            http,
            tls: certificate.is_some(),
            rendezvous: rendezvous.local_addr(),
            rendezvous_key: key.public(),
        };
        let own = config.own_rendezvous(rendezvous.local_addr().port());
        let own = own.map(|address| directory::Rendezvous { address, key: key.public() });
        let info = Info { rendezvous: own.into_iter().chain(config.other_rendezvous()).collect() };

        let service = Service::new(storage, config, info).await?;
        let shared = Arc::new(Shared {
            service,
            trusted_proxies: config.trusted_proxies.clone(),
            metrics_from: config.metrics_from.clone(),
        });
        let (stop, stopping) = watch::channel(false);
        let tidying = tidy_up(Arc::clone(&shared), certificate.clone(), stopping.clone());
        let room = Room::new(config.limits.connections, config.limits.connections_per_source);
        let accepting = accept(listener, shared, certificate, room, stopping);
        Ok(Self { addresses, rendezvous, stop, tasks: vec![tokio::spawn(tidying), tokio::spawn(accepting)] })
    }

    /// Where it can be asked.
    #[must_use]
    pub const fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    /// Takes no more requests, answers those that came, and ends.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        self.rendezvous.stop().await;
        for task in self.tasks {
            if let Err(error) = task.await
                && error.is_panic()
            {
                std::panic::resume_unwind(error.into_panic());
            }
        }
    }
}

/// Listens; where the system has no IPv6, "all addresses" means those of IPv4.
async fn listen(address: SocketAddr) -> Result<TcpListener, StartError> {
    let without_ipv6 = SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), address.port());
    match TcpListener::bind(address).await {
        Err(error) if address.ip() == Ipv6Addr::UNSPECIFIED && error.kind() != io::ErrorKind::AddrInUse => {
            TcpListener::bind(without_ipv6).await
        }
        outcome => outcome,
    }
    .map_err(|source| StartError::Listen { address, source })
}

async fn tidy_up<S: Storage>(
    shared: Arc<Shared<S>>,
    certificate: Option<Arc<Certificate>>,
    mut stopping: watch::Receiver<bool>,
) {
    for round in 1_u32.. {
        tokio::select! {
            () = sleep(TIDY_EVERY) => {}
            _ = stopping.wait_for(|stopping| *stopping) => return,
        }
        if let Some(certificate) = &certificate {
            certificate.renew();
        }
        let mut outcome = shared.service.tidy().await;
        if round.is_multiple_of(COUNT_EVERY) {
            outcome = outcome.and(shared.service.count().await);
        }
        if let Err(error) = outcome {
            tracing::error!(error = &error as &dyn std::error::Error, "expired records aren't deleted yet");
        }
    }
}

async fn accept<S: Storage>(
    listener: TcpListener,
    shared: Arc<Shared<S>>,
    certificate: Option<Arc<Certificate>>,
    room: Arc<Room>,
    mut stopping: watch::Receiver<bool>,
) {
    let router = routes::router(Arc::clone(&shared));
    let graceful = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopping.wait_for(|stopping| *stopping) => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection can't be taken");
                sleep(BREATHER).await;
                continue;
            }
        };
        let from = Some(peer.ip()).filter(|from| !routes::contains(&shared.trusted_proxies, from.to_canonical()));
        let Some(place) = room.enter(from) else {
            shared.service.metrics.connections_refused.fetch_add(1, Ordering::Relaxed);
            continue;
        };
        let connection = Connection {
            peer,
            router: router.clone(),
            watcher: graceful.watcher(),
            certificate: certificate.as_ref().map(|certificate| certificate.current()),
        };
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            shared.service.metrics.connections.fetch_add(1, Ordering::Relaxed);
            // How a connection ends says something about the network only.
            let _ = connection.serve(stream).await;
            shared.service.metrics.connections.fetch_sub(1, Ordering::Relaxed);
            drop(place);
        });
    }
    drop(listener);
    if timeout(DRAINING, graceful.shutdown()).await.is_err() {
        tracing::warn!("some connections were cut off");
    }
}

struct Connection {
    peer: SocketAddr,
    router: Router,
    watcher: hyper_util::server::graceful::Watcher,
    certificate: Option<Arc<rustls::ServerConfig>>,
}

impl Connection {
    async fn serve(self, stream: TcpStream) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        stream.set_nodelay(true)?;
        match self.certificate.clone() {
            None => self.speak_http(stream).await,
            Some(certificate) => {
                let handshake = tokio_rustls::TlsAcceptor::from(certificate).accept(stream);
                self.speak_http(timeout(PATIENCE, handshake).await??).await
            }
        }
    }

    async fn speak_http(
        self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let router = self.router.layer(axum::Extension(Peer(self.peer)));
        let connection = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(PATIENCE)
            .max_headers(64)
            .max_buf_size(16 * 1024)
            .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
        Ok(self.watcher.watch(connection).await?)
    }
}
