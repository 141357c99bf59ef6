//! One UDP socket: accepts connections, makes clients prove their addresses when many come, and takes up other certificates.

use super::conn;
use crate::server::listener::Shared;
use crate::server::tls::{Handshakes, Settings, Tls};
use crate::server::{Address, Answer, Event, Handshake, Refusal};
use quinn::crypto::rustls::QuicServerConfig;
use quinn::{EndpointConfig, IdleTimeout, Incoming, ServerConfig, TokioRuntime, TransportConfig, VarInt};
use socket2::{Domain, Protocol, Socket, Type};
use std::io::{Error, Result};
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

/// Connections that have begun and that nobody has looked at yet. Each may keep [`BUFFER`] bytes of what came with it.
const INCOMING: usize = 1024;
const BUFFER: u64 = 16 << 10;
const ALL_BUFFERS: u64 = 8 << 20;

/// Control stream, two of QPACK, and what clients send to keep servers from relying on that.
const UNI_STREAMS: u32 = 8;

/// Requests have no bodies worth a window.
const RECEIVE_WINDOW: u32 = 64 << 10;

/// Time for goodbyes, besides twice the idle time.
const GONE: Duration = Duration::from_secs(5);

/// Longest wait for the goodbyes of all connections to be sent.
const GOODBYE: Duration = Duration::from_secs(2);

/// What the endpoints of all threads have in common: keys, limits. Clones share it.
#[derive(Clone)]
pub(in crate::server) struct Endpoints {
    endpoint: EndpointConfig,
    server: ServerConfig,
    /// Handshakes under way from which on clients first prove their addresses.
    retry_above: usize,
}

impl Endpoints {
    /// # Errors
    /// The TLS library lacks what QUIC begins with.
    pub(in crate::server) fn new(tls: &Tls, config: &crate::server::ServerConfig) -> Result<Self> {
        let mut transport = TransportConfig::default();
        transport
            .max_concurrent_bidi_streams(config.max_streams.into())
            .max_concurrent_uni_streams(UNI_STREAMS.into())
            .stream_receive_window(RECEIVE_WINDOW.into())
            .receive_window((RECEIVE_WINDOW * 4).into())
            .send_window(tls.config().quic.send_window)
            // Of clients that are gone; the others are told to go before that.
            .max_idle_timeout(IdleTimeout::try_from(config.idle_timeout * 2 + GONE).ok())
            .datagram_receive_buffer_size(None);
        let mut server = ServerConfig::with_crypto(Arc::new(crypto(&tls.credentials().settings())?));
        server
            .transport_config(Arc::new(transport))
            .max_incoming(INCOMING)
            .incoming_buffer_size(BUFFER)
            .incoming_buffer_size_total(ALL_BUFFERS);
        let mut endpoint = EndpointConfig::default();
        let key = rand_key();
        endpoint.cid_generator(move || Box::new(quinn_proto::HashedConnectionIdGenerator::from_key(key)));
        Ok(Self { endpoint, server, retry_above: tls.config().quic.retry_above })
    }

    fn with(&self, settings: &Settings) -> Result<ServerConfig> {
        let mut server = self.server.clone();
        server.crypto = Arc::new(crypto(settings)?);
        Ok(server)
    }

    /// Accepts and serves until the server stops and all connections have ended.
    pub(in crate::server) async fn run<A: Answer>(self, socket: UdpSocket, shared: Arc<Shared<A>>) {
        let Some(handshakes) = shared.handshakes.clone() else { return };
        let (address, segments) = (socket.local_addr().ok(), segments(&socket));
        let made = self.with(&handshakes.credentials().settings()).and_then(|server| {
            quinn::Endpoint::new(self.endpoint.clone(), Some(server), socket, Arc::new(TokioRuntime))
        });
        let endpoint = match made {
            Ok(endpoint) => endpoint,
            Err(error) => return tracing::error!(%error, "a UDP socket could not be used"),
        };
        tracing::debug!(?address, segments, "HTTP/3: packets that the kernel sends at once (GSO)");
        let (mut open, mut changes) = (JoinSet::new(), handshakes.credentials().changes());
        loop {
            tokio::select! {
                biased;
                () = shared.stop.stopped() => break,
                incoming = endpoint.accept() => match incoming {
                    Some(incoming) => match must_retry(&incoming, &handshakes, self.retry_above) {
                        // Fails only for those who have proved it.
                        true => drop(incoming.retry()),
                        false => admit(incoming, &mut open, &handshakes, &shared),
                    },
                    None => break,
                },
                Some(_ended) = open.join_next() => {}
                Ok(()) = changes.changed() => {
                    let settings = changes.borrow_and_update().clone();
                    match self.with(&settings) {
                        Ok(server) => endpoint.set_server_config(Some(server)),
                        Err(error) => tracing::error!(%error, "HTTP/3 goes on with the certificates of before"),
                    }
                }
            }
        }
        // Who tries now is refused at once.
        endpoint.set_server_config(None);
        while open.join_next().await.is_some() {}
        let _sent_or_elapsed = tokio::time::timeout(GOODBYE, endpoint.wait_idle()).await;
    }
}

/// Unguessable, so that nobody can make up connection ids that we answer.
fn rand_key() -> u64 {
    use std::hash::{BuildHasher as _, RandomState};
    RandomState::new().hash_one(0)
}

fn crypto(settings: &Settings) -> Result<QuicServerConfig> {
    QuicServerConfig::try_from(Arc::clone(&settings.quic)).map_err(Error::other)
}

/// Binds the UDP socket of one thread.
///
/// # Errors
/// The port is taken, or not ours.
pub(in crate::server) fn bind(address: SocketAddr, share: bool, buffer: usize) -> Result<UdpSocket> {
    let open = || {
        let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
        if share {
            socket.set_reuse_port(true)?;
        }
        socket.set_nonblocking(true)?;
        // The kernel takes what it allows.
        let _as_far_as_possible = (socket.set_recv_buffer_size(buffer), socket.set_send_buffer_size(buffer));
        socket.bind(&address.into())?;
        Ok(UdpSocket::from(socket))
    };
    open().map_err(|error: Error| {
        Error::new(error.kind(), format!("cannot listen on {} (UDP): {error}", Address::Ip(address)))
    })
}

fn segments(socket: &UdpSocket) -> usize {
    quinn::udp::UdpSocketState::new(socket.into()).map_or(1, |state| state.max_gso_segments())
}

/// Whether the address has to be proved first.
fn must_retry(incoming: &Incoming, handshakes: &Handshakes, above: usize) -> bool {
    !incoming.remote_address_validated() && handshakes.under_way() >= above
}

fn admit<A: Answer>(incoming: Incoming, open: &mut JoinSet<()>, handshakes: &Handshakes, shared: &Arc<Shared<A>>) {
    let Some(place) = handshakes.try_place() else {
        shared.app.note(Event::Refused(Refusal::Handshakes));
        return incoming.refuse();
    };
    let (shared, timeout) = (Arc::clone(shared), handshakes.timeout());
    open.spawn(async move {
        let shake = async { incoming.accept()?.await };
        let shaken = tokio::time::timeout(timeout, shake).await;
        drop(place);
        let result = match shaken {
            Ok(Ok(connection)) => {
                shared.app.note(Event::Handshake(Handshake::Quic));
                return enter(connection, &shared).await;
            }
            Ok(Err(error)) => {
                tracing::debug!(%error, "no QUIC handshake");
                Handshake::Failed
            }
            Err(_late) => Handshake::Late,
        };
        shared.app.note(Event::Handshake(result));
    });
}

/// Its address is proved: now it counts.
async fn enter<A: Answer>(connection: quinn::Connection, shared: &Arc<Shared<A>>) {
    let address = connection.remote_address().ip().to_canonical();
    let busy = |refusal| {
        shared.app.note(Event::Refused(refusal));
        connection.close(VarInt::from_u32(0x107), b"too many connections");
    };
    let Some(_place) = shared.enter(address) else { return busy(Refusal::ClientLimit) };
    let Ok(_permit) = Arc::clone(&shared.connections).try_acquire_owned() else { return busy(Refusal::Connections) };
    shared.app.note(Event::Opened);
    conn::serve(connection.clone(), address, shared).await;
    shared.app.note(Event::Closed);
}
