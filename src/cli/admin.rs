//! The command line's side of the admin listener: one request, one JSON answer, within a time.
//!
//! Knows no command. Invariant: an answer is read up to a limit, and an error says which address was asked.

use super::token::TokenArguments;
use super::trust::{Place, TrustArguments};
use super::{ConfigArguments, Failure};
use bytes::Bytes;
use clap::Args;
use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http::{Method, Request};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use service::admin::Stream;
use service::peer::causes;
use service::tls::Client;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};
use tokio_rustls::TlsConnector;

/// Largest answer that is read, bytes.
const MAX_ANSWER: usize = 16 << 20;
/// Longest wait for one.
const PATIENCE: Duration = Duration::from_secs(30);

/// Which server is meant.
#[derive(Debug, Args)]
pub(super) struct AdminArguments {
    /// Address of the admin listener, with https:// where it speaks TLS; without it that of the configuration (server.admin).
    #[arg(long, value_name = "HOST:PORT")]
    admin: Option<String>,
    #[command(flatten)]
    trust: TrustArguments,
    #[command(flatten)]
    token: TokenArguments,
    #[command(flatten)]
    config: ConfigArguments,
}

/// The admin listener of a server.
pub(super) struct Server {
    place: Place,
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
        Ok(Server {
            place: self.trust.place(self.admin.as_deref(), &config)?,
            token: self.token.token(&config)?,
            runtime: Builder::new_current_thread().enable_all().build()?,
        })
    }
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
        NoAnswer::Failed(format!("the admin listener at {}: {why}", self.place.address))
    }

    async fn exchange(&self, method: Method, target: &str, body: Bytes) -> Result<(u16, Bytes), String> {
        let text = |error: &dyn std::fmt::Display| error.to_string();
        let stream = TcpStream::connect(self.place.address).await.map_err(|error| text(&error))?;
        let stream: Box<dyn Stream> = match &self.place.tls {
            None => Box::new(stream),
            Some(Client { config, name }) => {
                let connector = TlsConnector::from(Arc::clone(config));
                Box::new(connector.connect(name.clone(), stream).await.map_err(|error| text(&error))?)
            }
        };
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|error| text(&error))?;
        let connection = tokio::spawn(connection);
        let request = Request::builder().method(method).uri(target).header(HOST, self.place.address.to_string());
        let request = match &self.token {
            Some(token) => request.header(AUTHORIZATION, format!("Bearer {token}")),
            None => request,
        };
        let request = request.header(CONTENT_TYPE, "application/json").body(Full::new(body));
        let request = request.map_err(|error| text(&error))?;
        let response = match sender.send_request(request).await {
            Ok(response) => response,
            // A certificate is refused only behind the handshake (TLS 1.3), and then the connection knows it.
            Err(error) => match connection.await {
                Ok(Err(broken)) => return Err(causes(&broken)),
                Ok(Ok(())) | Err(_) => return Err(causes(&error)),
            },
        };
        let status = response.status().as_u16();
        let answer = Limited::new(response.into_body(), MAX_ANSWER).collect().await.map_err(|error| text(&error))?;
        Ok((status, answer.to_bytes()))
    }
}
