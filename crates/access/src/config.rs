//! `[access]`: whose tokens are taken, who knows API keys, and which policies hold besides our own.

use crate::fetch::{Client, Question};
use crate::introspect::Introspection;
use crate::token::issuer::{Issuer, Mapping, Sort, Source};
use crate::token::{Fetched, KeySet, Remote};
use crate::{Door, Ended, Policies, Role};
use arc_swap::ArcSwap;
use http::{Method, Uri};
use jiff::SignedDuration;
use service::config::{Choice, Reader, Secret, Section};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// `[access]`.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "each key is described where it is read")]
pub struct AccessConfig {
    pub policies: Vec<PathBuf>,
    pub leeway: Duration,
    pub introspect: Option<Uri>,
    pub introspect_key_file: Option<PathBuf>,
    pub introspect_fresh: Duration,
    pub issuers: Vec<IssuerConfig>,
    pub sessions: Option<SessionsConfig>,
}

impl Section for AccessConfig {
    const DOC: &'static str = "Who is let in: see docs/auth.md.";

    fn read(r: &mut Reader<'_>) -> Self {
        let config = Self {
            policies: r.list("policies", &[], "Files of Cedar policies that hold besides the roles' own."),
            leeway: r.duration("leeway", "30s", "0s"..="5m", "How far clocks may differ."),
            introspect: r.optional_parsed(
                "introspect",
                "http://127.0.0.1:8085/auth/v1/introspect",
                "Where API keys are looked up, where tintype-auth is another process. Without it they are not taken.",
            ),
            introspect_key_file: r.optional_parsed(
                "introspect_key_file",
                "service.key",
                "The file with the API key of role `service` that may ask there.",
            ),
            introspect_fresh: r.duration(
                "introspect_fresh",
                "30s",
                "0s"..="30s",
                "How long an answer holds; so long is a key taken that has been revoked.",
            ),
            issuers: r.tables("issuers", &[]),
            sessions: r.optional_section("sessions"),
        };
        if config.introspect.is_some() != config.introspect_key_file.is_some() {
            let allowed = "both introspect and introspect_key_file, or none";
            r.reject("introspect", "one of two", allowed, "make a key with role `service`: docs/auth.md");
        }
        config
    }
}

/// `[access.sessions]`.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "each key is described where it is read")]
pub struct SessionsConfig {
    pub url: Option<Secret>,
    pub prefix: String,
}

impl Section for SessionsConfig {
    const DOC: &'static str = "Redis, where tintype-auth says which sessions were ended; the same for all companions. With it their access \
        tokens are refused everywhere at once, else when they are over.";

    fn read(r: &mut Reader<'_>) -> Self {
        let url =
            r.secret("url", "redis://HOST:PORT, rediss:// with TLS; with a password: redis://:PASSWORD@HOST:PORT.");
        if url.is_none() {
            r.reject("url", "nothing", "redis://HOST:PORT or rediss://HOST:PORT", "or leave [access.sessions] out");
        }
        Self { url, prefix: r.string("prefix", "tintype-sessions", "What its keys begin with.") }
    }
}

impl Choice for Sort {
    const NAMES: &'static [(&'static str, Self)] =
        &[("tintype", Self::Tintype), ("cognito", Self::Cognito), ("oidc", Self::Oidc)];
}

/// `[[access.issuers]]`.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "each key is described where it is read")]
pub struct IssuerConfig {
    pub name: String,
    pub sort: Sort,
    pub issuer: String,
    pub audiences: Vec<String>,
    pub jwks: Option<Uri>,
    pub pause: Duration,
    pub fresh: Duration,
    pub stale: Duration,
    pub mapping: Mapping,
}

impl Section for IssuerConfig {
    const DOC: &'static str =
        "An issuer whose tokens are taken: tintype-auth in another process, Cognito, any OpenID provider.";

    fn read(r: &mut Reader<'_>) -> Self {
        let config = Self {
            name: r.string("name", "auth", "A short name; subjects of foreign issuers begin with it."),
            sort: r.choice("sort", Sort::Tintype, "What its claims are called."),
            issuer: r.string("issuer", "http://127.0.0.1:8085/auth/v1", "`iss` of its tokens, letter by letter."),
            audiences: r.list("audiences", &["tintype"], "`aud` (Cognito: `client_id`) must be one of these."),
            jwks: r.optional_parsed(
                "jwks",
                "http://127.0.0.1:8085/auth/v1/jwks.json",
                "Where its keys are; left out: <issuer>/jwks.json, and /.well-known/jwks.json of others than tintype.",
            ),
            pause: r.duration("pause", "30s", "1s"..="1h", "Keys are asked for at most so often, whatever tokens say."),
            fresh: r.duration("fresh", "10m", "1s"..="1d", "Keys are asked for again when they are as old."),
            stale: r.duration("stale", "1d", "1m"..="30d", "Keys hold as long where the issuer does not answer."),
            mapping: Mapping {
                tenant: r.optional_string("tenant", "main", "The tenant of all its tokens; of foreign issuers."),
                tenant_claim: r.optional_string("tenant_claim", "custom:tenant", "Or the claim that names it."),
                roles_claim: r.string("roles_claim", "cognito:groups", "The claim that has groups or roles."),
                roles: roles(r),
                default_role: r.optional_parsed::<Role>("default_role", "viewer", "The role of those without one."),
            },
        };
        if !config.name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-') {
            r.reject("name", &config.name, "a–z 0–9 -", "");
        }
        if config.audiences.is_empty() {
            r.reject("audiences", "[]", "at least one", "else every token of this issuer would be taken");
        }
        config
    }
}

fn roles(r: &mut Reader<'_>) -> BTreeMap<String, Role> {
    let named = r.map("roles", "editors = \"editor\"", "Role by the name of a group.");
    let mut roles = BTreeMap::new();
    for (group, role) in named {
        match role.parse::<Role>() {
            Ok(role) => {
                roles.insert(group, role);
            }
            Err(unknown) => r.reject("roles", format!("{group} = {role}"), unknown.allowed, ""),
        }
    }
    roles
}

impl AccessConfig {
    /// The door that this describes, with `local` for the issuer of this same process.
    ///
    /// # Errors
    /// A file cannot be read, policies do not fit, a URL is none.
    pub fn door(&self, local: Option<(String, Arc<ArcSwap<KeySet>>)>) -> Result<Door, String> {
        let ended = self.ended()?;
        self.door_with(local, ended)
    }

    /// The ended sessions that this process shares with others; without `[access.sessions]` those that it ended itself.
    ///
    /// # Errors
    /// An URL that is none of Redis.
    pub fn ended(&self) -> Result<Arc<Ended>, String> {
        let sessions = self.sessions.as_ref().and_then(|sessions| Some((sessions, sessions.url.as_ref()?)));
        Ok(Arc::new(match sessions {
            Some((sessions, url)) => Ended::shared(url.expose(), &sessions.prefix)?,
            None => Ended::default(),
        }))
    }

    /// As [`AccessConfig::door`], with the ended sessions of whoever ends them in this process.
    ///
    /// # Errors
    /// As there.
    pub fn door_with(&self, local: Option<(String, Arc<ArcSwap<KeySet>>)>, ended: Arc<Ended>) -> Result<Door, String> {
        let client = Client::new()?;
        let leeway = u32::try_from(self.leeway.as_secs()).unwrap_or(u32::MAX);
        let mut door = Door::new(self.policies()?).with_leeway(leeway).with_ended(ended);
        if let Some((issuer, keys)) = local {
            door = door.with_local_issuer(issuer, keys);
        }
        for issuer in &self.issuers {
            door = door.with_issuer(issuer.issuer(&client)?);
        }
        if let (Some(url), Some(file)) = (&self.introspect, &self.introspect_key_file) {
            let key = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
            let asked = Introspection::new(client, url.clone(), key.trim().to_owned(), self.introspect_fresh);
            door = door.with_keys(Arc::new(asked));
        }
        Ok(door)
    }

    /// Our own policies and those of the files.
    ///
    /// # Errors
    /// A file cannot be read, or its policies do not fit.
    pub fn policies(&self) -> Result<Policies, String> {
        let read = |path: &PathBuf| {
            let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            Ok::<_, String>((name, text))
        };
        let more = self.policies.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        Policies::with(&more).map_err(|error| error.to_string())
    }
}

impl IssuerConfig {
    fn issuer(&self, client: &Client) -> Result<Issuer, String> {
        let base = self.issuer.trim_end_matches('/');
        let usual = match self.sort {
            Sort::Tintype => format!("{base}/jwks.json"),
            Sort::Cognito | Sort::Oidc => format!("{base}/.well-known/jwks.json"),
        };
        let url = match &self.jwks {
            Some(url) => url.clone(),
            None => usual.parse().map_err(|error| format!("{usual}: {error}"))?,
        };
        let client = client.clone();
        let fetch = move || {
            let (client, url) = (client.clone(), url.clone());
            let asked = async move {
                let question = Question { method: Method::GET, url: &url, bearer: None, body: None };
                match client.ask(question).await? {
                    (200, body) => Ok(body.to_vec()),
                    (status, _) => Err(format!("{url} answers {status}")),
                }
            };
            Box::pin(asked) as Fetched
        };
        let span = |duration: Duration| SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX);
        let remote = Remote::new(fetch, span(self.pause), span(self.fresh), span(self.stale));
        Ok(Issuer {
            name: self.name.clone(),
            issuer: self.issuer.clone(),
            sort: self.sort,
            audiences: self.audiences.clone(),
            source: Source::There(Arc::new(remote)),
            mapping: self.mapping.clone(),
        })
    }
}
