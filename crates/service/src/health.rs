//! The client side of the admin listener's probes, for `health` commands and container health checks.
//!
//! Blocking, and without a runtime: it has to work, and to be quick, where the server itself does not.
//! Invariant: it ends within the time given, whatever the other side sends.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::{ClientConnection, StreamOwned};

use crate::tls::Client;

/// Longest answer that is read, in bytes.
const ANSWER_LIMIT: u64 = 64 << 10;

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Probe {
    /// `/healthz`: does the process live?
    Live,
    /// `/readyz`: does it want requests?
    Ready,
}

impl Probe {
    /// The path of the probe on the admin listener.
    pub fn path(self) -> &'static str {
        match self {
            Self::Live => "/healthz",
            Self::Ready => "/readyz",
        }
    }
}

/// Why a probe failed.
#[derive(Debug)]
pub enum Unhealthy {
    /// Nothing answered, or not in time, or not in HTTP.
    Unreachable(io::Error),
    /// The server answered that it is not well.
    Refused {
        /// The status code of its answer.
        status: u16,
        /// The reason it gave.
        reason: String,
    },
}

impl fmt::Display for Unhealthy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(error) => write!(f, "no answer from the admin listener: {error}"),
            Self::Refused { status, reason } => write!(f, "{status}: {reason}"),
        }
    }
}

impl std::error::Error for Unhealthy {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unreachable(error) => Some(error),
            Self::Refused { .. } => None,
        }
    }
}

/// Which admin listener is asked.
#[derive(Clone, Debug)]
pub struct Target {
    /// An unspecified address (`0.0.0.0`, `::`) means this machine.
    pub address: SocketAddr,
    /// For listeners that tell nothing without.
    pub token: Option<String>,
    /// For those that speak TLS.
    pub tls: Option<Client>,
}

impl Target {
    /// In cleartext, and without a token.
    pub fn plain(address: SocketAddr) -> Self {
        Self { address, token: None, tls: None }
    }
}

/// Asks the admin listener. Returns the text of the answer.
///
/// # Errors
/// [`Unhealthy`] for every answer but 200, and for none within `limit`.
pub fn ask(target: &Target, probe: Probe, limit: Duration) -> Result<String, Unhealthy> {
    let answer = exchange(target, probe.path(), limit).map_err(Unhealthy::Unreachable)?;
    let (status, reason) = parse(&answer)
        .ok_or_else(|| Unhealthy::Unreachable(io::Error::new(io::ErrorKind::InvalidData, "the answer is not HTTP")))?;
    if status == 200 { Ok(reason) } else { Err(Unhealthy::Refused { status, reason }) }
}

/// Where an address that is bound can be asked: one for all (`0.0.0.0`, `::`) on this machine.
pub fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

fn exchange(target: &Target, path: &str, limit: Duration) -> io::Result<Vec<u8>> {
    let address = reachable(target.address);
    let socket = Bounded::connect(address, limit)?;
    let mut stream: Box<dyn Stream> = match &target.tls {
        None => Box::new(socket),
        Some(Client { config, name }) => {
            let session = ClientConnection::new(Arc::clone(config), name.clone()).map_err(io::Error::other)?;
            Box::new(StreamOwned::new(session, socket))
        }
    };
    let token = target.token.as_ref().map_or_else(String::new, |token| format!("Authorization: Bearer {token}\r\n"));
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n{token}Connection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.take(ANSWER_LIMIT).read_to_end(&mut answer)?;
    Ok(answer)
}

trait Stream: Read + Write {}

impl<S: Read + Write> Stream for S {}

/// A connection that ends at a time, however slowly the other side reads and writes.
struct Bounded {
    socket: TcpStream,
    deadline: Instant,
}

impl Bounded {
    fn connect(address: SocketAddr, limit: Duration) -> io::Result<Self> {
        let deadline = Instant::now() + limit;
        Ok(Self { socket: TcpStream::connect_timeout(&address, limit)?, deadline })
    }

    fn left(&self) -> io::Result<Option<Duration>> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(Some(left)) }
    }
}

impl Read for Bounded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.socket.set_read_timeout(self.left()?)?;
        self.socket.read(buffer).map_err(late)
    }
}

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.socket.set_write_timeout(self.left()?)?;
        self.socket.write(bytes).map_err(late)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.socket.flush()
    }
}

fn late(error: io::Error) -> io::Error {
    // The name that a timeout has on Unix.
    if error.kind() == io::ErrorKind::WouldBlock { io::ErrorKind::TimedOut.into() } else { error }
}

fn parse(answer: &[u8]) -> Option<(u16, String)> {
    let text = String::from_utf8_lossy(answer);
    let (head, body) = text.split_once("\r\n\r\n")?;
    let mut words = head.lines().next()?.split(' ');
    words.next().filter(|version| version.starts_with("HTTP/1."))?;
    Some((words.next()?.parse().ok()?, body.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    /// A server that sends `answer` to its one client, then holds the connection open for `hold`.
    fn answering(answer: &'static str, hold: Duration) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 1024]);
            let _ = stream.write_all(answer.as_bytes());
            std::thread::sleep(hold);
        });
        address
    }

    #[test]
    fn only_200_is_healthy() {
        let limit = Duration::from_secs(10);
        let well = answering("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nready\n", Duration::ZERO);
        assert_eq!(ask(&Target::plain(well), Probe::Ready, limit).unwrap(), "ready");
        let ill = answering("HTTP/1.1 503 Service Unavailable\r\n\r\ndraining\n", Duration::ZERO);
        let Err(Unhealthy::Refused { status: 503, reason }) = ask(&Target::plain(ill), Probe::Ready, limit) else {
            panic!("a refusal")
        };
        assert_eq!(reason, "draining");
        let noise = answering("SSH-2.0\r\n\r\n", Duration::ZERO);
        assert!(matches!(ask(&Target::plain(noise), Probe::Live, limit), Err(Unhealthy::Unreachable(_))));
    }

    #[test]
    fn a_silent_server_ends_at_the_limit() {
        let silent = answering("", Duration::from_secs(5));
        let begun = Instant::now();
        let Err(Unhealthy::Unreachable(error)) = ask(&Target::plain(silent), Probe::Live, Duration::from_millis(50))
        else {
            panic!("no answer")
        };
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(begun.elapsed() < Duration::from_secs(4));
    }

    #[test]
    fn a_closed_port_is_unreachable() {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        assert!(matches!(
            ask(&Target::plain(address), Probe::Live, Duration::from_secs(5)),
            Err(Unhealthy::Unreachable(_))
        ));
    }

    #[test]
    fn an_unspecified_address_means_this_machine() {
        assert_eq!(reachable("0.0.0.0:81".parse().unwrap()), "127.0.0.1:81".parse().unwrap());
        assert_eq!(reachable("[::]:81".parse().unwrap()), "[::1]:81".parse().unwrap());
    }
}
