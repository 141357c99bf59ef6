//! The PROXY protocol, version 2 (the binary one): what a balancer says in front of a connection, so that we know the
//! client's address and not only its own.
//! <https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt>, section 2.2.
//!
//! Invariants: nothing is read beyond the header; what is not exactly a header is refused, never guessed at; no allocation.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use tokio::io::{AsyncRead, AsyncReadExt as _};

/// What a header begins with. It is no HTTP and no TLS.
pub const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";

/// The signature, version and command, family and transport, length.
pub const START: usize = 16;

/// Bytes of addresses and extensions that are read. Balancers send a few dozen, or some hundred where they describe TLS.
pub const MOST: usize = 4096;

/// Why a connection does not begin as its balancer was configured to begin it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyError {
    /// No signature: another protocol, or none.
    Signature,
    /// The text form, version 1.
    VersionOne,
    /// Neither version 2, nor a command that it knows.
    Version,
    /// Not a stream: a datagram cannot be before a connection.
    Transport,
    /// Shorter than the addresses that it says it has.
    Short,
    /// Longer than [`MOST`].
    Long,
}

impl fmt::Display for ProxyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Signature => "no PROXY protocol in front of the connection",
            Self::VersionOne => "version 1 of the PROXY protocol; set the balancer to version 2",
            Self::Version => "an unknown version or command of the PROXY protocol",
            Self::Transport => "a PROXY header for datagrams",
            Self::Short => "a PROXY header that is shorter than its addresses",
            Self::Long => "a PROXY header that is too long",
        })
    }
}

impl std::error::Error for ProxyError {}

/// What the first [`START`] bytes announce.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Announced {
    family: Family,
    /// Bytes that follow.
    pub length: usize,
}

/// Whose addresses follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    /// Nobody's: the balancer speaks for itself, or does not know. The socket's address counts.
    None,
    V4,
    V6,
}

/// Reads the fixed part.
///
/// # Errors
/// See [`ProxyError`].
pub fn start(bytes: &[u8; START]) -> Result<Announced, ProxyError> {
    let (signature, rest) = bytes.split_at(SIGNATURE.len());
    if signature != SIGNATURE {
        return Err(if bytes.starts_with(b"PROXY ") { ProxyError::VersionOne } else { ProxyError::Signature });
    }
    let &[command, family, high, low] = rest else { return Err(ProxyError::Signature) };
    let length = usize::from(u16::from_be_bytes([high, low]));
    let local = match command {
        0x20 => true,
        0x21 => false,
        _ => return Err(ProxyError::Version),
    };
    if length > MOST {
        return Err(ProxyError::Long);
    }
    let family = match family {
        _ if local => Family::None,
        0x00 | 0x31 => Family::None,
        0x11 => Family::V4,
        0x21 => Family::V6,
        0x12 | 0x22 | 0x32 => return Err(ProxyError::Transport),
        // Values that the specification does not assign must be refused.
        _ => return Err(ProxyError::Version),
    };
    Ok(Announced { family, length })
}

/// Reads the client's address out of what follows; `None` where the socket's own counts. Extensions are not looked at.
///
/// # Errors
/// See [`ProxyError`].
pub fn client(announced: Announced, bytes: &[u8]) -> Result<Option<IpAddr>, ProxyError> {
    if bytes.len() != announced.length {
        return Err(ProxyError::Short);
    }
    // Source and destination, two ports behind them.
    match announced.family {
        Family::None => Ok(None),
        Family::V4 => {
            let (source, rest) = bytes.split_first_chunk::<4>().ok_or(ProxyError::Short)?;
            if rest.len() < 8 {
                return Err(ProxyError::Short);
            }
            Ok(Some(Ipv4Addr::from(*source).into()))
        }
        Family::V6 => {
            let (source, rest) = bytes.split_first_chunk::<16>().ok_or(ProxyError::Short)?;
            if rest.len() < 20 {
                return Err(ProxyError::Short);
            }
            Ok(Some(IpAddr::from(Ipv6Addr::from(*source)).to_canonical()))
        }
    }
}

/// Reads a whole header, and nothing behind it.
///
/// # Errors
/// What comes is none (`InvalidData`), or the connection ends.
pub(super) async fn read<S: AsyncRead + Unpin>(stream: &mut S) -> std::io::Result<Option<IpAddr>> {
    let bad = |error: ProxyError| std::io::Error::new(std::io::ErrorKind::InvalidData, error);
    let mut fixed = [0; START];
    stream.read_exact(&mut fixed).await?;
    let announced = start(&fixed).map_err(bad)?;
    let mut rest = [0; MOST];
    let rest = &mut rest[..announced.length];
    stream.read_exact(rest).await?;
    client(announced, rest).map_err(bad)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn header(command: u8, family: u8, body: &[u8]) -> Vec<u8> {
        let length = u16::try_from(body.len()).unwrap().to_be_bytes();
        [&SIGNATURE[..], &[command, family], &length, body].concat()
    }

    fn parse(bytes: &[u8]) -> Result<Option<IpAddr>, ProxyError> {
        let (fixed, rest) = bytes.split_first_chunk::<START>().ok_or(ProxyError::Short)?;
        client(start(fixed)?, rest)
    }

    /// 192.0.2.7:4242 → 198.51.100.1:443, as the specification lays it out.
    const FOUR: [u8; 12] = [192, 0, 2, 7, 198, 51, 100, 1, 0x10, 0x92, 0x01, 0xbb];

    #[test]
    fn addresses_are_read() {
        let expected = Ok(Some("192.0.2.7".parse().unwrap()));
        assert_eq!(parse(&header(0x21, 0x11, &FOUR)), expected);
        let with_extensions = [&FOUR[..], &[0x04, 0, 3, 1, 2, 3]].concat();
        assert_eq!(parse(&header(0x21, 0x11, &with_extensions)), expected);
        let source: Ipv6Addr = "2001:db8::7".parse().unwrap();
        let six = [&source.octets()[..], &[0; 20]].concat();
        assert_eq!(parse(&header(0x21, 0x21, &six)), Ok(Some(source.into())));
        let mapped: Ipv6Addr = "::ffff:192.0.2.7".parse().unwrap();
        let six = [&mapped.octets()[..], &[0; 20]].concat();
        assert_eq!(parse(&header(0x21, 0x21, &six)), expected);
    }

    #[test]
    fn where_nobody_is_named_the_socket_counts() {
        for bytes in
            [header(0x20, 0x11, &FOUR), header(0x20, 0, &[]), header(0x21, 0, &[1, 2]), header(0x21, 0x31, &[0; 216])]
        {
            assert_eq!(parse(&bytes), Ok(None), "{bytes:02x?}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for (bytes, error) in [
            (header(0x21, 0x11, &FOUR[..11]), ProxyError::Short),
            (header(0x21, 0x21, &FOUR), ProxyError::Short),
            (header(0x21, 0x12, &FOUR), ProxyError::Transport),
            (header(0x21, 0x13, &FOUR), ProxyError::Version),
            (header(0x21, 0x41, &FOUR), ProxyError::Version),
            (header(0x22, 0x11, &FOUR), ProxyError::Version),
            (header(0x11, 0x11, &FOUR), ProxyError::Version),
            (header(0x21, 0x11, &[0; MOST + 1]), ProxyError::Long),
            (b"PROXY TCP4 192.0.2.7 198.51.100.1 4242 443\r\n".to_vec(), ProxyError::VersionOne),
            (b"GET / HTTP/1.1\r\nhost: a\r\n\r\n".to_vec(), ProxyError::Signature),
        ] {
            assert_eq!(parse(&bytes), Err(error), "{bytes:02x?}");
        }
    }

    #[tokio::test]
    async fn nothing_behind_the_header_is_read() {
        let bytes = [header(0x21, 0x11, &FOUR), b"GET /".to_vec()].concat();
        let mut stream = &bytes[..];
        assert_eq!(read(&mut stream).await.unwrap(), Some("192.0.2.7".parse().unwrap()));
        assert_eq!(stream, b"GET /");
        let mut cut = &bytes[..20];
        assert_eq!(read(&mut cut).await.unwrap_err().kind(), std::io::ErrorKind::UnexpectedEof);
    }

    proptest! {
        #[test]
        fn whatever_comes_does_not_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _any = parse(&bytes);
        }

        /// Past the signature too, where random bytes hardly get.
        #[test]
        fn whatever_follows_the_signature_does_not_panic(
            command in any::<u8>(), family in any::<u8>(), body in proptest::collection::vec(any::<u8>(), 0..300),
        ) {
            let bytes = header(command, family, &body);
            if let Ok(Some(_)) = parse(&bytes) {
                prop_assert_eq!(command, 0x21);
                prop_assert!(matches!((family, body.len()), (0x11, 12..) | (0x21, 36..)));
            }
        }

        #[test]
        fn every_source_is_found(source in any::<[u8; 4]>(), rest in any::<[u8; 8]>(), more in proptest::collection::vec(any::<u8>(), 0..64)) {
            let body = [&source[..], &rest, &more].concat();
            prop_assert_eq!(parse(&header(0x21, 0x11, &body)), Ok(Some(IpAddr::from(source))));
        }
    }
}
