//! The seam for what may happen to a call on its way: it comes late, twice, or its answer never does.
//!
//! TCP neither repeats nor reorders, so a simulated network of streams cannot show what a receiver makes of calls
//! that were; whoever simulates says it here, call by call. Production has no courier, and a call costs one look
//! at that.

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tonic::{
    body::Body,
    transport::{Channel, Error, channel::ResponseFuture},
};
use tower::{Service, ServiceExt};

/// What becomes of a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fate {
    /// How long it is held back; calls after it are not.
    pub late: Duration,
    /// How long after the first time it is sent once more; nobody waits for the answer to that.
    pub again: Option<Duration>,
    /// Whether the answer is lost: the caller waits in vain.
    pub unanswered: bool,
}

/// Decides what becomes of calls. Only unary ones may be sent again.
pub trait Courier: Send + Sync + 'static {
    /// The fate of the next call of `method` (`/package.Service/Method`) to the member at `addr`.
    fn fate(&self, addr: &str, method: &str) -> Fate;
}

/// A channel, and the courier that its calls are given to if there is one.
#[derive(Clone)]
pub struct Line {
    channel: Channel,
    courier: Option<(Arc<dyn Courier>, Arc<str>)>,
}

impl Line {
    pub(super) fn new(channel: Channel, courier: Option<Arc<dyn Courier>>, addr: &str) -> Line {
        Line { channel, courier: courier.map(|courier| (courier, addr.into())) }
    }
}

/// The answer to a call: the channel's own, or what the courier makes of it.
pub enum Answer {
    /// Straight from the channel.
    Straight(ResponseFuture),
    /// By the courier.
    Carried(Pin<Box<dyn Future<Output = Result<Response<Body>, Error>> + Send>>),
}

impl Future for Answer {
    type Output = Result<Response<Body>, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut *self {
            Answer::Straight(answer) => Pin::new(answer).poll(cx),
            Answer::Carried(answer) => answer.as_mut().poll(cx),
        }
    }
}

impl Service<Request<Body>> for Line {
    type Response = Response<Body>;
    type Error = Error;
    type Future = Answer;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.channel.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Answer {
        match &self.courier {
            None => Answer::Straight(self.channel.call(request)),
            Some((courier, addr)) => {
                let (courier, addr) = (courier.clone(), addr.clone());
                Answer::Carried(Box::pin(carry(self.channel.clone(), request, courier, addr)))
            }
        }
    }
}

async fn carry(
    channel: Channel,
    request: Request<Body>,
    courier: Arc<dyn Courier>,
    addr: Arc<str>,
) -> Result<Response<Body>, Error> {
    let fate = courier.fate(&addr, request.uri().path());
    if !fate.late.is_zero() {
        tokio::time::sleep(fate.late).await;
    }
    let request = match fate.again {
        None => request,
        Some(after) => {
            let (request, copy) = doubled(request).await;
            let channel = channel.clone();
            tokio::spawn(async move {
                tokio::time::sleep(after).await;
                let _ = channel.oneshot(copy).await;
            });
            request
        }
    };
    let answer = channel.oneshot(request).await;
    if fate.unanswered {
        return std::future::pending().await;
    }
    answer
}

/// The request twice. A body that breaks off is sent as far as it went, both times.
async fn doubled(request: Request<Body>) -> (Request<Body>, Request<Body>) {
    let (parts, body) = request.into_parts();
    let bytes = body.collect().await.map_or_else(|_| Bytes::new(), |body| body.to_bytes());
    let copy = |bytes: Bytes| Request::from_parts(parts.clone(), Body::new(Full::new(bytes)));
    (copy(bytes.clone()), copy(bytes))
}
