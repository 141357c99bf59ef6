//! A collector of telemetry: takes what is sent by OTLP over HTTP, and reads Protocol Buffers by field numbers.
//!
//! Knows the encoding and no message: what a field means is the test's business. Answers 401 to whoever does not say
//! `Bearer let-me-in`.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

/// A running collector.
#[derive(Debug)]
pub struct Collector {
    /// For `otlp.endpoint`.
    pub endpoint: String,
    received: Receiver<(String, Vec<u8>)>,
}

/// A field of a message as it stands on the wire.
#[derive(Clone, Debug)]
enum Wire {
    Number(u64),
    Bytes(Vec<u8>),
}

impl Collector {
    /// Listens on a port that the system chooses.
    ///
    /// # Panics
    /// Where it cannot.
    #[must_use]
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let endpoint = format!("http://{}", listener.local_addr().expect("bound"));
        let (taken, received) = sync_channel(64);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let mut reader = BufReader::new(stream);
                let (mut path, mut length, mut authorized) = (String::new(), 0, false);
                for line in reader.by_ref().lines().map_while(Result::ok).take_while(|line| !line.is_empty()) {
                    if let Some(rest) = line.strip_prefix("POST ") {
                        path = rest.split(' ').next().unwrap_or_default().to_owned();
                    }
                    let line = line.to_ascii_lowercase();
                    if let Some(value) = line.strip_prefix("content-length: ") {
                        length = value.parse().expect("a length");
                    }
                    authorized |= line == "authorization: bearer let-me-in";
                }
                let mut body = vec![0; length];
                if reader.read_exact(&mut body).is_err() {
                    continue;
                }
                let status = if authorized { "200 OK" } else { "401 Unauthorized" };
                let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
                let _gone = reader.get_mut().write_all(answer.as_bytes());
                if taken.send((path, body)).is_err() {
                    return;
                }
            }
        });
        Self { endpoint, received }
    }

    /// Path and body of the next request.
    ///
    /// # Panics
    /// Where there is none within twenty seconds.
    #[must_use]
    pub fn next(&self) -> (String, Vec<u8>) {
        self.received.recv_timeout(Duration::from_secs(20)).expect("a request to the collector")
    }
}

/// All fields of a message, in order. Knows the encoding only.
fn read(mut bytes: &[u8]) -> Vec<(u64, Wire)> {
    fn varint(bytes: &mut &[u8]) -> u64 {
        let mut value = 0;
        for shift in (0..).step_by(7) {
            let (&first, rest) = bytes.split_first().expect("a whole number");
            *bytes = rest;
            value |= u64::from(first & 0x7F) << shift;
            if first < 0x80 {
                break;
            }
        }
        value
    }
    fn take<'b>(bytes: &mut &'b [u8], count: usize) -> &'b [u8] {
        let (taken, rest) = bytes.split_at(count);
        *bytes = rest;
        taken
    }
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let tag = varint(&mut bytes);
        let value = match tag & 7 {
            0 => Wire::Number(varint(&mut bytes)),
            1 => Wire::Number(u64::from_le_bytes(take(&mut bytes, 8).try_into().expect("eight bytes"))),
            2 => {
                let length = varint(&mut bytes) as usize;
                Wire::Bytes(take(&mut bytes, length).to_vec())
            }
            5 => Wire::Number(u32::from_le_bytes(take(&mut bytes, 4).try_into().expect("four bytes")).into()),
            other => panic!("wire type {other}"),
        };
        fields.push((tag >> 3, value));
    }
    fields
}

/// All values of a field that is bytes, a text or a message.
#[must_use]
pub fn all(message: &[u8], field: u64) -> Vec<Vec<u8>> {
    let of = |(number, value)| match value {
        Wire::Bytes(bytes) if number == field => Some(bytes),
        _ => None,
    };
    read(message).into_iter().filter_map(of).collect()
}

/// The first of them; empty where there is none.
#[must_use]
pub fn one(message: &[u8], field: u64) -> Vec<u8> {
    all(message, field).into_iter().next().unwrap_or_default()
}

/// A number, of whatever wire type: `double`s as their bits.
#[must_use]
pub fn number(message: &[u8], field: u64) -> Option<u64> {
    read(message).into_iter().find_map(|(number, value)| match value {
        Wire::Number(value) if number == field => Some(value),
        _ => None,
    })
}

/// The first as a text.
///
/// # Panics
/// Where it is none.
#[must_use]
pub fn text(message: &[u8], field: u64) -> String {
    String::from_utf8(one(message, field)).expect("UTF-8")
}

/// `KeyValue`s (key 1, value 2) with texts (1).
#[must_use]
pub fn attributes(message: &[u8], field: u64) -> Vec<(String, String)> {
    all(message, field).iter().map(|pair| (text(pair, 1), text(&one(pair, 2), 1))).collect()
}
