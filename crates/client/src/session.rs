//! Who is signed in at a server, and requests in their name.
//!
//! Invariants: a refresh token is used once: whoever uses it holds the vault's lock, and looks first whether another process
//! has done it already; an API key is never written down.

use crate::failure::Failure;
use crate::link::{Answer, Link};
use crate::vault::{Tokens, Vault};
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Seconds before its end at which an access token is no longer used: the request has to get there.
const EARLY: u64 = 30;
/// How often a request is made again where too many ask.
const PATIENCE: u32 = 20;
/// A longer wait than this is told rather than waited for: it is no crowd, it is a lock-out.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// A server, and in whose name it is asked. Clones share connections and sign-in.
#[derive(Clone)]
pub struct Client {
    link: Link,
    vault: Vault,
    key: Option<Arc<str>>,
    /// One refresh at a time within this process; the vault's lock is for the others.
    turn: Arc<tokio::sync::Mutex<()>>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("server", &self.link.server()).finish_non_exhaustive()
    }
}

/// Who is signed in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Account {
    /// Stable name.
    pub subject: String,
    /// What they sign in with.
    #[serde(default)]
    pub email: Option<String>,
    /// Whose pictures they see.
    #[serde(default)]
    pub tenant: String,
    /// What they are there.
    #[serde(default)]
    pub roles: Vec<String>,
    /// What sort of caller: user, key, service.
    #[serde(default)]
    pub kind: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Grant {
    access_token: String,
    refresh_token: String,
    expires_in: u64,
}

impl Grant {
    fn tokens(self, login: &str) -> Tokens {
        let until = now().saturating_add(self.expires_in);
        Tokens { access: self.access_token, refresh: self.refresh_token, until, login: login.to_owned() }
    }
}

impl Client {
    /// A server such as `https://images.example.org`, and where its tokens are kept.
    ///
    /// # Errors
    /// `server` is no address.
    pub fn new(server: &str, vault: Vault) -> Result<Self, Failure> {
        Ok(Self { link: Link::new(server)?, vault, key: None, turn: Arc::default() })
    }

    /// Asks with this API key rather than as who is signed in.
    #[must_use]
    pub fn with_key(mut self, key: &str) -> Self {
        self.key = Some(key.into());
        self
    }

    /// The server's address.
    #[must_use]
    pub fn server(&self) -> String {
        self.link.server()
    }

    /// Signs in, and keeps the tokens.
    ///
    /// # Errors
    /// The server refuses, or the tokens cannot be kept.
    pub async fn sign_in(&self, login: &str, password: &str) -> Result<Account, Failure> {
        let grant = self.open(paths::SIGN_IN, &json!({ "email": login, "password": password })).await?;
        let tokens = grant.json::<Grant>()?.tokens(login);
        self.keep(Some(tokens)).await?;
        self.account().await
    }

    /// Ends the session at the server, and forgets the tokens, also where the server does not answer.
    ///
    /// # Errors
    /// The tokens cannot be forgotten.
    pub async fn sign_out(&self) -> Result<(), Failure> {
        if self.key.is_none() && self.vault.tokens(&self.server())?.is_some() {
            let _told_or_out_of_reach = self.send(Method::POST, paths::SIGN_OUT, HeaderMap::new(), &json!({})).await;
        }
        self.keep(None).await
    }

    /// Who is signed in.
    ///
    /// # Errors
    /// Nobody is.
    pub async fn account(&self) -> Result<Account, Failure> {
        self.get(paths::ACCOUNT).await?.json()
    }

    /// Asks for something.
    ///
    /// # Errors
    /// See [`Failure`].
    pub async fn get(&self, path: &str) -> Result<Answer, Failure> {
        self.ask(Method::GET, path, HeaderMap::new(), Bytes::new()).await?.accepted()
    }

    /// Sends JSON.
    ///
    /// # Errors
    /// See [`Failure`].
    pub async fn send(&self, method: Method, path: &str, headers: HeaderMap, body: &Value) -> Result<Answer, Failure> {
        let (headers, body) = as_json(headers, body);
        self.ask(method, path, headers, body).await?.accepted()
    }

    /// Asks in the caller's name. Where the server asks for patience, because too many ask, it is asked again.
    pub(crate) async fn ask(
        &self,
        method: Method,
        path: &str,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<Answer, Failure> {
        for _ in 0..PATIENCE {
            let answer = self.once(method.clone(), path, headers.clone(), body.clone()).await?;
            match wanted_pause(&answer) {
                Some(pause) => tokio::time::sleep(pause).await,
                None => return Ok(answer),
            }
        }
        self.once(method, path, headers, body).await
    }

    /// A token that the server no longer takes is refreshed, once.
    async fn once(&self, method: Method, path: &str, headers: HeaderMap, body: Bytes) -> Result<Answer, Failure> {
        let token = self.bearer(None).await?;
        let answer = self.link.ask(method.clone(), path, bearing(&headers, &token)?, body.clone()).await?;
        if answer.status != StatusCode::UNAUTHORIZED || self.key.is_some() {
            return Ok(answer);
        }
        let token = self.bearer(Some(&token)).await?;
        self.link.ask(method, path, bearing(&headers, &token)?, body).await
    }

    /// Without a caller's name.
    async fn open(&self, path: &str, body: &Value) -> Result<Answer, Failure> {
        let (headers, body) = as_json(HeaderMap::new(), body);
        self.link.ask(Method::POST, path, headers, body).await?.accepted()
    }

    /// An access token that is neither over nor the one that was `refused`.
    async fn bearer(&self, refused: Option<&str>) -> Result<String, Failure> {
        if let Some(key) = &self.key {
            return Ok(key.to_string());
        }
        let fine = |tokens: &Tokens| tokens.until > now() + EARLY && Some(tokens.access.as_str()) != refused;
        let server = self.server();
        let kept = self.vault.tokens(&server)?.ok_or_else(|| signed_out(&server))?;
        if fine(&kept) {
            return Ok(kept.access);
        }
        let _turn = self.turn.lock().await;
        let vault = self.vault.clone();
        // The lock waits for other processes, for as long as one of them refreshes.
        let handle = tokio::runtime::Handle::current();
        let (client, refused) = (self.clone(), refused.map(str::to_owned));
        #[expect(clippy::disallowed_methods, reason = "files and a lock, not pixels")]
        let work = tokio::task::spawn_blocking(move || {
            let open = vault.open()?;
            let kept = open.tokens(&server).cloned().ok_or_else(|| signed_out(&server))?;
            if kept.until > now() + EARLY && Some(&kept.access) != refused.as_ref() {
                return Ok(kept.access);
            }
            let body = json!({ "refreshToken": kept.refresh });
            let tokens = match handle.block_on(client.open(paths::REFRESH, &body)) {
                Ok(answer) => answer.json::<Grant>()?.tokens(&kept.login),
                Err(Failure::Refused { status, .. }) if status.is_client_error() && status != 429 => {
                    open.put(&server, None)?;
                    return Err(signed_out(&server));
                }
                Err(failure) => return Err(failure),
            };
            let access = tokens.access.clone();
            open.put(&server, Some(tokens))?;
            Ok(access)
        });
        work.await.map_err(|error| Failure::Local(format!("the refresh: {error}")))?
    }

    async fn keep(&self, tokens: Option<Tokens>) -> Result<(), Failure> {
        let (vault, server) = (self.vault.clone(), self.server());
        #[expect(clippy::disallowed_methods, reason = "files and a lock, not pixels")]
        let work = tokio::task::spawn_blocking(move || vault.open()?.put(&server, tokens));
        work.await.map_err(|error| Failure::Local(format!("the sign-in: {error}")))?
    }
}

/// How long to wait where too many ask: nothing was done with the request. `None` where it is not worth waiting for.
fn wanted_pause(answer: &Answer) -> Option<Duration> {
    if answer.status != StatusCode::TOO_MANY_REQUESTS {
        return None;
    }
    let pause = answer.header(RETRY_AFTER.as_str()).and_then(|text| text.parse().ok()).map(Duration::from_secs);
    pause.filter(|pause| *pause <= LONGEST_PAUSE)
}

mod paths {
    pub(super) const SIGN_IN: &str = "/auth/v1/sign-in";
    pub(super) const SIGN_OUT: &str = "/auth/v1/sign-out";
    pub(super) const REFRESH: &str = "/auth/v1/refresh";
    pub(super) const ACCOUNT: &str = "/auth/v1/me";
}

fn as_json(mut headers: HeaderMap, body: &Value) -> (HeaderMap, Bytes) {
    headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json"));
    (headers, body.to_string().into())
}

fn bearing(headers: &HeaderMap, token: &str) -> Result<HeaderMap, Failure> {
    let mut value = HeaderValue::try_from(format!("Bearer {token}"))
        .map_err(|_| Failure::Local("the token or key has characters that a header cannot have".to_owned()))?;
    value.set_sensitive(true);
    let mut headers = headers.clone();
    headers.insert(AUTHORIZATION, value);
    Ok(headers)
}

fn signed_out(server: &str) -> Failure {
    Failure::SignedOut(format!("nobody is signed in at {server}: tintype login --server {server}"))
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
