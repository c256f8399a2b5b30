//! The HTTP API: what is asked under which path, and with which status it is answered.

use crate::service::{Caller, No, Service};
use crate::storage::Storage;
use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use directory::{BODY_BYTES_MAX, Operation, Refusal, RefusalReason};
use ipnet::IpNet;
use serde::{Serialize, de::DeserializeOwned};
use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

/// For the body to arrive and for the answer.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(15);
const BODY_TIMEOUT: Duration = Duration::from_secs(5);

/// Answers are padded to this, so that who sees the wire doesn't see from the length whether a server was found.
const ANSWER_BYTES: usize = 1408;

/// Whose connection a request came by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) SocketAddr);

#[derive(Debug)]
pub(crate) struct Shared<S> {
    pub(crate) service: Service<S>,
    pub(crate) trusted_proxies: Vec<IpNet>,
    pub(crate) metrics_from: Vec<IpNet>,
}

pub(crate) fn router<S: Storage>(shared: Arc<Shared<S>>) -> Router {
    Router::new()
        .route("/v1/challenge", post(challenge::<S>))
        .route(Operation::Publish.path(), post(publish::<S>))
        .route(Operation::Refresh.path(), post(refresh::<S>))
        .route(Operation::Revoke.path(), post(revoke::<S>))
        .route("/v1/lookup", post(look_up::<S>))
        .route("/v1/info", get(info::<S>))
        .route("/health", get(health::<S>))
        .route("/metrics", get(metrics::<S>))
        .layer(middleware::from_fn(in_time))
        .with_state(shared)
}

type SharedState<S> = State<Arc<Shared<S>>>;

async fn challenge<S: Storage>(State(shared): SharedState<S>, request: Request) -> Response {
    let caller = caller(&request, &shared.trusted_proxies);
    answer(&shared, "challenge", shared.service.challenge(&caller))
}

async fn look_up<S: Storage>(State(shared): SharedState<S>, request: Request) -> Response {
    let caller = caller(&request, &shared.trusted_proxies);
    let outcome = async { shared.service.look_up(read(request).await?, &caller).await };
    answer(&shared, "lookup", outcome.await)
}

async fn publish<S: Storage>(State(shared): SharedState<S>, request: Request) -> Response {
    let caller = caller(&request, &shared.trusted_proxies);
    let outcome = async { shared.service.change(Operation::Publish, read(request).await?, &caller).await };
    answer(&shared, "publish", outcome.await)
}

async fn refresh<S: Storage>(State(shared): SharedState<S>, request: Request) -> Response {
    let caller = caller(&request, &shared.trusted_proxies);
    let outcome = async { shared.service.change(Operation::Refresh, read(request).await?, &caller).await };
    answer(&shared, "refresh", outcome.await)
}

async fn revoke<S: Storage>(State(shared): SharedState<S>, request: Request) -> Response {
    let caller = caller(&request, &shared.trusted_proxies);
    let outcome = async { shared.service.change(Operation::Revoke, read(request).await?, &caller).await };
    answer(&shared, "revoke", outcome.await.map(|_| serde_json::json!({})))
}

async fn info<S: Storage>(State(shared): SharedState<S>) -> Response {
    answer(&shared, "info", Ok(shared.service.info()))
}

async fn health<S: Storage>(State(shared): SharedState<S>) -> Response {
    match shared.service.is_healthy().await {
        true => "ok\n".into_response(),
        false => (StatusCode::SERVICE_UNAVAILABLE, "the database doesn't answer\n").into_response(),
    }
}

async fn metrics<S: Storage>(State(shared): SharedState<S>, request: Request) -> Response {
    let caller = caller(&request, &shared.trusted_proxies);
    // Whoever comes through a proxy that isn't known to be one looks as if they were the proxy.
    let is_direct = !request.headers().contains_key(X_FORWARDED_FOR) || !shared.trusted_proxies.is_empty();
    if !is_direct || !contains(&shared.metrics_from, caller.address) {
        return StatusCode::NOT_FOUND.into_response();
    }
    let text = shared.service.metrics.text(shared.service.limiter.remembered());
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response()
}

async fn in_time(request: Request, next: Next) -> Response {
    let answer = tokio::time::timeout(REQUEST_TIMEOUT, next.run(request)).await;
    let mut response = answer.unwrap_or_else(|_| StatusCode::REQUEST_TIMEOUT.into_response());
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

const X_FORWARDED_FOR: &str = "x-forwarded-for";

fn caller(request: &Request, trusted_proxies: &[IpNet]) -> Caller {
    let Peer(peer) = *request.extensions().get().expect("every connection says whose it is");
    let text = |value: &HeaderValue| value.to_str().map(ToOwned::to_owned).ok();
    let host = request.headers().get(header::HOST).and_then(text).unwrap_or_default();
    let forwarded: Vec<String> = request.headers().get_all(X_FORWARDED_FOR).iter().filter_map(text).collect();
    Caller { address: behind_proxies(peer.ip().to_canonical(), &forwarded.join(","), trusted_proxies), host }
}

/// Each proxy appends whom it was asked by; what stands before the first one that isn't ours anybody can have written.
fn behind_proxies(peer: IpAddr, forwarded: &str, trusted: &[IpNet]) -> IpAddr {
    let mut address = peer;
    for hop in forwarded.rsplit(',') {
        match hop.trim().parse::<IpAddr>() {
            Ok(hop) if contains(trusted, address) => address = hop.to_canonical(),
            _ => break,
        }
    }
    address
}

pub(crate) fn contains(nets: &[IpNet], address: IpAddr) -> bool {
    nets.iter().any(|net| net.contains(&address))
}

async fn read<T: DeserializeOwned>(request: Request) -> Result<T, No> {
    let body = tokio::time::timeout(BODY_TIMEOUT, axum::body::to_bytes(request.into_body(), BODY_BYTES_MAX));
    let bytes = body.await.ok().and_then(Result::ok).ok_or(RefusalReason::Invalid)?;
    serde_json::from_slice(&bytes).map_err(|_| RefusalReason::Invalid.into())
}

fn answer<S: Storage>(shared: &Shared<S>, request: &'static str, outcome: Result<impl Serialize, No>) -> Response {
    let (name, response) = match outcome {
        Ok(body) => ("ok", json(StatusCode::OK, &body)),
        Err(No { reason, wait }) => {
            let (name, status) = told(reason);
            let mut response = json(status, &Refusal { error: reason });
            if let Some(wait) = wait {
                response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs() + 1));
            }
            (name, response)
        }
    };
    shared.service.metrics.count(request, name);
    response
}

/// A reason in the metrics, and as a status.
const fn told(reason: RefusalReason) -> (&'static str, StatusCode) {
    match reason {
        RefusalReason::NotFound => ("not_found", StatusCode::NOT_FOUND),
        RefusalReason::Challenge => ("challenge", StatusCode::CONFLICT),
        RefusalReason::Sequence => ("sequence", StatusCode::CONFLICT),
        RefusalReason::Taken => ("taken", StatusCode::CONFLICT),
        RefusalReason::TooManyRecords => ("too_many_records", StatusCode::FORBIDDEN),
        RefusalReason::Full => ("full", StatusCode::INSUFFICIENT_STORAGE),
        RefusalReason::RateLimited => ("rate_limited", StatusCode::TOO_MANY_REQUESTS),
        RefusalReason::WrongName => ("wrong_name", StatusCode::MISDIRECTED_REQUEST),
        RefusalReason::Unavailable => ("unavailable", StatusCode::SERVICE_UNAVAILABLE),
        RefusalReason::Invalid | RefusalReason::Other => ("invalid", StatusCode::BAD_REQUEST),
    }
}

fn json(status: StatusCode, body: &impl Serialize) -> Response {
    let mut bytes = serde_json::to_vec(body).expect("answers are JSON objects");
    bytes.resize(bytes.len().max(ANSWER_BYTES), b' ');
    (status, [(header::CONTENT_TYPE, "application/json")], Body::from(bytes)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_known_proxy_says_for_whom_it_asks() {
        let ip = |text: &str| text.parse::<IpAddr>().expect("an address");
        let trusted = ["10.0.0.0/8".parse().expect("a network")];
        for (peer, forwarded, asks) in [
            ("203.0.113.7", "", "203.0.113.7"),
            ("203.0.113.7", "198.51.100.1", "203.0.113.7"),
            ("10.0.0.1", "", "10.0.0.1"),
            ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
            ("10.0.0.1", "1.2.3.4, 198.51.100.1", "198.51.100.1"),
            ("10.0.0.1", "198.51.100.1, 10.0.0.2", "198.51.100.1"),
            ("10.0.0.1", "198.51.100.1, nonsense", "10.0.0.1"),
            ("10.0.0.1", "::ffff:198.51.100.1", "198.51.100.1"),
        ] {
            assert_eq!(behind_proxies(ip(peer), forwarded, &trusted), ip(asks), "{peer} for {forwarded:?}");
        }
    }
}
