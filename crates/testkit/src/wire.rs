//! An HTTP/1.1 client that sends the bytes it is given, also wrong ones, and shows what came back byte for byte.
//!
//! It blocks, one socket per [`Connection`]; many can be open at once: send on all, then read all. Every read has a
//! limit, so that a server that hangs is a failed test.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

/// Longest wait for a byte.
const PATIENCE: Duration = Duration::from_secs(60);

/// A response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// `HTTP/1.1`.
    pub version: String,
    /// Such as 200.
    pub status: u16,
    /// Names in lower case, in the order sent.
    pub headers: Vec<(String, String)>,
    /// As sent.
    pub body: Vec<u8>,
}

impl Reply {
    /// The value of a field; the first where there are several.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// The value of a field that must be there.
    ///
    /// # Panics
    /// Where it is not.
    #[must_use]
    pub fn field(&self, name: &str) -> &str {
        self.header(name).unwrap_or_else(|| panic!("no {name} in {} {:?}", self.status, self.headers))
    }

    /// The body as text, for messages.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// One connection.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// Refused, or no port is left.
    pub fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::new() })
    }

    /// Sends these bytes.
    ///
    /// # Errors
    /// The peer has left.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.stream.write_all(bytes.as_ref())
    }

    /// Sends a request without a body.
    ///
    /// # Errors
    /// The peer has left.
    pub fn request(&mut self, method: &str, target: &str, fields: &[(&str, &str)]) -> io::Result<()> {
        self.send(head(method, target, fields))
    }

    /// Reads one response. `method` tells whether a body follows (not after HEAD).
    ///
    /// # Errors
    /// The connection ended or hung before the response was whole.
    pub fn reply(&mut self, method: &str) -> io::Result<Reply> {
        let end = loop {
            if let Some(end) = self.buffer.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break end + 4;
            }
            self.more()?;
        };
        let head: Vec<u8> = self.buffer.drain(..end).collect();
        let mut reply = parse(&String::from_utf8_lossy(&head)).ok_or_else(|| bad("the head is no HTTP/1"))?;
        if method == "HEAD" || matches!(reply.status, 204 | 304) {
            return Ok(reply);
        }
        if let Some(length) = reply.header("content-length") {
            let length: usize = length.parse().map_err(|_| bad("Content-Length is no number"))?;
            while self.buffer.len() < length {
                self.more()?;
            }
            reply.body = self.buffer.drain(..length).collect();
        } else {
            while self.more().is_ok() {}
            reply.body = std::mem::take(&mut self.buffer);
        }
        Ok(reply)
    }

    /// A request and its response.
    ///
    /// # Errors
    /// The connection ended before the response was whole.
    pub fn ask(&mut self, method: &str, target: &str, fields: &[(&str, &str)]) -> io::Result<Reply> {
        self.request(method, target, fields)?;
        self.reply(method)
    }

    /// Reads what comes next, at most `limit` bytes; none at the connection's end.
    ///
    /// # Errors
    /// A reset, or no byte for too long.
    pub fn read(&mut self, limit: usize) -> io::Result<Vec<u8>> {
        if self.buffer.is_empty() {
            self.fill(limit)?;
        }
        let end = self.buffer.len().min(limit);
        Ok(self.buffer.drain(..end).collect())
    }

    /// Waits for the server to end the connection; true when it did so without another byte. A reset is an end too.
    #[must_use]
    pub fn is_ended(&mut self) -> bool {
        match self.fill(4096) {
            Ok(read) => read == 0 && self.buffer.is_empty(),
            Err(error) => !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
        }
    }

    /// How long a read may wait.
    ///
    /// # Panics
    /// For a zero duration.
    pub fn patience(&self, patience: Duration) {
        self.stream.set_read_timeout(Some(patience)).expect("a duration above zero");
    }

    /// Sends no more; what comes can still be read.
    ///
    /// # Errors
    /// The peer has left.
    pub fn finish(&self) -> io::Result<()> {
        self.stream.shutdown(Shutdown::Write)
    }

    fn more(&mut self) -> io::Result<()> {
        match self.fill(64 << 10)? {
            0 => Err(ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }

    fn fill(&mut self, limit: usize) -> io::Result<usize> {
        let before = self.buffer.len();
        self.buffer.resize(before + limit, 0);
        let read = loop {
            match self.stream.read(&mut self.buffer[before..]) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                other => break other,
            }
        };
        self.buffer.truncate(before + *read.as_ref().unwrap_or(&0));
        read
    }
}

/// A request's head; `host` is added where it is not among the fields.
#[must_use]
pub fn head(method: &str, target: &str, fields: &[(&str, &str)]) -> String {
    let host = if fields.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) { "" } else { "host: test\r\n" };
    let fields: String = fields.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    format!("{method} {target} HTTP/1.1\r\n{host}{fields}\r\n")
}

/// One request on a connection of its own.
///
/// # Panics
/// Where no whole response comes.
#[must_use]
pub fn ask(address: SocketAddr, method: &str, target: &str, fields: &[(&str, &str)]) -> Reply {
    let reply = Connection::open(address).and_then(|mut connection| connection.ask(method, target, fields));
    reply.unwrap_or_else(|error| panic!("{method} {target}: {error}"))
}

/// GET on a connection of its own.
///
/// # Panics
/// Where no whole response comes.
#[must_use]
pub fn get(address: SocketAddr, target: &str, fields: &[(&str, &str)]) -> Reply {
    ask(address, "GET", target, fields)
}

fn parse(head: &str) -> Option<Reply> {
    let mut lines = head.split("\r\n");
    let mut first = lines.next()?.splitn(3, ' ');
    let (version, status) = (first.next()?, first.next()?);
    let headers = lines.filter(|line| !line.is_empty()).map(|line| {
        let (name, value) = line.split_once(':')?;
        Some((name.to_ascii_lowercase(), value.trim().to_owned()))
    });
    let headers = headers.collect::<Option<_>>()?;
    Some(Reply { version: version.to_owned(), status: status.parse().ok()?, headers, body: Vec::new() })
}

fn bad(what: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, what)
}
