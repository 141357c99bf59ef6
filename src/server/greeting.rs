//! Whether a cleartext connection speaks HTTP/2: by prior knowledge (RFC 9113 §3.3), since nothing else announces it.
//!
//! Invariant: what was looked at can still be read.

use std::io::{Cursor, Result};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, Chain, Join, join};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpStream, UnixStream};

/// How HTTP/2 begins; no method that we answer does.
const PREFACE: &[u8; 4] = b"PRI ";

/// A Unix socket's connection with its first bytes put back.
pub(super) type PutBack = Join<Chain<Cursor<Vec<u8>>, OwnedReadHalf>, OwnedWriteHalf>;

/// Waits for enough to tell.
pub(super) async fn is_h2(stream: &TcpStream) -> Result<bool> {
    let mut start = [0; PREFACE.len()];
    loop {
        let seen = stream.peek(&mut start).await?;
        if let Some(known) = known(&start[..seen]) {
            return Ok(known);
        }
        // One to three bytes of it: rare enough to poll for the rest.
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// The same for sockets that cannot be peeked into.
pub(super) async fn read(mut stream: UnixStream) -> Result<(bool, PutBack)> {
    let (mut start, mut seen) = ([0; PREFACE.len()], 0);
    let h2 = loop {
        let read = stream.read(&mut start[seen..]).await?;
        seen += read;
        if read == 0 {
            break false;
        }
        if let Some(known) = known(&start[..seen]) {
            break known;
        }
    };
    let (reader, writer) = stream.into_split();
    Ok((h2, join(Cursor::new(start[..seen].to_vec()).chain(reader), writer)))
}

/// `None` where more has to come first. The end of a connection is no HTTP/2.
fn known(start: &[u8]) -> Option<bool> {
    match start.len() {
        0 => Some(false),
        seen if *start != PREFACE[..seen] => Some(false),
        seen => (seen == PREFACE.len()).then_some(true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_bytes_tell() {
        for (start, h2) in [
            ("PRI ", Some(true)),
            ("PRI", None),
            ("P", None),
            ("PUT", Some(false)),
            ("G", Some(false)),
            ("", Some(false)),
        ] {
            assert_eq!(known(start.as_bytes()), h2, "{start}");
        }
    }
}
