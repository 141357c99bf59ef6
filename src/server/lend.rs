//! Responses that were handed to HTTP/2 and that their client has not taken yet.
//!
//! Each stream has a window of its own, so a client can keep responses waiting for ever while its socket takes all that it
//! is given and its pings make it look alive. So responses are lent in pieces: a piece comes back when it was written or its
//! stream was reset, and one that stays out for too long tells. Invariant: a loan is counted until it is dropped, whoever
//! holds it then.

use super::watched::Activity;
use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

/// How finely time is told: a loan is found late by one of so many parts.
const GENERATIONS: usize = 16;

/// What is lent at once: small, so that a client that gets on, be it slowly, shows it.
const PIECE: usize = 64 << 10;

/// Loans by the generation in which they were given.
#[derive(Debug, Default)]
pub(super) struct Loans {
    out: [AtomicU32; GENERATIONS],
    now: AtomicU32,
    all: AtomicU32,
}

impl Loans {
    /// Whether any is out.
    pub(super) fn any(&self) -> bool {
        self.all.load(Ordering::Relaxed) > 0
    }

    /// Goes on to the generation of `age`, the time since the connection began. Whether a loan is out that was given
    /// longer ago than `patience`.
    pub(super) fn advance(&self, age: Duration, patience: Duration) -> bool {
        // Two generations are spare: the one in which a loan was given, and the one that is entered.
        let length = (patience / (GENERATIONS as u32 - 2)).max(Duration::from_millis(1));
        let target = u32::try_from(age.as_millis() / length.as_millis()).unwrap_or(u32::MAX);
        let now = self.now.load(Ordering::Relaxed);
        let entered = (now + 1..=target).take(GENERATIONS);
        let late = entered.into_iter().any(|generation| self.slot(generation).load(Ordering::Relaxed) > 0);
        self.now.store(target.max(now), Ordering::Relaxed);
        late
    }

    fn slot(&self, generation: u32) -> &AtomicU32 {
        &self.out[generation as usize % GENERATIONS]
    }
}

/// One loan.
#[derive(Debug)]
struct Loan {
    activity: Arc<Activity>,
    generation: u32,
}

impl Loan {
    fn of(activity: &Arc<Activity>) -> Self {
        let loans = activity.loans();
        let generation = loans.now.load(Ordering::Relaxed);
        loans.slot(generation).fetch_add(1, Ordering::Relaxed);
        loans.all.fetch_add(1, Ordering::Relaxed);
        Self { activity: Arc::clone(activity), generation }
    }
}

impl Drop for Loan {
    fn drop(&mut self) {
        let loans = self.activity.loans();
        loans.slot(self.generation).fetch_sub(1, Ordering::Relaxed);
        loans.all.fetch_sub(1, Ordering::Relaxed);
        self.activity.moved();
    }
}

/// A response's body, lent piece by piece.
#[derive(Debug)]
pub(super) struct Lent {
    rest: Bytes,
    /// While the next piece is waited for.
    waiting: Option<Loan>,
}

impl Lent {
    pub(super) fn new(body: Bytes, activity: &Arc<Activity>) -> Self {
        let waiting = (!body.is_empty()).then(|| Loan::of(activity));
        Self { rest: body, waiting }
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(loan) = &self.waiting {
            loan.activity.given_up();
        }
    }
}

impl Body for Lent {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let Some(loan) = self.waiting.take() else { return Poll::Ready(None) };
        let end = self.rest.len().min(PIECE);
        let bytes = self.rest.split_to(end);
        if !self.rest.is_empty() {
            self.waiting = Some(Loan::of(&loan.activity));
        }
        let piece = Piece { bytes, _loan: loan.renewed() };
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_owner(piece)))))
    }

    fn is_end_stream(&self) -> bool {
        self.waiting.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.rest.len() as u64)
    }
}

/// A piece of a body; out until nobody holds it any more.
struct Piece {
    bytes: Bytes,
    _loan: Loan,
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Loan {
    /// Counted from now on: the client has got on.
    fn renewed(self) -> Self {
        Self::of(&self.activity)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::Waker;

    const PATIENCE: Duration = Duration::from_secs(140);

    fn next(body: &mut Lent) -> Option<Bytes> {
        match Pin::new(body).poll_frame(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(frame) => frame.map(|frame| frame.expect("cannot fail").into_data().expect("data")),
            Poll::Pending => panic!("a body that is there never waits"),
        }
    }

    fn late(activity: &Activity, seconds: u64) -> bool {
        activity.loans().advance(Duration::from_secs(seconds), PATIENCE)
    }

    #[test]
    fn the_pieces_are_the_body() {
        let activity = Arc::new(Activity::new(0));
        let bytes: Bytes = (0..200_000u32).map(|n| n as u8).collect::<Vec<_>>().into();
        let mut body = Lent::new(bytes.clone(), &activity);
        assert_eq!((body.size_hint().exact(), body.is_end_stream()), (Some(200_000), false));
        let mut pieces = Vec::new();
        while let Some(piece) = next(&mut body) {
            pieces.push(piece);
        }
        assert!(body.is_end_stream() && pieces.len() == 4);
        assert_eq!(pieces.concat(), bytes);
        assert!(activity.loans().any(), "the pieces are out");
        drop((body, pieces));
        assert!(!activity.loans().any());
        assert!(Lent::new(Bytes::new(), &activity).is_end_stream() && !activity.loans().any());
    }

    #[test]
    fn what_stays_out_for_too_long_is_found() {
        let activity = Arc::new(Activity::new(0));
        let mut body = Lent::new(Bytes::from_static(b"a picture"), &activity);
        assert!(!late(&activity, 1));
        let piece = next(&mut body).expect("all of it");
        assert!((2..130).all(|second| !late(&activity, second)));
        assert!((130..170).any(|second| late(&activity, second)));
        drop(piece);
        assert!((170..1000).all(|second| !late(&activity, second)), "it came back");
    }

    #[test]
    fn a_body_that_is_not_asked_for_is_out_too() {
        let activity = Arc::new(Activity::new(0));
        let body = Lent::new(Bytes::from_static(b"a picture"), &activity);
        assert!(late(&activity, 1000), "however long nobody looked");
        drop(body);
        assert!(!late(&activity, 3000));
    }

    #[test]
    fn a_client_that_gets_on_slowly_is_not_late() {
        let activity = Arc::new(Activity::new(0));
        let mut body = Lent::new(Bytes::from(vec![0; 10 * PIECE]), &activity);
        for number in 0..10 {
            let piece = next(&mut body).expect("one of ten");
            assert!((0..100).all(|second| !late(&activity, number * 100 + second)), "{number}");
            drop(piece);
        }
    }
}
