//! What all handlers share: the store, the keys, the door, the time; and how an act is allowed and noted.

use crate::audit::{self, Outcome};
use crate::config::Config;
use crate::http::from::From;
use crate::metric::Metrics;
use crate::password::Hasher;
use crate::ring::{Ring, Terms, millis};
use crate::seal::Seals;
use crate::signing::Signing;
use crate::store::{Millis, NewLink, Store};
use access::{Action, ApiKey, Caller, Clock, Door, Ended, Keys, KeysFuture, Kind, Resource, Unavailable};
use companion::Problem;
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;

/// Everything that auth has. Opened once, before its routes are built, since others need its door.
#[derive(Debug)]
pub struct Auth {
    pub(crate) config: crate::config::Auth,
    pub(crate) store: Store,
    pub(crate) seals: Arc<Seals>,
    pub(crate) ring: Arc<Ring>,
    pub(crate) hasher: Hasher,
    pub(crate) signing: Signing,
    pub(crate) metrics: Metrics,
    ended: Arc<Ended>,
    /// Seconds that a token may be about after its session was ended.
    longest: i64,
    door: Arc<Door>,
    clock: Time,
}

/// The clock, which cannot be printed.
#[derive(Clone)]
struct Time(Clock);

impl std::fmt::Debug for Time {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Time")
    }
}

impl Auth {
    /// Opens the database and the keys, and makes what is missing.
    ///
    /// # Errors
    /// In words: what cannot be opened, and why.
    pub async fn open(config: &Config) -> Result<Arc<Self>, String> {
        Self::open_at(config, Arc::new(Timestamp::now)).await
    }

    /// As [`Auth::open`], with another clock: for tests.
    ///
    /// # Errors
    /// As there.
    pub async fn open_at(config: &Config, clock: Clock) -> Result<Arc<Self>, String> {
        let now = clock().as_millisecond();
        let auth = config.auth.clone();
        if let crate::store::Place::Sqlite(path) = &auth.place {
            make_folder(path)?;
        }
        let seals = match &auth.secret {
            Some(secret) => Seals::new(secret.expose().as_bytes()),
            None => {
                make_folder(&auth.secret_file)?;
                Seals::of_file(&auth.secret_file)
            }
        };
        let seals = Arc::new(seals.map_err(|error| error.to_string())?);
        let store = Store::open(&auth.place).await.map_err(|error| error.to_string())?;
        let longest = auth.access_token.max(crate::http::url::LONGEST_UPLOAD);
        let terms = Terms { notice: millis(auth.key_notice), token: millis(longest) };
        let ring = Arc::new(Ring::open(store.clone(), Arc::clone(&seals), terms, now).await?);
        let metrics = Metrics::default();
        let keys = StoreKeys {
            store: store.clone(),
            seals: Arc::clone(&seals),
            clock: Time(Arc::clone(&clock)),
            metrics: metrics.clone(),
        };
        let ended = config.access.ended()?;
        let door = config.access.door_with(Some((auth.issuer.clone(), ring.verifying())), Arc::clone(&ended))?;
        let door = Arc::new(door.with_keys(Arc::new(keys)).with_clock(Arc::clone(&clock)));
        let hasher = Hasher::new(&auth.passwords).map_err(|error| format!("[auth.passwords]: {error}"))?;
        let signing = Signing::open(&auth)?;
        let leeway = config.access.leeway.as_secs();
        let longest = i64::try_from(auth.access_token.as_secs().saturating_add(leeway)).unwrap_or(i64::MAX);
        let clock = Time(clock);
        let opened = Self { config: auth, store, seals, ring, hasher, signing, metrics, ended, longest, door, clock };
        Ok(Arc::new(opened))
    }

    /// The door of this process: it takes our tokens and knows our API keys without asking anybody.
    pub fn door(&self) -> Arc<Door> {
        Arc::clone(&self.door)
    }

    /// What is counted; to be registered once in a process.
    #[must_use]
    pub const fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// These sessions were ended: their access tokens are refused from now on, by whoever shares the list.
    pub(crate) async fn refuse(&self, sessions: &[String]) {
        let now = self.now();
        let until = now.checked_add(SignedDuration::from_secs(self.longest)).unwrap_or(Timestamp::MAX);
        self.metrics.ended(sessions.len());
        self.ended.note(sessions, now, until).await;
    }

    /// The time.
    pub(crate) fn now(&self) -> Timestamp {
        (self.clock.0)()
    }

    /// The time as it is kept.
    pub(crate) fn millis(&self) -> Millis {
        self.now().as_millisecond()
    }

    /// Whether a caller may; a refusal is noted.
    pub(crate) async fn allow(
        &self,
        caller: &Caller,
        action: Action,
        resource: &Resource<'_>,
        from: &From,
    ) -> Result<(), Problem> {
        let decided = self.door.may(caller, action, resource);
        self.metrics.decided(decided.is_ok());
        let Err(denied) = decided else {
            if is_reading(action) && self.config.audit_reads {
                let target = resource.path.unwrap_or_default();
                self.note(caller, resource.tenant, action.as_str(), target, Outcome::Done, "", from).await?;
            }
            return Ok(());
        };
        if !caller.is_anonymous() && (!is_reading(action) || self.config.audit_reads) {
            let target = resource.path.unwrap_or_default();
            let detail = denied.to_string();
            self.note(caller, resource.tenant, action.as_str(), target, Outcome::Denied, &detail, from).await?;
        }
        Err(denied.into())
    }

    /// Writes into the audit log.
    #[expect(clippy::too_many_arguments, reason = "a row has as many fields, and each call names them in its order")]
    pub(crate) async fn note(
        &self,
        caller: &Caller,
        tenant: &str,
        act: &str,
        target: &str,
        outcome: Outcome,
        detail: &str,
        from: &From,
    ) -> Result<(), Problem> {
        let actor = match caller.kind {
            Kind::Anonymous => "anonymous".to_owned(),
            Kind::Key => format!("{} by key {}", caller.subject, caller.id),
            Kind::User | Kind::Service => caller.subject.clone(),
        };
        let noted = NewLink {
            at: self.millis(),
            tenant: tenant.to_owned(),
            actor,
            act: act.to_owned(),
            target: target.to_owned(),
            outcome: outcome.as_str().to_owned(),
            detail: detail.chars().take(500).collect(),
            network: from.network.clone(),
            request: from.request.clone(),
        };
        audit::note(&self.store, &self.seals, &noted).await.map(|_| ()).map_err(Problem::unavailable)
    }
}

/// Acts that only look: they are noted where the configuration says so.
fn is_reading(action: Action) -> bool {
    matches!(
        action,
        Action::UserRead | Action::AuditRead | Action::PolicyRead | Action::JobRead | Action::TokenIntrospect
    )
}

fn make_folder(path: &std::path::Path) -> Result<(), String> {
    match path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        Some(folder) => std::fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display())),
        None => Ok(()),
    }
}

/// API keys of the database.
#[derive(Debug)]
struct StoreKeys {
    store: Store,
    seals: Arc<Seals>,
    clock: Time,
    metrics: Metrics,
}

impl Keys for StoreKeys {
    fn find<'a>(&'a self, key: &'a ApiKey) -> KeysFuture<'a> {
        Box::pin(async move {
            let now = (self.clock.0)().as_millisecond();
            let failed = |error: crate::store::StoreError| {
                tracing::warn!(%error, "API keys cannot be looked up");
                Unavailable
            };
            let Some(record) = self.store.key(key.id()).await.map_err(failed)? else {
                self.metrics.key(false);
                return Ok(None);
            };
            let over = record.revoked.is_some() || record.expires.is_some_and(|end| end <= now);
            if over || !key.is_of(&crate::http::key::hash_of(&record), self.seals.pepper()) {
                self.metrics.key(false);
                return Ok(None);
            }
            // Asked here as well: an UPDATE that changes no row still takes SQLite's write lock.
            if record.used.is_none_or(|used| used < now - 60_000) {
                self.store.touch_key(&record.id, now).await.map_err(failed)?;
            }
            let tenant = self.store.tenant(&record.tenant).await.map_err(failed)?;
            if tenant.is_some_and(|tenant| tenant.locked) {
                self.metrics.key(false);
                return Ok(None);
            }
            self.metrics.key(true);
            let service = record.roles.contains(&access::Role::Service);
            let kind = if service { Kind::Service } else { Kind::Key };
            let tenant = if record.tenant == "*" { "" } else { &record.tenant };
            let mut caller = Caller::new(kind, &record.owner, tenant, &record.roles);
            caller.scopes = record.scopes.into_iter().collect();
            caller.id = record.id;
            Ok(Some(caller))
        })
    }
}
