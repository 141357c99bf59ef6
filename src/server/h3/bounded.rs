//! QUIC streams as HTTP/3 reads them, each for so many bytes only.
//!
//! The HTTP/3 library waits for a whole frame before it looks at its size: without this, one endless frame would fill the
//! memory. Requests have no bodies that anybody reads, so a stream needs room for a head and no more. Invariant: what has
//! been read of one stream never exceeds its allowance.

use bytes::{Buf, Bytes};
use h3::error::Code;
use h3::quic::{self, ConnectionErrorIncoming, StreamErrorIncoming, StreamId, WriteBuf};
use std::task::{Context, Poll, ready};

/// Bytes of a control stream. Browsers send some twenty for each request (priorities): more than ten thousand requests.
const CONTROL_ALLOWANCE: usize = 256 << 10;

/// A connection whose streams are bounded.
pub(super) struct Connection {
    inner: h3_quinn::Connection,
    /// Of a request's stream.
    allowance: usize,
}

impl Connection {
    pub(super) fn new(connection: quinn::Connection, allowance: usize) -> Self {
        Self { inner: h3_quinn::Connection::new(connection), allowance }
    }
}

type Quinn = h3_quinn::Connection;

impl quic::Connection<Bytes> for Connection {
    type RecvStream = Bounded<h3_quinn::RecvStream>;
    type OpenStreams = OpenStreams;

    fn poll_accept_recv(&mut self, cx: &mut Context<'_>) -> Poll<Result<Self::RecvStream, ConnectionErrorIncoming>> {
        let stream = ready!(<Quinn as quic::Connection<Bytes>>::poll_accept_recv(&mut self.inner, cx))?;
        Poll::Ready(Ok(Bounded { inner: stream, left: CONTROL_ALLOWANCE }))
    }

    fn poll_accept_bidi(&mut self, cx: &mut Context<'_>) -> Poll<Result<Self::BidiStream, ConnectionErrorIncoming>> {
        let stream = ready!(<Quinn as quic::Connection<Bytes>>::poll_accept_bidi(&mut self.inner, cx))?;
        Poll::Ready(Ok(Bounded { inner: stream, left: self.allowance }))
    }

    fn opener(&self) -> Self::OpenStreams {
        OpenStreams { inner: <Quinn as quic::Connection<Bytes>>::opener(&self.inner), allowance: self.allowance }
    }
}

impl quic::OpenStreams<Bytes> for Connection {
    type BidiStream = Bounded<h3_quinn::BidiStream<Bytes>>;
    type SendStream = h3_quinn::SendStream<Bytes>;

    fn poll_open_bidi(&mut self, cx: &mut Context<'_>) -> Poll<Result<Self::BidiStream, StreamErrorIncoming>> {
        let left = self.allowance;
        self.inner.poll_open_bidi(cx).map_ok(|inner| Bounded { inner, left })
    }

    fn poll_open_send(&mut self, cx: &mut Context<'_>) -> Poll<Result<Self::SendStream, StreamErrorIncoming>> {
        self.inner.poll_open_send(cx)
    }

    fn close(&mut self, code: Code, reason: &[u8]) {
        <Quinn as quic::OpenStreams<Bytes>>::close(&mut self.inner, code, reason);
    }
}

/// Opens streams of ours.
pub(super) struct OpenStreams {
    inner: h3_quinn::OpenStreams,
    allowance: usize,
}

impl quic::OpenStreams<Bytes> for OpenStreams {
    type BidiStream = Bounded<h3_quinn::BidiStream<Bytes>>;
    type SendStream = h3_quinn::SendStream<Bytes>;

    fn poll_open_bidi(&mut self, cx: &mut Context<'_>) -> Poll<Result<Self::BidiStream, StreamErrorIncoming>> {
        let left = self.allowance;
        self.inner.poll_open_bidi(cx).map_ok(|inner| Bounded { inner, left })
    }

    fn poll_open_send(&mut self, cx: &mut Context<'_>) -> Poll<Result<Self::SendStream, StreamErrorIncoming>> {
        self.inner.poll_open_send(cx)
    }

    fn close(&mut self, code: Code, reason: &[u8]) {
        <h3_quinn::OpenStreams as quic::OpenStreams<Bytes>>::close(&mut self.inner, code, reason);
    }
}

/// A stream that may be read so far.
pub(super) struct Bounded<S> {
    inner: S,
    /// Bytes that may still come.
    left: usize,
}

impl<S: quic::RecvStream> quic::RecvStream for Bounded<S> {
    type Buf = S::Buf;

    fn poll_data(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Self::Buf>, StreamErrorIncoming>> {
        let Some(data) = ready!(self.inner.poll_data(cx))? else { return Poll::Ready(Ok(None)) };
        match self.left.checked_sub(data.remaining()) {
            Some(left) => {
                self.left = left;
                Poll::Ready(Ok(Some(data)))
            }
            None => {
                let error_code = Code::H3_EXCESSIVE_LOAD.value();
                self.left = 0;
                self.inner.stop_sending(error_code);
                Poll::Ready(Err(StreamErrorIncoming::StreamTerminated { error_code }))
            }
        }
    }

    fn stop_sending(&mut self, error_code: u64) {
        self.inner.stop_sending(error_code);
    }

    fn recv_id(&self) -> StreamId {
        self.inner.recv_id()
    }
}

impl<S: quic::SendStream<Bytes>> quic::SendStream<Bytes> for Bounded<S> {
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), StreamErrorIncoming>> {
        self.inner.poll_ready(cx)
    }

    fn send_data<T: Into<WriteBuf<Bytes>>>(&mut self, data: T) -> Result<(), StreamErrorIncoming> {
        self.inner.send_data(data)
    }

    fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), StreamErrorIncoming>> {
        self.inner.poll_finish(cx)
    }

    fn reset(&mut self, reset_code: u64) {
        self.inner.reset(reset_code);
    }

    fn send_id(&self) -> StreamId {
        self.inner.send_id()
    }
}

impl quic::BidiStream<Bytes> for Bounded<h3_quinn::BidiStream<Bytes>> {
    type SendStream = h3_quinn::SendStream<Bytes>;
    type RecvStream = Bounded<h3_quinn::RecvStream>;

    fn split(self) -> (Self::SendStream, Self::RecvStream) {
        let (send, recv) = quic::BidiStream::split(self.inner);
        (send, Bounded { inner: recv, left: self.left })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use h3::quic::RecvStream as _;
    use std::task::Waker;

    /// Gives `1` for ever.
    struct Endless {
        stopped: Option<u64>,
    }

    impl quic::RecvStream for Endless {
        type Buf = Bytes;

        fn poll_data(&mut self, _: &mut Context<'_>) -> Poll<Result<Option<Bytes>, StreamErrorIncoming>> {
            Poll::Ready(Ok(Some(Bytes::from_static(&[1; 1000]))))
        }

        fn stop_sending(&mut self, error_code: u64) {
            self.stopped = Some(error_code);
        }

        fn recv_id(&self) -> StreamId {
            StreamId::try_from(0).expect("the first stream")
        }
    }

    #[test]
    fn more_than_the_allowance_ends_the_stream() {
        let mut stream = Bounded { inner: Endless { stopped: None }, left: 2500 };
        let mut cx = Context::from_waker(Waker::noop());
        let mut read = 0;
        let end = loop {
            match stream.poll_data(&mut cx) {
                Poll::Ready(Ok(Some(data))) => read += data.len(),
                other => break other,
            }
        };
        assert!(matches!(end, Poll::Ready(Err(StreamErrorIncoming::StreamTerminated { error_code: 0x107 }))));
        assert_eq!((read, stream.inner.stopped), (2000, Some(0x107)));
    }
}
