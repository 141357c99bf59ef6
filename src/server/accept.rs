//! Accepts from one socket, to its very end: connections that the kernel had completed by then are served too.
//!
//! Invariants: no more connections are open than the config allows; a failed accept is never tried again at once for ever.

use super::bind::{Bound, Door, SocketFile};
use super::listener::Shared;
use super::{Answer, Event, conn};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::JoinSet;

/// Time for handshakes that have begun to complete before the socket closes: the kernel would reset what they bring.
const HANDSHAKE: Duration = Duration::from_millis(200);

/// A socket that accepts.
pub(super) enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener, Arc<SocketFile>),
}

/// A connection, fresh from its socket.
pub(super) enum Accepted {
    Tcp(TcpStream, SocketAddr),
    Unix(UnixStream),
}

impl Listener {
    pub(super) fn new(bound: Bound) -> io::Result<Self> {
        match bound {
            Bound::Tcp(socket) => TcpListener::from_std(socket).map(Self::Tcp),
            Bound::Unix(socket, file) => UnixListener::from_std(socket).map(|socket| Self::Unix(socket, file)),
        }
    }

    async fn accept(&self) -> io::Result<Accepted> {
        match self {
            Self::Tcp(listener) => listener.accept().await.map(|(stream, from)| Accepted::Tcp(stream, from)),
            Self::Unix(listener, _) => listener.accept().await.map(|(stream, _)| Accepted::Unix(stream)),
        }
    }

    /// Closes the socket and gives the connections that the kernel had completed by then: it would reset those, requests
    /// and all.
    fn last(self) -> Vec<Accepted> {
        // Asked directly: what the runtime has not been told of yet is waiting all the same.
        match self {
            Self::Tcp(listener) => {
                let Ok(listener) = listener.into_std() else { return Vec::new() };
                waiting(|| {
                    let (stream, from) = listener.accept()?;
                    stream.set_nonblocking(true)?;
                    Ok(Accepted::Tcp(TcpStream::from_std(stream)?, from))
                })
            }
            Self::Unix(listener, file) => {
                file.remove();
                let Ok(listener) = listener.into_std() else { return Vec::new() };
                waiting(|| {
                    let (stream, _) = listener.accept()?;
                    stream.set_nonblocking(true)?;
                    UnixStream::from_std(stream).map(Accepted::Unix)
                })
            }
        }
    }
}

fn waiting(mut accept: impl FnMut() -> io::Result<Accepted>) -> Vec<Accepted> {
    let mut found = Vec::new();
    loop {
        match accept() {
            Ok(accepted) => found.push(accepted),
            Err(error) if matches!(error.kind(), io::ErrorKind::Interrupted | io::ErrorKind::ConnectionAborted) => {}
            Err(_empty_or_out_of_files) => return found,
        }
    }
}

/// Lets no handshake begin any more, so that none can complete between the last accept and the close. Whoever tries meanwhile
/// is answered when it tries again: by the process that has taken over, or with a refusal, having sent nothing.
#[cfg(target_os = "linux")]
fn refuse_more(listener: &TcpListener) {
    // Packets with SYN (RFC 9293, 3.1: bit 1 of byte 13 of the header) are dropped, all others taken whole. What connections
    // inherit of it does them no harm.
    let drop_first = [
        socket2::SockFilter::new(0x30, 0, 0, 13),
        socket2::SockFilter::new(0x45, 0, 1, 0x02),
        socket2::SockFilter::new(0x06, 0, 0, 0),
        socket2::SockFilter::new(0x06, 0, 0, u32::MAX),
    ];
    if let Err(error) = socket2::SockRef::from(listener).attach_filter(&drop_first) {
        tracing::debug!(%error, "connections may be lost while the socket closes");
    }
}

#[cfg(not(target_os = "linux"))]
fn refuse_more(_: &TcpListener) {}

/// Accepts and serves until the server stops and all connections have ended.
pub(super) async fn run<A: Answer>(listener: Listener, door: Door, shared: Arc<Shared<A>>) {
    let mut open = JoinSet::new();
    let mut pause = Pause::default();
    loop {
        let accepted = tokio::select! {
            biased;
            () = shared.stop.stopped() => break,
            accepted = listener.accept() => accepted,
            Some(_ended) = open.join_next() => continue,
        };
        match accepted {
            Ok(accepted) => {
                pause = Pause::default();
                // At the cap this one connection waits here and the others in the kernel's queue. A permit taken before
                // would be kept by a thread to which the kernel sends nobody.
                let permit = tokio::select! {
                    biased;
                    permit = Arc::clone(&shared.connections).acquire_owned() => permit.ok(),
                    () = shared.stop.stopped() => None,
                };
                drop(open.spawn(one(accepted, door.clone(), Arc::clone(&shared), permit)));
            }
            Err(error) => pause.after(&error).await,
        }
    }
    if let Listener::Tcp(tcp) = &listener {
        refuse_more(tcp);
        let rest = tokio::time::sleep(HANDSHAKE);
        tokio::pin!(rest);
        while let Some(Ok(accepted)) = tokio::select! {
            biased;
            accepted = listener.accept() => Some(accepted),
            () = &mut rest => None,
        } {
            open.spawn(one(accepted, door.clone(), Arc::clone(&shared), None));
        }
    }
    for accepted in listener.last() {
        open.spawn(one(accepted, door.clone(), Arc::clone(&shared), None));
    }
    while open.join_next().await.is_some() {}
}

async fn one<A: Answer>(accepted: Accepted, door: Door, shared: Arc<Shared<A>>, permit: Option<OwnedSemaphorePermit>) {
    shared.app.note(Event::Opened);
    conn::serve(accepted, &door, &shared).await;
    shared.app.note(Event::Closed);
    drop(permit);
}

/// Waits longer from one failed accept to the next: without files or memory left, a loop would only burn the core
/// that could free them.
struct Pause(Duration);

impl Default for Pause {
    fn default() -> Self {
        Self(Duration::from_millis(5))
    }
}

impl Pause {
    async fn after(&mut self, error: &io::Error) {
        use io::ErrorKind as K;
        // The peer's doing, not ours: the next connection may be fine.
        if matches!(error.kind(), K::ConnectionAborted | K::ConnectionReset | K::ConnectionRefused | K::Interrupted) {
            return;
        }
        tracing::warn!(%error, pause_ms = self.0.as_millis(), "cannot accept connections");
        tokio::time::sleep(self.0).await;
        self.0 = (self.0 * 2).min(Duration::from_secs(1));
    }
}
