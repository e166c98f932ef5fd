//! The HTTP port: `/metrics`, `/healthz`, `/readyz`.
//!
//! Knows how to answer, not what is measured.

use crate::io::Listener;
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::{body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use std::{convert::Infallible, sync::Arc, time::Duration};
use tokio::{sync::watch, task::JoinSet};

/// What the pages tell.
pub trait Pages: Send + Sync + 'static {
    /// The metrics in Prometheus's text format.
    fn metrics(&self) -> String;

    /// `Ok` when clients may be sent here, else what is missing.
    fn ready(&self) -> Result<(), String>;
}

/// The most connections at a time; others wait to be accepted.
const MOST: usize = 64;

/// How long a connection may last: scrapers and probes come back.
const LIMIT: Duration = Duration::from_secs(30);

/// Serves until `stop` turns true.
pub async fn serve(pages: Arc<dyn Pages>, mut listener: Box<dyn Listener>, mut stop: watch::Receiver<bool>) {
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return,
            Some(_) = connections.join_next() => continue,
            accepted = listener.accept(), if connections.len() < MOST => accepted,
        };
        match accepted {
            Ok(incoming) => {
                connections.spawn(connection(pages.clone(), incoming.stream));
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept an HTTP connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

async fn connection(pages: Arc<dyn Pages>, stream: predis_raft::BoxedStream) {
    let service = service_fn(move |request| {
        let answer = answer(pages.as_ref(), &request);
        async move { Ok::<_, Infallible>(answer) }
    });
    let serving = hyper::server::conn::http1::Builder::new()
        .max_buf_size(64 * 1024)
        .serve_connection(TokioIo::new(stream), service);
    // A client that breaks off, or takes too long, is no concern of ours.
    let _ = tokio::time::timeout(LIMIT, serving).await;
}

fn answer(pages: &dyn Pages, request: &Request<Incoming>) -> Response<Full<Bytes>> {
    const TEXT: &str = "text/plain; charset=utf-8";
    if request.method() != Method::GET && request.method() != Method::HEAD {
        return page(StatusCode::METHOD_NOT_ALLOWED, TEXT, "only GET is answered here\n".to_owned());
    }
    match request.uri().path() {
        "/metrics" => page(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", pages.metrics()),
        "/healthz" => page(StatusCode::OK, TEXT, "ok\n".to_owned()),
        "/readyz" => match pages.ready() {
            Ok(()) => page(StatusCode::OK, TEXT, "ready\n".to_owned()),
            Err(missing) => page(StatusCode::SERVICE_UNAVAILABLE, TEXT, format!("not ready: {missing}\n")),
        },
        _ => page(StatusCode::NOT_FOUND, TEXT, "here are /metrics, /healthz and /readyz\n".to_owned()),
    }
}

fn page(status: StatusCode, kind: &'static str, text: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    response.headers_mut().insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static(kind));
    response
}
