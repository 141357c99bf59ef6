//! Bodies of requests under a limit of size and of patience.
//!
//! Knows no media type. Invariants: no more than the limit is ever read; a sender that stops sending is given up.

use crate::problem::{Problem, code};
use axum::body::Body;
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt as _;
use service::config::format_bytes;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Instant, Sleep};

/// Why reading a body ended early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It is larger than this many bytes.
    TooLarge(u64),
    /// Nothing came for so long.
    Stalled(Duration),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge(limit) => {
                write!(f, "The body is larger than the {} that are taken here.", format_bytes(*limit))
            }
            Self::Stalled(wait) => write!(f, "Nothing of the body came for {} s.", wait.as_secs()),
        }
    }
}

impl std::error::Error for Fault {}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::TooLarge(_) => Self::new(code::TOO_LARGE, fault.to_string()),
            Fault::Stalled(_) => Self::new(code::BAD_REQUEST, fault.to_string()),
        }
    }
}

impl Problem {
    /// Why a body could not be read to its end.
    #[must_use]
    pub fn of_body(error: axum::Error) -> Self {
        let outermost: &(dyn std::error::Error + 'static) = &error;
        // Each body that holds another wraps its errors once more.
        let mut causes = std::iter::successors(Some(outermost), |error| error.source());
        match causes.find_map(|error| error.downcast_ref::<Fault>()) {
            Some(fault) => (*fault).into(),
            None => Self::new(code::BAD_REQUEST, "The body ended before it was whole.").because(error),
        }
    }
}

/// A body that is watched while it is read.
pub(crate) struct Watched {
    body: Body,
    limit: u64,
    left: u64,
    patience: Duration,
    sleep: Pin<Box<Sleep>>,
}

impl Watched {
    pub(crate) fn new(body: Body, limit: u64, patience: Duration) -> Self {
        Self { body, limit, left: limit, patience, sleep: Box::pin(tokio::time::sleep(patience)) }
    }
}

impl http_body::Body for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = &mut *self;
        let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(cx) else {
            return match this.sleep.as_mut().poll(cx) {
                Poll::Ready(()) => Poll::Ready(Some(Err(axum::Error::new(Fault::Stalled(this.patience))))),
                Poll::Pending => Poll::Pending,
            };
        };
        this.sleep.as_mut().reset(Instant::now() + this.patience);
        let length = frame.as_ref().and_then(|frame| frame.as_ref().ok()?.data_ref()).map_or(0, Bytes::len) as u64;
        match this.left.checked_sub(length) {
            Some(left) => this.left = left,
            None => return Poll::Ready(Some(Err(axum::Error::new(Fault::TooLarge(this.limit))))),
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The whole body, of at most `limit` bytes.
///
/// # Errors
/// 413 where it is larger, 400 where it ends early.
pub async fn collect(mut body: Body, limit: u64) -> Result<Bytes, Problem> {
    let mut whole = bytes::BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(Problem::of_body)?.into_data() else { continue };
        if (whole.len() + data.len()) as u64 > limit {
            return Err(Fault::TooLarge(limit).into());
        }
        whole.extend_from_slice(&data);
    }
    Ok(whole.freeze())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A sender that sends nothing and stays.
    struct Silent;

    impl http_body::Body for Silent {
        type Data = Bytes;
        type Error = std::convert::Infallible;

        fn poll_frame(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
            Poll::Pending
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_sender_is_given_up() {
        let watched = Body::new(Watched::new(Body::new(Silent), 100, Duration::from_secs(5)));
        let refused = collect(watched, 100).await.unwrap_err();
        assert_eq!(refused.code(), code::BAD_REQUEST);
        assert!(refused.detail().contains("5 s"), "{refused}");
    }

    #[tokio::test]
    async fn limits_hold_for_bodies_of_any_form() {
        let watched = |limit| Body::new(Watched::new(Body::from("0123456789"), limit, Duration::from_secs(5)));
        assert_eq!(collect(watched(10), 10).await.unwrap(), "0123456789");
        assert_eq!(collect(watched(9), 100).await.unwrap_err().code(), code::TOO_LARGE);
        assert_eq!(collect(watched(10), 9).await.unwrap_err().code(), code::TOO_LARGE);
    }
}
