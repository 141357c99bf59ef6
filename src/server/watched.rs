//! A socket that remembers when it last got on, so that one timer per connection can tell slow peers from busy ones.
//!
//! hyper's own header timer also runs while a kept-alive connection is idle, and there is none for writes; this one
//! tells the three cases apart.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
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
}

/// What to do with a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Fine,
    /// Nothing under way: end it politely.
    Idle,
    /// The peer hangs: cut it off.
    Stalled,
}

/// What happened on a connection, in milliseconds since it was opened; 0 is never.
#[derive(Debug)]
pub(super) struct Activity {
    opened: Instant,
    /// HTTP/1: heads come one after another. HTTP/2 mixes them with frames of its own, and bounds them itself.
    heads: bool,
    requests: AtomicU32,
    answered: AtomicU32,
    /// When the head under way began; 0 when none is.
    head: AtomicU64,
    last_read: AtomicU64,
    last_answer: AtomicU64,
    last_write: AtomicU64,
    write_blocked: AtomicU64,
}

impl Activity {
    pub(super) fn new(heads: bool) -> Self {
        Self {
            opened: Instant::now(),
            heads,
            requests: AtomicU32::new(0),
            answered: AtomicU32::new(0),
            head: AtomicU64::new(u64::from(heads)),
            last_read: AtomicU64::new(0),
            last_answer: AtomicU64::new(0),
            last_write: AtomicU64::new(0),
            write_blocked: AtomicU64::new(0),
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.opened.elapsed().as_millis()).unwrap_or(u64::MAX).max(1)
    }

    /// A request's head is complete.
    pub(super) fn begin(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.head.store(0, Ordering::Relaxed);
    }

    /// Its response is on its way.
    pub(super) fn end(&self) {
        self.answered.fetch_add(1, Ordering::Relaxed);
        self.last_answer.store(self.now(), Ordering::Relaxed);
    }

    fn busy(&self) -> bool {
        self.requests.load(Ordering::Relaxed) != self.answered.load(Ordering::Relaxed)
    }

    fn read(&self) {
        let now = self.now();
        self.last_read.store(now, Ordering::Relaxed);
        // The first bytes after an answer open the next head. Bytes while a request is busy are its body or pipelined.
        if self.heads && !self.busy() && self.head.load(Ordering::Relaxed) == 0 {
            self.head.store(now, Ordering::Relaxed);
        }
    }

    fn wrote(&self, blocked: bool) {
        if !blocked {
            // A large response that gets on slowly is not idle, though it was answered long ago.
            self.last_write.store(self.now(), Ordering::Relaxed);
            self.write_blocked.store(0, Ordering::Relaxed);
        } else if self.write_blocked.load(Ordering::Relaxed) == 0 {
            self.write_blocked.store(self.now(), Ordering::Relaxed);
        }
    }

    pub(super) fn verdict(&self, patience: Patience) -> Verdict {
        let now = self.now();
        let past = |since: &AtomicU64, limit: Duration| {
            let since = since.load(Ordering::Relaxed);
            since != 0 && u128::from(now.saturating_sub(since)) > limit.as_millis()
        };
        if past(&self.write_blocked, patience.write) {
            Verdict::Stalled
        } else if self.busy() {
            Verdict::Fine
        } else if past(&self.head, patience.header) {
            Verdict::Stalled
        } else {
            let marks = [&self.last_answer, &self.last_read, &self.last_write];
            let last = marks.map(|mark| mark.load(Ordering::Relaxed)).into_iter().max().unwrap_or(0);
            if u128::from(now - last.min(now)) > patience.idle.as_millis() { Verdict::Idle } else { Verdict::Fine }
        }
    }
}

/// The socket.
#[derive(Debug)]
pub(super) struct Watched<S> {
    stream: S,
    activity: Arc<Activity>,
}

impl<S> Watched<S> {
    pub(super) fn new(stream: S, activity: Arc<Activity>) -> Self {
        Self { stream, activity }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let result = Pin::new(&mut self.stream).poll_read(cx, buf);
        if buf.filled().len() > before {
            self.activity.read();
        }
        result
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.activity.wrote(result.is_pending());
        result
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.activity.wrote(result.is_pending());
        result
    }

    /// Forwarded: without it hyper would copy every body into its own buffer.
    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Patience = Patience {
        header: Duration::from_millis(20),
        idle: Duration::from_millis(60),
        write: Duration::from_millis(20),
    };

    fn wait(ms: u64) {
        std::thread::sleep(Duration::from_millis(ms));
    }

    #[test]
    fn a_connection_that_says_nothing_is_stalled_not_idle() {
        let activity = Activity::new(true);
        assert_eq!(activity.verdict(PATIENCE), Verdict::Fine);
        wait(30);
        assert_eq!(activity.verdict(PATIENCE), Verdict::Stalled);
    }

    #[test]
    fn kept_alive_is_idle_only_after_its_own_time() {
        let activity = Activity::new(true);
        activity.read();
        activity.begin();
        wait(30);
        assert_eq!(activity.verdict(PATIENCE), Verdict::Fine, "a busy request has all the time that it needs");
        activity.end();
        wait(30);
        assert_eq!(activity.verdict(PATIENCE), Verdict::Fine, "idle for less than allowed");
        wait(50);
        assert_eq!(activity.verdict(PATIENCE), Verdict::Idle);
    }

    #[test]
    fn a_response_that_gets_on_slowly_is_not_idle() {
        let activity = Activity::new(true);
        activity.read();
        activity.begin();
        activity.end();
        for _ in 0..4 {
            wait(30);
            activity.wrote(false);
            assert_eq!(activity.verdict(PATIENCE), Verdict::Fine);
        }
        wait(80);
        assert_eq!(activity.verdict(PATIENCE), Verdict::Idle);
    }

    #[test]
    fn a_second_head_that_trickles_is_stalled() {
        let activity = Activity::new(true);
        activity.read();
        activity.begin();
        activity.end();
        activity.read();
        wait(10);
        activity.read();
        wait(15);
        assert_eq!(activity.verdict(PATIENCE), Verdict::Stalled, "each byte does not buy new time");
    }

    #[test]
    fn frames_between_requests_are_no_heads() {
        let activity = Activity::new(false);
        wait(30);
        assert_eq!(activity.verdict(PATIENCE), Verdict::Fine);
        activity.read();
        wait(30);
        assert_eq!(activity.verdict(PATIENCE), Verdict::Fine);
        wait(50);
        assert_eq!(activity.verdict(PATIENCE), Verdict::Idle);
    }

    #[test]
    fn a_reader_that_takes_nothing_is_stalled_and_one_that_gets_on_is_not() {
        let activity = Activity::new(true);
        activity.begin();
        activity.wrote(true);
        wait(30);
        assert_eq!(activity.verdict(PATIENCE), Verdict::Stalled);
        activity.wrote(false);
        assert_eq!(activity.verdict(PATIENCE), Verdict::Fine);
    }
}
