//! The server's sockets and the threads that accept from them.
//!
//! `per-core`: one single-threaded runtime per core, each with its own sockets (SO_REUSEPORT): no work stealing, fewest
//! wake-ups per hit. `multi-thread`: one runtime, for few and busy connections, which the kernel would spread unevenly.

use super::bind::{self, Bound, Door};
use super::clients::{Clients, Place};
use super::config::{Runtime, ServerConfig};
use super::h3::{self, Endpoints};
use super::stop::Stop;
use super::tls::{Handshakes, Tls};
use super::{Address, Answer, accept};
use http::HeaderValue;
use service::drain::Drain;
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::thread;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// How often a port that the system chose for TCP may turn out to be taken for UDP.
const TRIES: usize = 16;

/// Seconds for which clients remember that there is HTTP/3.
const ALT_SVC_AGE: u32 = 86_400;

/// Sockets are shared (SO_REUSEPORT) also where one thread accepts: a process that takes over binds the same addresses before
/// this one lets go of them. Who starts a second one by mistake is stopped by the admin address, which is not shared.
const SHARE: bool = true;

/// Bound sockets that do not accept yet.
#[derive(Debug)]
pub struct Listeners {
    /// One set per thread.
    sets: Vec<Set>,
    places: Vec<Listening>,
    config: Arc<ServerConfig>,
    tls: Option<Tls>,
}

/// One thread's sockets.
#[derive(Debug, Default)]
struct Set {
    streams: Vec<(Bound, Door)>,
    quic: Vec<UdpSocket>,
}

/// A place where the server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listening {
    /// As bound: with the port that the system chose.
    pub address: Address,
    /// Whether by TLS.
    pub secure: bool,
}

/// What every connection shares.
pub(super) struct Shared<A> {
    pub(super) app: A,
    pub(super) config: Arc<ServerConfig>,
    pub(super) stop: Stop,
    pub(super) connections: Arc<Semaphore>,
    pub(super) handshakes: Option<Handshakes>,
    clients: Clients,
    drain: Drain,
}

impl<A> Shared<A> {
    /// A place for one more connection of this client; `None` where it has as many as it may.
    pub(super) fn enter(&self, client: IpAddr) -> Option<Place> {
        if self.config.trusted_proxies.iter().any(|network| network.contains(client)) {
            // It stands for many clients.
            return Some(Place::uncounted());
        }
        self.clients.enter(client)
    }
}

impl Listeners {
    /// Binds every address, for each thread that will accept.
    ///
    /// # Errors
    /// An address is taken, not ours, or privileged; the message names it.
    pub fn bind(config: &Arc<ServerConfig>, tls: Option<Tls>) -> io::Result<Self> {
        let threads = match config.runtime {
            Runtime::PerCore => config.threads(),
            Runtime::MultiThread => 1,
        };
        let mut sets: Vec<_> = std::iter::repeat_with(Set::default).take(threads).collect();
        let mut places = Vec::new();
        for address in &config.listen {
            let address = spread(&mut sets, bind::open(address, SHARE, config)?, address, &Door::Plain)?;
            places.push(Listening { address, secure: false });
        }
        for address in tls.iter().flat_map(|tls| &tls.config().listen) {
            let address = secure(&mut sets, address, config, tls.as_ref())?;
            places.push(Listening { address, secure: true });
        }
        Ok(Self { sets, places, config: Arc::clone(config), tls })
    }

    /// Where it listens, in the order of the config: cleartext first.
    #[must_use]
    pub fn places(&self) -> &[Listening] {
        &self.places
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
            connections: Arc::new(Semaphore::new(self.config.max_connections)),
            handshakes: self.tls.as_ref().map(|tls| Handshakes::new(tls.credentials().clone())),
            clients: Clients::new(self.config.max_connections_per_client),
            drain: drain.clone(),
        });
        let endpoints = self.tls.as_ref().map(|tls| Endpoints::new(tls, &self.config)).transpose()?;
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
            shared.app.served_on(runtime.handle());
            let (shared, endpoints) = (Arc::clone(&shared), endpoints.clone());
            thread::Builder::new().name(format!("accept-{number}")).spawn(move || {
                let _accepting = shared.drain.track();
                runtime.block_on(serve(set, endpoints, &shared));
            })?;
        }
        Ok(())
    }
}

/// Gives each set a socket like `first`; its address as bound.
fn spread(sets: &mut [Set], first: Bound, address: &Address, door: &Door) -> io::Result<Address> {
    // Port 0 is chosen once: the other threads share the port that the first got.
    let address = match &first {
        Bound::Tcp(socket) => Address::Ip(socket.local_addr()?),
        Bound::Unix(..) => address.clone(),
    };
    let (last, others) = sets.split_last_mut().expect("there is a thread");
    for set in others {
        set.streams.push((first.again(true)?, door.clone()));
    }
    last.streams.push((first, door.clone()));
    Ok(address)
}

/// The same behind TLS, and by UDP where there is HTTP/3.
fn secure(sets: &mut [Set], address: &Address, config: &ServerConfig, tls: Option<&Tls>) -> io::Result<Address> {
    let quic = tls.map(Tls::config).filter(|tls| tls.http3 && address.ip().is_some());
    for attempt in 1.. {
        let first = bind::open(address, SHARE, config)?;
        let (Some(quic), Bound::Tcp(socket)) = (quic, &first) else {
            return spread(sets, first, address, &Door::Tls(None));
        };
        let bound = socket.local_addr()?;
        let udp = |_| h3::bind(bound, SHARE, quic.quic.socket_buffer);
        let udp: Vec<_> = match (0..sets.len()).map(udp).collect::<io::Result<_>>() {
            Ok(udp) => udp,
            Err(_taken) if chosen_by_system(address) && attempt < TRIES => continue,
            Err(error) => return Err(error),
        };
        for (set, udp) in sets.iter_mut().zip(udp) {
            set.quic.push(udp);
        }
        let alt_svc = format!("h3=\":{}\"; ma={ALT_SVC_AGE}", quic.alt_svc_port.unwrap_or(bound.port()));
        let alt_svc = HeaderValue::try_from(alt_svc).expect("a port is ASCII");
        return spread(sets, first, address, &Door::Tls(Some(alt_svc)));
    }
    unreachable!("the last attempt returns")
}

fn chosen_by_system(address: &Address) -> bool {
    address.ip().as_ref().map(SocketAddr::port) == Some(0)
}

async fn serve<A: Answer>(set: Set, endpoints: Option<Endpoints>, shared: &Arc<Shared<A>>) {
    let mut loops = JoinSet::new();
    for (bound, door) in set.streams {
        match accept::Listener::new(bound) {
            Ok(listener) => drop(loops.spawn(accept::run(listener, door, Arc::clone(shared)))),
            Err(error) => tracing::error!(%error, "a listening socket could not be used"),
        }
    }
    for (socket, endpoints) in set.quic.into_iter().zip(std::iter::repeat(endpoints).flatten()) {
        loops.spawn(endpoints.run(socket, Arc::clone(shared)));
    }
    while loops.join_next().await.is_some() {}
}
