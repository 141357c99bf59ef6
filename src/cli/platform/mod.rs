//! The commands that talk to the platform (`tintype-standalone`, or the companions behind one address): who is signed in,
//! uploads, import, search, signed URLs.
//!
//! Thin faces of the crate `client`. Invariant: a password or key is never an argument, where every user of the machine could
//! read it.

mod import;
mod search;
mod sign_in;
mod upload;

pub(super) use import::{ImportArguments, import};
pub(super) use search::{SearchArguments, search};
pub(super) use sign_in::{LoginArguments, WhoArguments, login, logout, whoami};
pub(super) use upload::{UploadArguments, upload};

use super::Failure;
use clap::Args;
use client::{Client, Vault};
use std::future::Future;

/// The variable with an API key.
const KEY: &str = "TINTYPE_API_KEY";
/// Where the server is, if nothing else says it: `make run`.
const LOCAL: &str = "http://127.0.0.1:8080";

/// Which server.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct ServerArguments {
    /// The server; without it the one that was signed in to last, else http://127.0.0.1:8080. TINTYPE_API_KEY in the
    /// environment is used instead of a sign-in.
    #[arg(long, env = "TINTYPE_SERVER", value_name = "URL")]
    server: Option<String>,
}

impl ServerArguments {
    /// The server, and in whose name it is asked.
    pub(super) fn client(&self) -> Result<Client, Failure> {
        let vault = Vault::of_user()?;
        let server = match &self.server {
            Some(server) => server.clone(),
            None => vault.server()?.unwrap_or_else(|| LOCAL.to_owned()),
        };
        let client = Client::new(&server, vault)?;
        match std::env::var(KEY) {
            Ok(key) if !key.trim().is_empty() => Ok(client.with_key(key.trim())),
            _ => Ok(client),
        }
    }
}

impl From<client::Failure> for Failure {
    fn from(failure: client::Failure) -> Self {
        match failure {
            client::Failure::SignedOut(text) => Self::SignedOut(text),
            other => Self::Failed(other.to_string()),
        }
    }
}

/// Runs what waits for a server, on a runtime of its own.
pub(super) fn wait<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?.block_on(work)
}

/// JSON for programs, on one line per thing.
fn print_json<T: serde::Serialize>(value: &T) -> Result<(), Failure> {
    let text = serde_json::to_string(value).map_err(|error| Failure::Failed(error.to_string()))?;
    println!("{text}");
    Ok(())
}

/// What a server says shall not steer a terminal.
fn plain(text: &str) -> String {
    text.replace(char::is_control, " ")
}
