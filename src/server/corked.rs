//! A stream whose small writes go out together: HTTP/2 writes and flushes each frame by itself, and each would be a record of
//! TLS and a call of the kernel.
//!
//! What is written is kept until whoever drives the connection says that nothing more comes for now ([`Cork::pull`]): at the end
//! of each turn of its task, so nothing waits for a clock. What is large goes through without being copied. Invariants: bytes
//! leave in the order in which they were written; no more than [`KEPT`] are held back; a stream that takes nothing holds up
//! its writer.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Bytes that are kept for one call: the content of a record of TLS.
const KEPT: usize = 16 << 10;

/// Slices that a frame comes in, and ours.
const SLICES: usize = 8;

/// The stream, as the connection has it.
#[derive(Debug)]
pub(super) struct Corked<S>(Arc<Mutex<Inner<S>>>);

/// The other hand on it. The mutex is never waited for: both are in the same task.
#[derive(Debug)]
pub(super) struct Cork<S>(Arc<Mutex<Inner<S>>>);

#[derive(Debug)]
struct Inner<S> {
    stream: S,
    kept: Vec<u8>,
    /// Of the kept ones, that have left.
    gone: usize,
    /// There is something that the stream has, and has not sent.
    unsent: bool,
}

impl<S> Corked<S> {
    pub(super) fn new(stream: S) -> (Self, Cork<S>) {
        let inner = Arc::new(Mutex::new(Inner { stream, kept: Vec::new(), gone: 0, unsent: false }));
        (Self(Arc::clone(&inner)), Cork(inner))
    }

    fn lock(&self) -> MutexGuard<'_, Inner<S>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: AsyncWrite + Unpin> Cork<S> {
    /// Sends what was kept. An error is the connection's to find, by its next write.
    pub(super) fn pull(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).send(cx)
    }
}

impl<S: AsyncWrite + Unpin> Inner<S> {
    /// All that is kept, and all that the stream below keeps.
    fn send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.empty(cx))?;
        // Who rests keeps no room: there may be thousands.
        self.kept = Vec::new();
        if self.unsent {
            ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
            self.unsent = false;
        }
        Poll::Ready(Ok(()))
    }

    /// All that is kept goes to the stream below.
    fn empty(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.gone < self.kept.len() {
            match ready!(Pin::new(&mut self.stream).poll_write(cx, &self.kept[self.gone..]))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                written => self.gone += written,
            }
            self.unsent = true;
        }
        self.kept.clear();
        self.gone = 0;
        Poll::Ready(Ok(()))
    }

    /// What is kept and what is written now, in one call. How much of the latter is gone.
    fn write_through(&mut self, cx: &mut Context<'_>, bufs: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        loop {
            let kept = self.kept.len() - self.gone;
            let mut all = [IoSlice::new(&[]); SLICES];
            let mut count = 0;
            for slice in std::iter::once(&self.kept[self.gone..]).chain(bufs.iter().map(|buf| &**buf)) {
                if !slice.is_empty() && count < SLICES {
                    all[count] = IoSlice::new(slice);
                    count += 1;
                }
            }
            let written = ready!(Pin::new(&mut self.stream).poll_write_vectored(cx, &all[..count]))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.unsent = true;
            if written >= kept {
                self.kept.clear();
                self.gone = 0;
                if written > kept {
                    return Poll::Ready(Ok(written - kept));
                }
            } else {
                self.gone += written;
            }
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Corked<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.lock().stream).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Corked<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(buf)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut inner = self.lock();
        let length = bufs.iter().map(|buf| buf.len()).sum::<usize>();
        if inner.gone == 0 && inner.kept.len() + length <= KEPT {
            if inner.kept.capacity() == 0 {
                inner.kept.reserve_exact(KEPT);
            }
            bufs.iter().for_each(|buf| inner.kept.extend_from_slice(buf));
            return Poll::Ready(Ok(length));
        }
        inner.write_through(cx, bufs)
    }

    /// Else HTTP/2 would copy more into a buffer of its own.
    fn is_write_vectored(&self) -> bool {
        true
    }

    /// Not yet: see [`Cork::pull`].
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut inner = self.lock();
        ready!(inner.send(cx))?;
        Pin::new(&mut inner.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::Waker;

    /// A stream that takes so many bytes at once, and nothing while it is shut.
    #[derive(Clone, Debug, Default)]
    struct Pipe {
        most: usize,
        shut: bool,
        taken: Vec<u8>,
        calls: usize,
        flushed: usize,
        ended: bool,
    }

    impl AsyncWrite for Pipe {
        fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
            self.poll_write_vectored(cx, &[IoSlice::new(buf)])
        }

        fn poll_write_vectored(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            bufs: &[IoSlice<'_>],
        ) -> Poll<io::Result<usize>> {
            if self.shut {
                return Poll::Pending;
            }
            self.calls += 1;
            let all: Vec<u8> = bufs.iter().flat_map(|buf| buf.iter().copied()).collect();
            let some = all.len().min(self.most);
            self.taken.extend_from_slice(&all[..some]);
            Poll::Ready(Ok(some))
        }

        fn poll_flush(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            self.flushed += 1;
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            self.ended = true;
            Poll::Ready(Ok(()))
        }
    }

    fn corked(most: usize) -> (Corked<Pipe>, Cork<Pipe>) {
        Corked::new(Pipe { most, ..Pipe::default() })
    }

    fn write(stream: &mut Corked<Pipe>, bufs: &[&[u8]]) -> Poll<usize> {
        let slices: Vec<_> = bufs.iter().map(|buf| IoSlice::new(buf)).collect();
        let mut cx = Context::from_waker(Waker::noop());
        Pin::new(stream).poll_write_vectored(&mut cx, &slices).map(|written| written.expect("it does not fail"))
    }

    fn pull(cork: &Cork<Pipe>) -> bool {
        cork.pull(&mut Context::from_waker(Waker::noop())).map(|sent| sent.expect("it does not fail")).is_ready()
    }

    fn seen(stream: &Corked<Pipe>) -> Pipe {
        stream.lock().stream.clone()
    }

    #[test]
    fn small_writes_leave_in_one_call() {
        let (mut stream, cork) = corked(usize::MAX);
        for _ in 0..10 {
            assert_eq!(write(&mut stream, &[b"head", b"", b"body"]), Poll::Ready(8));
            assert!(Pin::new(&mut stream).poll_flush(&mut Context::from_waker(Waker::noop())).is_ready());
        }
        assert_eq!(seen(&stream).calls, 0);
        assert!(pull(&cork));
        assert_eq!(seen(&stream).taken, b"headbody".repeat(10));
        assert_eq!((seen(&stream).calls, seen(&stream).flushed), (1, 1));
        assert!(pull(&cork), "nothing is left");
        assert_eq!((seen(&stream).calls, seen(&stream).flushed), (1, 1));
        assert_eq!(stream.lock().kept.capacity(), 0, "who rests keeps no room");
    }

    #[test]
    fn what_is_large_goes_with_what_was_kept() {
        let (mut stream, cork) = corked(usize::MAX);
        let large = vec![7; KEPT];
        assert_eq!(write(&mut stream, &[b"small"]), Poll::Ready(5));
        assert_eq!(write(&mut stream, &[b"head", &large]), Poll::Ready(4 + KEPT));
        assert_eq!(seen(&stream).calls, 1);
        assert_eq!(seen(&stream).taken, [b"smallhead".as_slice(), &large].concat());
        assert!(pull(&cork));
    }

    #[test]
    fn a_stream_that_takes_nothing_holds_up_its_writer() {
        let (mut stream, cork) = corked(usize::MAX);
        stream.lock().stream.shut = true;
        let half = vec![1; KEPT / 2];
        assert_eq!([write(&mut stream, &[&half]), write(&mut stream, &[&half])], [Poll::Ready(KEPT / 2); 2]);
        assert_eq!(write(&mut stream, &[b"more"]), Poll::Pending);
        assert!(!pull(&cork));
        stream.lock().stream.shut = false;
        assert!(pull(&cork));
        assert_eq!(seen(&stream).taken.len(), KEPT);
    }

    #[test]
    fn the_end_comes_after_all_else() {
        let (mut stream, _cork) = corked(3);
        assert_eq!(write(&mut stream, &[b"goodbye"]), Poll::Ready(7));
        let mut cx = Context::from_waker(Waker::noop());
        assert!(Pin::new(&mut stream).poll_shutdown(&mut cx).is_ready());
        assert_eq!(seen(&stream).taken, b"goodbye");
        assert!(seen(&stream).ended);
    }

    proptest::proptest! {
        /// Whatever the stream takes at once, and whenever it is shut: all bytes, in order.
        #[test]
        fn nothing_is_lost_or_moved(most in 1_usize..40_000, lengths in proptest::collection::vec((0_usize..30_000, 0_usize..30), 1..20)) {
            let (mut stream, cork) = corked(most);
            let (mut expected, mut next) = (Vec::new(), 0_u8);
            for (length, turn) in lengths {
                let bytes: Vec<u8> = std::iter::repeat_with(|| { next = next.wrapping_add(31); next }).take(length).collect();
                let mut rest = bytes.as_slice();
                while !rest.is_empty() {
                    let shut = turn % 3 == 0 && !seen(&stream).shut;
                    stream.lock().stream.shut = shut;
                    let (head, body) = rest.split_at(rest.len() / 3);
                    if let Poll::Ready(written) = write(&mut stream, &[head, body]) {
                        rest = &rest[written..];
                    }
                }
                expected.extend_from_slice(&bytes);
                if turn % 2 == 0 {
                    pull(&cork);
                }
            }
            stream.lock().stream.shut = false;
            proptest::prop_assert!(pull(&cork));
            proptest::prop_assert_eq!(&seen(&stream).taken, &expected);
        }
    }
}
