//! The door: who is this, may they do that, how far do they reach.
//!
//! Knows no HTTP but the header `Authorization`. Invariant: credentials that are not understood are refused; they never turn
//! somebody into nobody in particular.

use crate::policy::Explained;
use crate::reach::decide;
use crate::remembered::Remembered;
use crate::token::KeySet;
use crate::token::issuer::{Issuer, Mapping, Sort, Source, Token};
use crate::{Action, ApiKey, Caller, Denied, Ended, Keys, Policies, Reach, Resource};
use arc_swap::ArcSwap;
use http::{HeaderMap, header::AUTHORIZATION};
use jiff::Timestamp;
use std::fmt;
use std::sync::Arc;

/// Tells the time: tests choose it.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Leeway for clocks that differ, in seconds.
const LEEWAY: i64 = 30;
/// Who our own tokens are for.
pub(crate) const AUDIENCE: &str = "tintype";

/// Decides who comes in. Made once, and shared.
pub struct Door {
    issuers: Vec<Issuer>,
    keys: Option<Arc<dyn Keys>>,
    ended: Option<Arc<Ended>>,
    policies: ArcSwap<Policies>,
    reaches: Remembered,
    leeway: i64,
    clock: Clock,
}

impl Door {
    /// A door that nobody comes through yet but as nobody in particular.
    pub fn new(policies: Policies) -> Self {
        Self {
            issuers: Vec::new(),
            keys: None,
            ended: None,
            policies: ArcSwap::from_pointee(policies),
            reaches: Remembered::default(),
            leeway: LEEWAY,
            clock: Arc::new(Timestamp::now),
        }
    }

    /// Takes the tokens of `tintype-auth` in this same process, whose keys are exchanged in place when they are rotated.
    #[must_use]
    pub fn with_local_issuer(self, issuer: impl Into<String>, keys: Arc<ArcSwap<KeySet>>) -> Self {
        self.with_issuer(Issuer {
            name: "local".into(),
            issuer: issuer.into(),
            sort: Sort::Tintype,
            audiences: vec![AUDIENCE.into()],
            source: Source::Here(keys),
            mapping: Mapping::default(),
        })
    }

    /// Takes the tokens of one issuer more.
    #[must_use]
    pub fn with_issuer(mut self, issuer: Issuer) -> Self {
        self.issuers.push(issuer);
        self
    }

    /// Takes API keys.
    #[must_use]
    pub fn with_keys(mut self, keys: Arc<dyn Keys>) -> Self {
        self.keys = Some(keys);
        self
    }

    /// Takes no tokens of our own issuers whose sessions were ended.
    #[must_use]
    pub fn with_ended(mut self, ended: Arc<Ended>) -> Self {
        self.ended = Some(ended);
        self
    }

    /// Has another clock.
    #[must_use]
    pub fn with_clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Has another leeway for clocks that differ, in seconds.
    #[must_use]
    pub fn with_leeway(mut self, seconds: u32) -> Self {
        self.leeway = seconds.into();
        self
    }

    /// Whose request it is. Without the header: nobody in particular.
    ///
    /// # Errors
    /// The credentials are malformed, wrong or over, or cannot be verified at present.
    pub async fn caller(&self, headers: &HeaderMap) -> Result<Caller, Denied> {
        let mut fields = headers.get_all(AUTHORIZATION).iter();
        let Some(field) = fields.next() else { return Ok(Caller::anonymous()) };
        let (scheme, credentials) = match (field.to_str().map(|text| text.split_once(' ')), fields.next()) {
            (Ok(Some(parts)), None) => parts,
            _ => return Err(Denied::Header),
        };
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(Denied::Header);
        }
        self.bearer(credentials.trim_matches(' ')).await
    }

    /// Whose token or API key it is.
    ///
    /// # Errors
    /// As [`Door::caller`].
    pub async fn bearer(&self, credentials: &str) -> Result<Caller, Denied> {
        if ApiKey::is_meant(credentials) {
            let key = ApiKey::parse(credentials).ok_or(Denied::Key)?;
            let keys = self.keys.as_ref().ok_or(Denied::Key)?;
            let found = keys.find(&key).await.map_err(|_| Denied::Unavailable("API keys cannot be looked up"))?;
            return found.ok_or(Denied::Key);
        }
        let token = Token::parse(credentials)?;
        let name = token.issuer()?;
        let issuer = self.issuers.iter().find(|issuer| issuer.issuer == name);
        let issuer = issuer.ok_or(Denied::Token("its issuer is not known here"))?;
        let caller = issuer.caller(&token, self.now(), self.leeway).await?;
        match &self.ended {
            Some(ended) if issuer.sort == Sort::Tintype && ended.has(&caller.id, self.now()).await => Err(Denied::Over),
            _ => Ok(caller),
        }
    }

    /// Whether somebody may do something.
    ///
    /// # Errors
    /// [`Denied::Anonymous`] where nobody in particular may not, [`Denied::Forbidden`] where somebody may not.
    pub fn may(&self, caller: &Caller, action: Action, resource: &Resource<'_>) -> Result<(), Denied> {
        let Explained { allowed, policies, .. } = self.explain(caller, action, resource);
        match (allowed, caller.is_anonymous()) {
            (true, _) => Ok(()),
            (false, true) => Err(Denied::Anonymous),
            (false, false) => Err(Denied::Forbidden { action, policies }),
        }
    }

    /// As [`Door::may`], with the policies that decided.
    pub fn explain(&self, caller: &Caller, action: Action, resource: &Resource<'_>) -> Explained {
        decide(&self.policies.load(), caller, action, resource, self.now())
    }

    /// Which pictures somebody may do something to: the filter that every list and search is made with. Holds for actions
    /// on pictures, and for `url:sign` as far as its parameters are not asked for; else it is nothing.
    pub fn reach(&self, caller: &Caller, action: Action) -> Reach {
        let policies = self.policies.load();
        self.reaches.of(&policies, caller, action, || Reach::of(&policies, caller, action, self.now()))
    }

    /// The policies in force.
    pub fn policies(&self) -> Arc<Policies> {
        self.policies.load_full()
    }

    /// Puts others in force, at once.
    pub fn replace_policies(&self, policies: Policies) {
        self.policies.store(Arc::new(policies));
    }

    fn now(&self) -> Timestamp {
        (self.clock)()
    }
}

impl fmt::Debug for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let issuers: Vec<&str> = self.issuers.iter().map(|issuer| issuer.issuer.as_str()).collect();
        f.debug_struct("Door").field("issuers", &issuers).field("keys", &self.keys).finish_non_exhaustive()
    }
}
