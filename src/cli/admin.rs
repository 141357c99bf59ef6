//! The command line's side of the admin listener: one request, one JSON answer, within a time.
//!
//! Knows no command. Invariant: an answer is read up to a limit, and an error says which address was asked.

use super::token::TokenArguments;
use super::{ConfigArguments, Failure};
use bytes::Bytes;
use clap::Args;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http::{Method, Request};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};

/// Largest answer that is read, bytes.
const MAX_ANSWER: usize = 16 << 20;
/// Longest wait for one.
const PATIENCE: Duration = Duration::from_secs(30);

/// Which server is meant.
#[derive(Debug, Args)]
pub(super) struct AdminArguments {
    /// Address of the admin listener; without it that of the configuration (server.admin).
    #[arg(long, value_name = "HOST:PORT")]
    admin: Option<String>,
    #[command(flatten)]
    token: TokenArguments,
    #[command(flatten)]
    config: ConfigArguments,
}

/// The admin listener of a server.
pub(super) struct Server {
    address: SocketAddr,
    token: Option<String>,
    runtime: Runtime,
}

/// Why there is no answer to work with.
#[derive(Debug)]
pub(super) enum NoAnswer {
    /// The server says why.
    Refused(u16, String),
    /// Nothing understandable came.
    Failed(String),
}

impl From<NoAnswer> for Failure {
    fn from(none: NoAnswer) -> Self {
        Self::Failed(match none {
            NoAnswer::Refused(_, text) | NoAnswer::Failed(text) => text,
        })
    }
}

impl AdminArguments {
    pub(super) fn server(&self) -> Result<Server, Failure> {
        let config = self.config.load()?;
        let address = self.admin.as_deref().map_or_else(|| Ok(reachable(config.server.admin)), resolve)?;
        Ok(Server {
            address,
            token: self.token.token(&config)?,
            runtime: Builder::new_current_thread().enable_all().build()?,
        })
    }
}

fn resolve(text: &str) -> Result<SocketAddr, Failure> {
    let name = text.trim_start_matches("http://").trim_end_matches('/');
    let found = name.to_socket_addrs().ok().and_then(|mut all| all.next());
    found.ok_or_else(|| Failure::Failed(format!("--admin: {text} is no address such as 127.0.0.1:9001")))
}

/// An address that is bound for all is asked on this machine.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

impl Server {
    /// The answer, read as JSON.
    pub(super) fn ask<T: DeserializeOwned>(&self, method: Method, target: &str, body: Bytes) -> Result<T, NoAnswer> {
        let (status, answer) = self.tell(method, target, body)?;
        if (200..300).contains(&status) {
            return serde_json::from_slice(&answer)
                .map_err(|error| self.failed(&format!("an answer that is not understood: {error}")));
        }
        let problem = serde_json::from_slice::<serde_json::Value>(&answer).ok();
        let detail = problem.as_ref().and_then(|problem| problem.get("detail")?.as_str());
        let text = detail.map_or_else(|| String::from_utf8_lossy(&answer).trim().to_owned(), str::to_owned);
        Err(NoAnswer::Refused(status, format!("{status}: {text}")))
    }

    /// The answer as it is, and its status.
    pub(super) fn tell(&self, method: Method, target: &str, body: Bytes) -> Result<(u16, Bytes), NoAnswer> {
        let exchange = async { tokio::time::timeout(PATIENCE, self.exchange(method, target, body)).await };
        match self.runtime.block_on(exchange) {
            Ok(answered) => answered.map_err(|error| self.failed(&error)),
            Err(_) => Err(self.failed("no answer in time")),
        }
    }

    fn failed(&self, why: &str) -> NoAnswer {
        NoAnswer::Failed(format!("the admin listener at {}: {why}", self.address))
    }

    async fn exchange(&self, method: Method, target: &str, body: Bytes) -> Result<(u16, Bytes), String> {
        let text = |error: &dyn std::fmt::Display| error.to_string();
        let stream = TcpStream::connect(self.address).await.map_err(|error| text(&error))?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|error| text(&error))?;
        tokio::spawn(connection);
        let request = Request::builder().method(method).uri(target).header(HOST, self.address.to_string());
        let request = match &self.token {
            Some(token) => request.header(AUTHORIZATION, format!("Bearer {token}")),
            None => request,
        };
        let request = request.header(CONTENT_TYPE, "application/json").body(Full::new(body));
        let request = request.map_err(|error| text(&error))?;
        let response = sender.send_request(request).await.map_err(|error| text(&error))?;
        let status = response.status().as_u16();
        let answer = Limited::new(response.into_body(), MAX_ANSWER).collect().await.map_err(|error| text(&error))?;
        Ok((status, answer.to_bytes()))
    }
}
