//! A socket that remembers whether it got on, so that one timer per connection can tell slow peers from busy ones.
//!
//! hyper's own header timer also runs while a kept-alive connection is idle, and there is none for writes; this one
//! tells the three cases apart.

use super::lend::Loans;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The longest that a peer may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// From the first byte of a request's head (or from the start of the connection) to its last.
    pub(super) header: Duration,
    /// Between requests on one connection.
    pub(super) idle: Duration,
    /// Without taking a byte of a response.
    pub(super) write: Duration,
    /// For a piece of one response, where each stream waits on its own.
    pub(super) stream: Duration,
}

/// What to do with a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Fine,
    /// Nothing under way: end it politely.
    Idle,
    /// The peer does not finish a head: cut it off.
    SlowHead,
    /// The peer does not take its responses: cut it off.
    SlowReader,
}

/// What happens on a connection, as the socket and the service see it. No clock is read here: a hit has no time for it.
#[derive(Debug)]
pub(super) struct Activity {
    /// HTTP/1: heads come one after another. HTTP/2 mixes them with frames of its own, and bounds them itself.
    heads: AtomicBool,
    requests: AtomicU32,
    answered: AtomicU32,
    /// Whether a head has begun and is not complete.
    head_open: AtomicBool,
    /// Counts what keeps a connection from being idle: requests, answers, and on HTTP/1 bytes. Frames between requests are
    /// no use to anybody.
    moves: AtomicU32,
    /// Counts writes.
    written: AtomicU32,
    write_blocked: AtomicBool,
    /// Responses that HTTP/2 keeps for its client.
    loans: Loans,
    /// Requests that the client did not wait for.
    given_up: AtomicU32,
    /// How many these may be, besides one for each that it waited for.
    max_given_up: u32,
    /// There were more: nothing is read any more.
    cut: AtomicBool,
}

impl Activity {
    pub(super) fn new(max_given_up: u32) -> Self {
        Self {
            heads: AtomicBool::new(false),
            requests: AtomicU32::new(0),
            answered: AtomicU32::new(0),
            head_open: AtomicBool::new(false),
            moves: AtomicU32::new(0),
            written: AtomicU32::new(0),
            write_blocked: AtomicBool::new(false),
            loans: Loans::default(),
            given_up: AtomicU32::new(0),
            max_given_up,
            cut: AtomicBool::new(false),
        }
    }

    /// It is HTTP/1: a head is what comes next.
    pub(super) fn expect_head(&self) {
        self.heads.store(true, Ordering::Relaxed);
        self.head_open.store(true, Ordering::Relaxed);
    }

    /// A request's head is complete.
    pub(super) fn begin(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.head_open.store(false, Ordering::Relaxed);
    }

    /// Its response is on its way, or nobody waits for it any more.
    pub(super) fn end(&self) {
        self.answered.fetch_add(1, Ordering::Relaxed);
        self.moved();
    }

    /// Its client does not wait for it, or for the rest of its response.
    pub(super) fn given_up(&self) {
        let before = self.given_up.fetch_add(1, Ordering::Relaxed);
        let answered = self.answered.load(Ordering::Relaxed).saturating_sub(before);
        if before >= self.max_given_up.saturating_add(answered) {
            self.cut.store(true, Ordering::Relaxed);
        }
    }

    /// Whether the client gave up too many.
    pub(super) fn is_cut(&self) -> bool {
        self.cut.load(Ordering::Relaxed)
    }

    pub(super) fn loans(&self) -> &Loans {
        &self.loans
    }

    fn busy(&self) -> bool {
        self.requests.load(Ordering::Relaxed) != self.answered.load(Ordering::Relaxed) || self.loans.any()
    }

    pub(super) fn moved(&self) {
        self.moves.fetch_add(1, Ordering::Relaxed);
    }

    fn read(&self) {
        if !self.heads.load(Ordering::Relaxed) {
            return;
        }
        self.moved();
        // The first bytes after an answer open the next head. Bytes while a request is busy are its body or pipelined.
        if !self.busy() {
            self.head_open.store(true, Ordering::Relaxed);
        }
    }

    fn wrote(&self, blocked: bool) {
        if !blocked {
            self.written.fetch_add(1, Ordering::Relaxed);
            if self.heads.load(Ordering::Relaxed) {
                self.moved();
            }
        }
        self.write_blocked.store(blocked, Ordering::Relaxed);
    }
}

/// Looks at an [`Activity`] from time to time and knows since when it has not changed. Slow peers are found up to one
/// interval late.
#[derive(Debug)]
pub(super) struct Watchdog {
    patience: Patience,
    began: Instant,
    head: (u32, Instant),
    moves: (u32, Instant),
    written: (u32, Instant),
}

impl Watchdog {
    pub(super) fn new(patience: Patience, now: Instant) -> Self {
        Self { patience, began: now, head: (0, now), moves: (0, now), written: (0, now) }
    }

    /// From now on no longer pause between requests than this.
    pub(super) fn hurry(&mut self, idle: Duration) {
        self.patience.idle = self.patience.idle.min(idle);
    }

    pub(super) fn look(&mut self, activity: &Activity, now: Instant) -> Verdict {
        let since = |seen: &mut (u32, Instant), value: u32| {
            if seen.0 != value {
                *seen = (value, now);
            }
            now.duration_since(seen.1)
        };
        let quiet = since(&mut self.moves, activity.moves.load(Ordering::Relaxed));
        let stuck = since(&mut self.written, activity.written.load(Ordering::Relaxed));
        // Heads are told apart by the number of requests before them. A connection between requests has no head: its
        // time starts with the first look that finds one open.
        let number = activity.requests.load(Ordering::Relaxed);
        let open = activity.head_open.load(Ordering::Relaxed);
        let head = since(&mut self.head, number.wrapping_mul(2).wrapping_add(u32::from(open)));
        let blocked = activity.write_blocked.load(Ordering::Relaxed);
        let late = activity.loans.advance(now.duration_since(self.began), self.patience.stream);
        if late || blocked && stuck > self.patience.write {
            Verdict::SlowReader
        } else if blocked || activity.busy() {
            Verdict::Fine
        } else if open && head > self.patience.header {
            Verdict::SlowHead
        } else if quiet > self.patience.idle {
            Verdict::Idle
        } else {
            Verdict::Fine
        }
    }
}

/// The socket. Whoever drops it gets it back by way of its [`Returned`].
#[derive(Debug)]
pub(super) struct Watched<S> {
    /// There until the drop.
    stream: Option<S>,
    activity: Arc<Activity>,
    returned: Returned<S>,
}

/// Where a socket goes when the connection over it has ended: HTTP/2 connections do not give theirs back.
#[derive(Debug)]
pub(super) struct Returned<S>(Arc<Mutex<Option<S>>>);

impl<S> Returned<S> {
    /// The socket, once the connection over it was dropped.
    pub(super) fn take(&self) -> Option<S> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl<S> Watched<S> {
    pub(super) fn new(stream: S, activity: Arc<Activity>) -> (Self, Returned<S>) {
        let slot = Arc::new(Mutex::new(None));
        (Self { stream: Some(stream), activity, returned: Returned(Arc::clone(&slot)) }, Returned(slot))
    }
}

impl<S> Drop for Watched<S> {
    fn drop(&mut self) {
        *self.returned.0.lock().unwrap_or_else(PoisonError::into_inner) = self.stream.take();
    }
}

impl<S: Unpin> Watched<S> {
    fn stream(&mut self) -> Pin<&mut S> {
        Pin::new(self.stream.as_mut().expect("the stream is there until the drop"))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.activity.is_cut() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        let before = buf.filled().len();
        let result = self.stream().poll_read(cx, buf);
        if buf.filled().len() > before {
            self.activity.read();
        }
        result
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let result = self.stream().poll_write(cx, buf);
        self.activity.wrote(result.is_pending());
        result
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = self.stream().poll_write_vectored(cx, bufs);
        self.activity.wrote(result.is_pending());
        result
    }

    /// Forwarded: without it hyper would copy every body into its own buffer.
    fn is_write_vectored(&self) -> bool {
        self.stream.as_ref().is_some_and(AsyncWrite::is_write_vectored)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Patience = Patience {
        header: Duration::from_secs(10),
        idle: Duration::from_secs(60),
        write: Duration::from_secs(30),
        stream: Duration::from_secs(140),
    };

    struct Story {
        activity: Activity,
        dog: Watchdog,
        now: Instant,
    }

    impl Story {
        fn of(heads: bool) -> Self {
            let now = Instant::now();
            let activity = Activity::new(5);
            if heads {
                activity.expect_head();
            }
            Self { activity, dog: Watchdog::new(PATIENCE, now), now }
        }

        /// Looks every second for so many.
        fn wait(&mut self, seconds: u64) -> Verdict {
            let mut verdict = Verdict::Fine;
            for _ in 0..seconds {
                self.now += Duration::from_secs(1);
                verdict = self.dog.look(&self.activity, self.now);
            }
            verdict
        }
    }

    #[test]
    fn a_connection_that_says_nothing_is_stalled_not_idle() {
        let mut story = Story::of(true);
        assert_eq!(story.wait(10), Verdict::Fine);
        assert_eq!(story.wait(2), Verdict::SlowHead);
    }

    #[test]
    fn kept_alive_is_idle_only_after_its_own_time() {
        let mut story = Story::of(true);
        story.activity.read();
        story.activity.begin();
        assert_eq!(story.wait(300), Verdict::Fine, "a busy request has all the time that it needs");
        story.activity.end();
        assert_eq!(story.wait(50), Verdict::Fine, "idle for less than allowed");
        assert_eq!(story.wait(12), Verdict::Idle);
    }

    #[test]
    fn a_second_head_that_trickles_is_stalled() {
        let mut story = Story::of(true);
        story.activity.read();
        story.activity.begin();
        story.activity.end();
        assert_eq!(story.wait(5), Verdict::Fine);
        for _ in 0..10 {
            story.activity.read();
            assert_eq!(story.wait(1), Verdict::Fine);
        }
        story.activity.read();
        assert_eq!(story.wait(2), Verdict::SlowHead, "each byte does not buy new time");
    }

    #[test]
    fn quick_requests_one_after_another_are_fine() {
        let mut story = Story::of(true);
        for _ in 0..100 {
            story.activity.read();
            assert_eq!(story.wait(1), Verdict::Fine);
            story.activity.begin();
            story.activity.end();
        }
    }

    #[test]
    fn frames_between_requests_are_no_heads() {
        let mut story = Story::of(false);
        assert_eq!(story.wait(50), Verdict::Fine);
        story.activity.read();
        story.activity.wrote(false);
        assert_eq!(story.wait(12), Verdict::Idle, "nor do they keep a connection");
    }

    #[test]
    fn who_gives_up_more_than_it_waits_for_is_cut() {
        let activity = Activity::new(5);
        for answered in [true, false] {
            for _ in 0..20 {
                activity.begin();
                if !answered {
                    activity.given_up();
                }
                activity.end();
                assert!(!activity.is_cut());
            }
        }
        let mut more = 0;
        while !activity.is_cut() {
            activity.begin();
            activity.given_up();
            activity.end();
            more += 1;
        }
        assert!((5..10).contains(&more), "{more}");
    }

    #[test]
    fn a_response_that_gets_on_slowly_is_not_idle() {
        let mut story = Story::of(true);
        story.activity.read();
        story.activity.begin();
        story.activity.end();
        for _ in 0..4 {
            assert_eq!(story.wait(40), Verdict::Fine);
            story.activity.wrote(false);
        }
        assert_eq!(story.wait(63), Verdict::Idle);
    }

    #[test]
    fn a_reader_that_takes_nothing_is_stalled_and_one_that_gets_on_is_not() {
        let mut story = Story::of(true);
        story.activity.begin();
        for _ in 0..10 {
            story.activity.wrote(true);
            assert_eq!(story.wait(20), Verdict::Fine);
            story.activity.wrote(false);
        }
        story.activity.wrote(true);
        assert_eq!(story.wait(33), Verdict::SlowReader);
    }
}
