//! A picture of 200 MB by tus, over a socket, to the binary itself: cut off once by the network, once by the end of the server,
//! and whole in the end. Memory is looked at meanwhile.

mod issuer;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use issuer::{Issuer, peak};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};
use testkit::Process;
use testkit::wire::{self, Reply};

const MIB: u64 = 1 << 20;
/// Side of the picture: 24 bits for each of its pixels are 200 MB.
const SIDE: u32 = 8_168;
/// What looking at one picture may take (`ingest.inspect.memory`), here.
const PIXELS: u64 = 448 * MIB;
/// For connections, the allocator, SQLite.
const SLACK: u64 = 64 * MIB;

/// A bitmap (BITMAPINFOHEADER, bottom row first) whose columns change their colour.
fn bitmap() -> Vec<u8> {
    let row: Vec<u8> = (0..SIDE).flat_map(|x| [(x >> 5) as u8, (x >> 3) as u8, 90]).collect();
    let pixels = row.len() * SIDE as usize;
    let mut file = Vec::with_capacity(54 + pixels);
    file.extend_from_slice(b"BM");
    file.extend_from_slice(&u32::try_from(54 + pixels).expect("200 MB").to_le_bytes());
    file.extend_from_slice(&[0, 0, 0, 0, 54, 0, 0, 0, 40, 0, 0, 0]);
    file.extend_from_slice(&SIDE.to_le_bytes());
    file.extend_from_slice(&SIDE.to_le_bytes());
    file.extend_from_slice(&[1, 0, 24, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    file.extend_from_slice(&[0; 16]);
    (0..SIDE).for_each(|_| file.extend_from_slice(&row));
    file
}

fn serve(data: &Path, issuer: &Issuer) -> Process {
    let memory = format!("ingest.inspect.memory={}MiB", PIXELS / MIB);
    let more = ["ingest.max_bytes=256MiB", "ingest.inspect.workers=1", &memory, "ingest.inspect.deadline=2m"];
    issuer.serve(Path::new(env!("CARGO_BIN_EXE_tintype-ingest")), data, &more)
}

/// One upload, as its client sees it.
struct Upload {
    bytes: Vec<u8>,
    place: String,
    token: String,
}

impl Upload {
    fn begin(server: SocketAddr, bytes: Vec<u8>, token: String) -> Self {
        let (length, metadata) = (bytes.len().to_string(), format!("path {}", BASE64_STANDARD.encode("big.bmp")));
        let fields = [
            ("authorization", token.as_str()),
            ("tus-resumable", "1.0.0"),
            ("upload-length", &length),
            ("upload-metadata", &metadata),
            ("content-length", "0"),
        ];
        let begun = wire::ask(server, "POST", "/ingest/v1/uploads", &fields);
        assert_eq!(begun.status, 201, "{}", begun.text());
        Self { bytes, place: begun.field("location").to_owned(), token }
    }

    fn head(&self, server: SocketAddr) -> Reply {
        let fields = [("authorization", self.token.as_str()), ("tus-resumable", "1.0.0")];
        wire::ask(server, "HEAD", &self.place, &fields)
    }

    /// Where to go on, once the server has noticed that nobody writes any more.
    fn offset(&self, server: SocketAddr) -> usize {
        let told = self.head(server);
        assert_eq!(told.status, 200);
        told.field("upload-offset").parse().expect("a number")
    }

    /// Announces all that is missing, and tells from where on; again while the request before still holds the upload.
    fn resume(&self, server: SocketAddr) -> (TcpStream, usize) {
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(20) {
            let from = self.offset(server);
            let mut stream = TcpStream::connect(server).expect("it listens");
            let (offset, length) = (from.to_string(), (self.bytes.len() - from).to_string());
            let fields = [
                ("authorization", self.token.as_str()),
                ("tus-resumable", "1.0.0"),
                ("content-type", "application/offset+octet-stream"),
                ("upload-offset", &offset),
                ("content-length", &length),
            ];
            stream.write_all(wire::head("PATCH", &self.place, &fields).as_bytes()).expect("a head");
            stream.set_read_timeout(Some(Duration::from_millis(200))).expect("some time");
            let mut answer = [0; 12];
            match stream.read_exact(&mut answer) {
                Ok(()) => assert!([*b"HTTP/1.1 423", *b"HTTP/1.1 409"].contains(&answer), "{answer:?}"),
                Err(_) => {
                    stream.set_read_timeout(Some(Duration::from_secs(60))).expect("some time");
                    return (stream, from);
                }
            }
        }
        panic!("somebody else holds the upload for good");
    }
}

/// Waits until the offset has gone as far, whoever still writes.
fn until(upload: &Upload, server: SocketAddr, least: usize) -> usize {
    let began = Instant::now();
    loop {
        let at = upload.offset(server);
        if at >= least {
            return at;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "still at {at}, not at {least}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn an_upload_of_200_mb_survives_two_ends() {
    let data = tempfile::tempdir().unwrap();
    let issuer = Issuer::new();
    let bytes = bitmap();
    let (whole, expected) = (bytes.len(), catalog::ContentHash::of(&bytes));
    assert!(whole >= 200_000_000, "{whole}");

    let server = serve(data.path(), &issuer);
    let upload = Upload::begin(server.address, bytes, issuer.token.clone());
    let idle = server.resident();
    // The network ends it …
    let (mut stream, from) = upload.resume(server.address);
    assert_eq!(from, 0);
    stream.write_all(&upload.bytes[..whole / 3]).unwrap();
    drop(stream);
    let first = until(&upload, server.address, whole / 3 - 16 * MIB as usize);
    // … then the server, in the middle of the second part.
    let (mut stream, from) = upload.resume(server.address);
    assert!((first..=whole / 3).contains(&from), "{first}, {from}");
    stream.write_all(&upload.bytes[from..whole * 2 / 3]).unwrap();
    let second = until(&upload, server.address, whole * 2 / 3 - 16 * MIB as usize);
    let grown = peak(&server).saturating_sub(idle);
    assert!(grown < SLACK, "{} MiB more, while nothing is looked at", grown / MIB);
    drop(server);
    drop(stream);

    let server = serve(data.path(), &issuer);
    let idle = server.resident();
    let (mut stream, from) = upload.resume(server.address);
    assert!(from >= second, "what was told is there after the end of the server: {from}, {second}");
    stream.write_all(&upload.bytes[from..whole - 1]).unwrap();
    until(&upload, server.address, whole - 16 * MIB as usize);
    let grown = peak(&server).saturating_sub(idle);
    assert!(grown < SLACK, "{} MiB more, while nothing is looked at", grown / MIB);
    stream.write_all(&upload.bytes[whole - 1..]).unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).expect("an answer");
    assert_eq!(&answer, b"HTTP/1.1 204", "{}", server.log());
    let grown = peak(&server).saturating_sub(idle);
    let bound = 256 * MIB + PIXELS + SLACK;
    assert!(grown < bound, "{} MiB more, of {} at most", grown / MIB, bound / MIB);
    let kept = std::fs::read(data.path().join("store/names/main/big.bmp")).expect("published");
    assert_eq!(catalog::ContentHash::of(&kept), expected);
    println!("peak {} MiB above an idle server", grown / MIB);
}
