//! Listening sockets and the threads that accept from them.
//!
//! `per-core`: one single-threaded runtime per core, each with its own sockets (SO_REUSEPORT): no work stealing, fewest
//! wake-ups per hit. `multi-thread`: one runtime, for few and busy connections, which the kernel would spread unevenly.

use super::config::{Runtime, ServerConfig};
use super::stop::Stop;
use super::{Answer, Event, conn};
use service::drain::Drain;
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// Connections that the kernel completes for us while we are busy; it may cap this itself.
const BACKLOG: i32 = 4096;

/// Bound sockets that do not accept yet.
#[derive(Debug)]
pub struct Listeners {
    /// One set per thread.
    sets: Vec<Vec<std::net::TcpListener>>,
    config: Arc<ServerConfig>,
}

/// What every connection shares.
pub(super) struct Shared<A> {
    pub(super) app: A,
    pub(super) config: Arc<ServerConfig>,
    pub(super) stop: Stop,
    drain: Drain,
    connections: Arc<Semaphore>,
}

impl Listeners {
    /// Binds every address, for each thread that will accept.
    ///
    /// # Errors
    /// An address is taken, not ours, or privileged; the message names it.
    pub fn bind(config: &Arc<ServerConfig>) -> io::Result<Self> {
        let sets = match config.runtime {
            Runtime::PerCore => config.threads(),
            Runtime::MultiThread => 1,
        };
        let mut addresses = config.listen.clone();
        let mut bound = Vec::with_capacity(sets);
        for _ in 0..sets {
            let set: Vec<_> = addresses.iter().map(|&address| bind(address, sets > 1)).collect::<io::Result<_>>()?;
            // Port 0 is chosen once: the other threads share the port that the first got.
            for (address, socket) in addresses.iter_mut().zip(&set) {
                *address = socket.local_addr()?;
            }
            bound.push(set);
        }
        Ok(Self { sets: bound, config: Arc::clone(config) })
    }

    /// The addresses in fact bound.
    ///
    /// # Errors
    /// The system does not tell.
    pub fn addresses(&self) -> io::Result<Vec<SocketAddr>> {
        self.sets[0].iter().map(std::net::TcpListener::local_addr).collect()
    }

    /// Starts to accept and serve, on threads that end after `stop`; `drain` counts what is not finished by then.
    ///
    /// # Errors
    /// The system gives no thread or no runtime.
    pub fn start<A: Answer>(self, app: A, stop: &Stop, drain: &Drain) -> io::Result<()> {
        let shared = Arc::new(Shared {
            app,
            config: Arc::clone(&self.config),
            stop: stop.clone(),
            drain: drain.clone(),
            connections: Arc::new(Semaphore::new(self.config.max_connections)),
        });
        for (number, set) in self.sets.into_iter().enumerate() {
            let mut builder = match self.config.runtime {
                Runtime::PerCore => tokio::runtime::Builder::new_current_thread(),
                Runtime::MultiThread => tokio::runtime::Builder::new_multi_thread(),
            };
            if self.config.runtime == Runtime::MultiThread {
                builder.worker_threads(self.config.threads());
            }
            let blocking = (self.config.file_threads / self.config.threads().max(1)).max(2);
            let runtime = builder.enable_all().max_blocking_threads(blocking).thread_name("socket").build()?;
            let shared = Arc::clone(&shared);
            thread::Builder::new().name(format!("accept-{number}")).spawn(move || {
                let _accepting = shared.drain.track();
                runtime.block_on(serve(set, &shared));
            })?;
        }
        Ok(())
    }
}

fn bind(address: SocketAddr, share: bool) -> io::Result<std::net::TcpListener> {
    let open = || {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_reuse_address(true)?;
        if share {
            socket.set_reuse_port(true)?;
        }
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        Ok(socket.into())
    };
    open().map_err(|error: io::Error| io::Error::new(error.kind(), format!("cannot listen on {address}: {error}")))
}

async fn serve<A: Answer>(set: Vec<std::net::TcpListener>, shared: &Arc<Shared<A>>) {
    let mut loops = JoinSet::new();
    for listener in set {
        match TcpListener::from_std(listener) {
            Ok(listener) => drop(loops.spawn(accept(listener, Arc::clone(shared)))),
            Err(error) => tracing::error!(%error, "a listening socket could not be used"),
        }
    }
    while loops.join_next().await.is_some() {}
}

async fn accept<A: Answer>(listener: TcpListener, shared: Arc<Shared<A>>) {
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
            Ok((stream, peer)) => {
                pause = Pause::default();
                // At the cap this one connection waits here and the others in the kernel's queue. A permit taken before
                // would be kept by a thread to which the kernel sends nobody.
                let permit = tokio::select! {
                    biased;
                    permit = Arc::clone(&shared.connections).acquire_owned() => permit.ok(),
                    () = shared.stop.stopped() => None,
                };
                drop(open.spawn(one(stream, peer, Arc::clone(&shared), permit)));
            }
            Err(error) => pause.after(&error).await,
        }
    }
    for (stream, peer) in last(listener) {
        open.spawn(one(stream, peer, Arc::clone(&shared), None));
    }
    while open.join_next().await.is_some() {}
}

/// Closes the socket and gives the connections that the kernel had completed by then: it would reset those, requests and
/// all.
fn last(listener: TcpListener) -> Vec<(TcpStream, SocketAddr)> {
    refuse_more(&listener);
    let mut found = Vec::new();
    // Asked directly: what the runtime has not been told of yet is waiting all the same.
    let Ok(listener) = listener.into_std() else { return found };
    loop {
        match listener.accept() {
            Ok((stream, peer)) => {
                // A connection that came into being at that very moment may have inherited the filter.
                #[cfg(target_os = "linux")]
                let _none_inherited = socket2::SockRef::from(&stream).detach_filter();
                let stream = stream.set_nonblocking(true).and_then(|()| TcpStream::from_std(stream));
                found.extend(stream.ok().map(|stream| (stream, peer)));
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::Interrupted | io::ErrorKind::ConnectionAborted) => {}
            Err(_empty_or_out_of_files) => return found,
        }
    }
}

/// Lets no handshake complete any more, so that none can between the last accept and the close. Whoever tries meanwhile
/// is refused when it tries again, having sent nothing.
#[cfg(target_os = "linux")]
fn refuse_more(listener: &TcpListener) {
    // The shortest program of a socket filter: return 0, which takes no byte of any packet.
    let drop_all = [socket2::SockFilter::new(0x06, 0, 0, 0)];
    if let Err(error) = socket2::SockRef::from(listener).attach_filter(&drop_all) {
        tracing::debug!(%error, "connections may be lost while the socket closes");
    }
}

#[cfg(not(target_os = "linux"))]
fn refuse_more(_: &TcpListener) {}

async fn one<A: Answer>(
    stream: TcpStream,
    peer: SocketAddr,
    shared: Arc<Shared<A>>,
    permit: Option<tokio::sync::OwnedSemaphorePermit>,
) {
    shared.app.note(Event::Opened);
    conn::serve(stream, peer.ip(), &shared).await;
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
