//! Issuers whose tokens are taken, and what each one's claims mean here.
//!
//! Invariants: issuer and audience are compared as whole texts; a foreign issuer's names give only those roles that the
//! configuration maps; its subjects get the issuer's name before them, so that they are never taken for ours.

use super::claims::{Claims, Foreign};
use super::jws::Compact;
use super::keys::KeySet;
use super::remote::Remote;
use crate::{Caller, Denied, Kind, Role, Scopes};
use arc_swap::ArcSwap;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What sort of issuer it is: what its claims are called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// `tintype-auth`: tenant and roles are in the token.
    Tintype,
    /// Amazon Cognito: `client_id` instead of an audience, and `token_use` must be `access`.
    Cognito,
    /// Any issuer of OpenID Connect.
    Oidc,
}

/// Where an issuer's keys come from.
#[derive(Clone, Debug)]
pub enum Source {
    /// This process has them, and exchanges them when they are rotated.
    Here(Arc<ArcSwap<KeySet>>),
    /// They are published.
    There(Arc<Remote>),
}

/// An issuer whose tokens are taken.
#[derive(Clone, Debug)]
pub struct Issuer {
    /// A short name, for logs and before subjects.
    pub name: String,
    /// `iss`, as the tokens have it.
    pub issuer: String,
    /// What sort it is.
    pub sort: Sort,
    /// `aud` (Cognito: `client_id`) must be one of these.
    pub audiences: Vec<String>,
    /// Keys.
    pub source: Source,
    /// How a foreign issuer's claims are read.
    pub mapping: Mapping,
}

/// How a foreign issuer's claims become tenant and roles.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mapping {
    /// The tenant of all its tokens.
    pub tenant: Option<String>,
    /// Or the claim that names it.
    pub tenant_claim: Option<String>,
    /// The claim that has groups or roles.
    pub roles_claim: String,
    /// Role by the name of a group.
    pub roles: BTreeMap<String, Role>,
    /// What everybody is who has none of them.
    pub default_role: Option<Role>,
}

impl Issuer {
    /// The keys, and whether more may be had by asking anew.
    pub(crate) async fn caller(&self, token: &Token<'_>, now: Timestamp, leeway: i64) -> Result<Caller, Denied> {
        let claims = match &self.source {
            Source::Here(keys) => {
                let keys = keys.load();
                let key = token.0.key(&keys, false).ok_or(UNKNOWN_KEY)?;
                token.0.verified::<Foreign>(key)?
            }
            Source::There(remote) => {
                let mut keys = remote.keys(now).await?;
                if token.0.key(&keys, self.sort == Sort::Oidc).is_none() {
                    keys = remote.renewed(now).await?;
                }
                let key = token.0.key(&keys, self.sort == Sort::Oidc).ok_or(UNKNOWN_KEY)?;
                token.0.verified::<Foreign>(key)?
            }
        };
        if claims.text("iss") != Some(&self.issuer) {
            return Err(Denied::Token("it is of another issuer"));
        }
        claims.in_time(now, leeway)?;
        match self.sort {
            Sort::Tintype => self.ours(token, claims),
            Sort::Cognito => {
                if claims.text("token_use") != Some("access") {
                    return Err(Denied::Token("it is no access token"));
                }
                self.foreign(&claims, "client_id", "username")
            }
            Sort::Oidc => self.foreign(&claims, "aud", "sub"),
        }
    }

    fn ours(&self, token: &Token<'_>, claims: Foreign) -> Result<Caller, Denied> {
        // RFC 9068 section 4: no other sort of token of ours will be taken for one of these.
        if token.0.sort().as_deref() != Some("at+jwt") {
            return Err(Denied::Token("it is no access token"));
        }
        let claims: Claims = serde_json::from_value(serde_json::Value::Object(claims.0))
            .map_err(|_| Denied::Token("its claims cannot be read"))?;
        if !self.audiences.contains(&claims.aud) {
            return Err(Denied::Token("it is for another service"));
        }
        let (scopes, any) = Scopes::read(&claims.scope);
        if !any && !claims.scope.is_empty() {
            return Err(Denied::Token("its scopes are not known here"));
        }
        let roles: BTreeSet<Role> = claims.roles.into_iter().collect();
        let kind = if roles.contains(&Role::Service) { Kind::Service } else { Kind::User };
        let Claims { sub: subject, tenant, mut grants, sid: id, .. } = claims;
        grants.truncate(crate::Grant::MOST);
        Ok(Caller { subject, tenant, roles, scopes, grants, kind, id })
    }

    fn foreign(&self, claims: &Foreign, audience: &str, name: &str) -> Result<Caller, Denied> {
        let meant = claims.texts(audience);
        if !meant.iter().any(|one| self.audiences.iter().any(|ours| ours == one)) {
            return Err(Denied::Token("it is for another service"));
        }
        let subject = claims.text("sub").or_else(|| claims.text(name)).filter(|subject| !subject.is_empty());
        let subject = subject.ok_or(Denied::Token("it names nobody"))?;
        let mapping = &self.mapping;
        let claimed = mapping.tenant_claim.as_deref().and_then(|claim| claims.text(claim));
        let tenant = claimed.or(mapping.tenant.as_deref()).unwrap_or_default().to_owned();
        let groups = claims.texts(&mapping.roles_claim);
        let mut roles: BTreeSet<Role> = groups.iter().filter_map(|group| mapping.roles.get(*group).copied()).collect();
        if roles.is_empty() {
            roles.extend(mapping.default_role);
        }
        let id = claims.text("jti").unwrap_or_default().to_owned();
        let subject = format!("{}|{subject}", self.name);
        let kind = if roles.contains(&Role::Service) { Kind::Service } else { Kind::User };
        Ok(Caller { subject, tenant, roles, kind, id, ..Caller::anonymous() })
    }
}

pub(super) const UNKNOWN_KEY: Denied = Denied::Token("the key that signed it is not known");

/// A token that has been taken apart, and nothing more.
pub(crate) struct Token<'a>(Compact<'a>);

impl<'a> Token<'a> {
    pub(crate) fn parse(text: &'a str) -> Result<Self, Denied> {
        Compact::parse(text).map(Self)
    }

    pub(crate) fn issuer(&self) -> Result<String, Denied> {
        self.0.issuer()
    }
}
