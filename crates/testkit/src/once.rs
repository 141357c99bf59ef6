//! A server that hears one request, answers what it was told to, and says what it heard.
//!
//! For clients whose requests are looked at; whoever wants a server that behaves takes another one. Every wait has a limit.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Longest wait for the request.
const LIMIT: Duration = Duration::from_secs(60);

/// Waits for its request.
#[derive(Debug)]
pub struct Once {
    /// Where it listens.
    pub address: SocketAddr,
    heard: JoinHandle<String>,
}

impl Once {
    /// It will answer 200 with this JSON.
    ///
    /// # Panics
    /// Where the system gives no port.
    #[must_use]
    pub fn answering(json: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let answer = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{json}",
            json.len()
        );
        let heard = thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a connection");
            stream.set_read_timeout(Some(LIMIT)).expect("a limit");
            let (mut heard, mut piece) = (Vec::new(), [0; 4096]);
            while !heard.windows(4).any(|end| end == b"\r\n\r\n") {
                let count = stream.read(&mut piece).expect("a request in time");
                assert!(count > 0, "the connection ended within the head");
                heard.extend(&piece[..count]);
            }
            stream.write_all(answer.as_bytes()).expect("who asked waits");
            String::from_utf8_lossy(&heard).into_owned()
        });
        Self { address, heard }
    }

    /// The request's head, and what came with it.
    ///
    /// # Panics
    /// Where there was none.
    #[must_use]
    pub fn heard(self) -> String {
        self.heard.join().expect("a request")
    }
}
