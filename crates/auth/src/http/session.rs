//! Signing in, refreshing, signing out, and the sessions that there are.

use super::from::From;
use super::page;
use crate::Auth;
use crate::audit::Outcome;
use crate::metric::{Refresh as Exchanged, SignIn as Counted};
use crate::ring::millis;
use crate::seal::random_text;
use crate::store::{Millis, Refreshed, SessionRecord, UserRecord};
use access::token::Claims;
use access::{Grant, Kind, Role};
use axum::extract::State;
use companion::{Caller, Code, Json, Path, Problem};
use http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;
use utoipa::ToSchema;
use uuid::Uuid;

const WRONG: Code = Code::new("sign-in-failed", StatusCode::UNAUTHORIZED, "Address or password is wrong");
const LOCKED: Code = Code::new("locked-out", StatusCode::TOO_MANY_REQUESTS, "Too many failures");
const OVER: Code = Code::new("session-over", StatusCode::UNAUTHORIZED, "The session is over");

/// Bytes of a token that grants may take: others give them, and a token that is too long is taken nowhere.
const GRANTS_ROOM: usize = 8 << 10;

/// Who signs in.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct SignIn {
    #[schema(
        example = "ann@example.com",
        max_length = 254,
        pattern = "^[^@\\s\\x00-\\x1f\\x7f-\\x9f]+@[^@.\\s\\x00-\\x1f\\x7f-\\x9f][^@\\s\\x00-\\x1f\\x7f-\\x9f]*$"
    )]
    email: String,
    #[schema(format = Password, max_length = 256)]
    password: String,
    /// For which tenant; left out: the first of one's own.
    tenant: Option<String>,
}

/// A refresh token, to be exchanged.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Refresh {
    #[schema(format = Password)]
    refresh_token: String,
}

/// Tokens of a session.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Tokens {
    /// For `Authorization: Bearer`.
    access_token: String,
    /// `Bearer`.
    token_type: &'static str,
    /// Seconds that the access token is good.
    expires_in: u64,
    /// To be exchanged for the next ones, once.
    refresh_token: String,
    /// The session's name.
    session: String,
    /// Who it is.
    subject: String,
    email: String,
    name: String,
    /// The tenant that the tokens are for; empty: none.
    tenant: String,
    roles: Vec<Role>,
}

/// How much to sign out of.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct SignOut {
    /// All of one's sessions rather than this one.
    #[serde(default)]
    everywhere: bool,
}

/// A session.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Session {
    id: String,
    tenant: String,
    /// The client's network when it was begun.
    network: String,
    /// The program, as it called itself.
    agent: String,
    created: Timestamp,
    /// When its tokens were last exchanged.
    seen: Timestamp,
    expires: Timestamp,
    /// Whether it is the one that asks.
    current: bool,
}

/// Signs in.
///
/// A wrong password and an address that is not known look the same and take the same time. After some failures nothing is
/// looked at for a while.
#[utoipa::path(post, path = "/auth/v1/sign-in", tag = "sessions", request_body = SignIn, security(()),
    responses((status = 200, body = Tokens), (status = 401, description = "Address or password is wrong, or the account or tenant is locked."),
        (status = 429, description = "Locked out after too many failures; Retry-After says for how long.")))]
pub(crate) async fn sign_in(
    State(auth): State<Arc<Auth>>,
    from: From,
    Json(asked): Json<SignIn>,
) -> Result<Json<Tokens>, Problem> {
    let email = page::email(&asked.email)?;
    if asked.password.len() > crate::password::LONGEST {
        return Err(Problem::missing("password", "at most 256 bytes"));
    }
    let now = auth.millis();
    let nobody = access::Caller::anonymous();
    if let Err(locked) = auth.not_locked_out(&email, &from, now).await {
        auth.metrics.signed_in(Counted::LockedOut);
        auth.note(&nobody, "*", "sign-in", &email, Outcome::Denied, "locked out", &from).await?;
        return Err(locked);
    }
    // Counted before it is looked at: many at once are no way round the limit.
    auth.count_attempt(&email, &from, now).await.inspect_err(|_| auth.metrics.signed_in(Counted::LockedOut))?;
    let user = auth.store.user_by_email(&email).await?;
    let kept = user.as_ref().map(|user| user.password.clone());
    let right = auth.hasher.is_right(asked.password, kept).await.map_err(Problem::unavailable)?;
    let user = user.filter(|user| right && !user.locked);
    let place = match &user {
        Some(user) => auth.place_of(user, asked.tenant.as_deref()).await?,
        None => None,
    };
    let (Some(user), Some((tenant, _))) = (user, place) else {
        auth.metrics.signed_in(Counted::Failed);
        auth.count_failures(&email, &from, now).await?;
        auth.note(&nobody, "*", "sign-in", &email, Outcome::Failed, "", &from).await?;
        return Err(Problem::new(WRONG, "Address or password is wrong, or this account may not sign in here."));
    };
    auth.forget_attempts(&email, &from).await?;
    let refresh = random_text().map_err(Problem::internal)?;
    let session = SessionRecord {
        id: Uuid::now_v7().to_string(),
        user: user.id.clone(),
        tenant: tenant.clone(),
        network: from.network.clone(),
        agent: from.agent.clone(),
        created: now,
        seen: now,
        expires: now.saturating_add(millis(auth.config.session)),
        ended: None,
    };
    let caller = access::Caller::new(Kind::User, &user.id, &tenant, &[]);
    auth.note(&caller, or_all(&tenant), "sign-in", &session.id, Outcome::Done, &email, &from).await?;
    auth.store.begin_session(&session, &auth.seals.refresh_hash(&refresh)).await?;
    auth.metrics.signed_in(Counted::Done);
    auth.tokens(&session, &user, refresh).await.map(Json)
}

/// Exchanges a refresh token for new tokens. Each is good once.
///
/// One that is used again later than a moment after ends the whole session: somebody has a copy.
#[utoipa::path(post, path = "/auth/v1/refresh", tag = "sessions", request_body = Refresh, security(()),
    responses((status = 200, body = Tokens), (status = 401, description = "The session is over, or the token was used before: sign in.")))]
pub(crate) async fn refresh(
    State(auth): State<Arc<Auth>>,
    from: From,
    Json(asked): Json<Refresh>,
) -> Result<Json<Tokens>, Problem> {
    let now = auth.millis();
    let next = random_text().map_err(Problem::internal)?;
    let (old, new) = (auth.seals.refresh_hash(&asked.refresh_token), auth.seals.refresh_hash(&next));
    let expires = now.saturating_add(millis(auth.config.session));
    let grace = millis(auth.config.refresh_grace);
    let refreshed = auth.store.refresh(&old, &new, now, grace, expires).await?;
    let over = || Problem::new(OVER, "The session is over: sign in again.");
    let session = match refreshed {
        Refreshed::Yes(session) => {
            auth.metrics.refreshed(Exchanged::Done);
            session
        }
        Refreshed::JustNow(session) => {
            auth.metrics.refreshed(Exchanged::Repeated);
            session
        }
        Refreshed::No => {
            auth.metrics.refreshed(Exchanged::Over);
            return Err(over());
        }
        Refreshed::Reused(session) => {
            auth.metrics.refreshed(Exchanged::Reused);
            auth.refuse(std::slice::from_ref(&session.id)).await;
            let caller = access::Caller::new(Kind::User, &session.user, &session.tenant, &[]);
            let detail = "a refresh token was used again; the session was ended";
            auth.note(&caller, or_all(&session.tenant), "refresh", &session.id, Outcome::Failed, detail, &from).await?;
            return Err(over());
        }
    };
    // What has changed since holds from now on: a lock, other roles.
    let user = auth.store.user(&session.user).await?;
    let user = user.filter(|user| !user.locked).ok_or_else(over)?;
    auth.tokens(&session, &user, next).await.map(Json)
}

/// Signs out.
///
/// Refresh tokens are void at once, and access tokens wherever the list of ended sessions is known: here, and with
/// `[access.sessions]` in all companions. Elsewhere they stay good until their end, for minutes.
#[utoipa::path(post, path = "/auth/v1/sign-out", tag = "sessions", request_body = SignOut, security(("bearer" = [])),
    responses((status = 204, description = "Signed out."), (status = 401, description = "Nobody is signed in.")))]
pub(crate) async fn sign_out(
    State(auth): State<Arc<Auth>>,
    caller: Caller,
    from: From,
    Json(asked): Json<SignOut>,
) -> Result<StatusCode, Problem> {
    signed_in(&caller)?;
    let now = auth.millis();
    let detail = if asked.everywhere { "everywhere" } else { "" };
    auth.note(&caller, or_all(&caller.tenant), "sign-out", &caller.id, Outcome::Done, detail, &from).await?;
    if asked.everywhere {
        let ended = auth.store.end_sessions(&caller.subject, "", "sign-out", now).await?;
        auth.refuse(&ended).await;
    } else if auth.store.end_session(&caller.id, &caller.subject, "sign-out", now).await? {
        auth.refuse(std::slice::from_ref(&caller.id)).await;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// One's own sessions, the newest first.
#[utoipa::path(get, path = "/auth/v1/sessions", tag = "sessions", security(("bearer" = [])),
    responses((status = 200, body = Vec<Session>), (status = 401, description = "Nobody is signed in.")))]
pub(crate) async fn list(State(auth): State<Arc<Auth>>, caller: Caller) -> Result<Json<Vec<Session>>, Problem> {
    signed_in(&caller)?;
    let sessions = auth.store.sessions(&caller.subject, auth.millis()).await?;
    let shown = sessions.into_iter().map(|session| Session {
        current: session.id == caller.id,
        created: crate::store::time(session.created),
        seen: crate::store::time(session.seen),
        expires: crate::store::time(session.expires),
        id: session.id,
        tenant: session.tenant,
        network: session.network,
        agent: session.agent,
    });
    Ok(Json(shown.collect()))
}

/// Ends one of one's own sessions.
#[utoipa::path(delete, path = "/auth/v1/sessions/{session}", tag = "sessions", params(("session" = String, Path, description = "Its name.")),
    security(("bearer" = [])), responses((status = 204, description = "It is over."), (status = 401, description = "Nobody is signed in."),
        (status = 404, description = "There is no such session of yours.")))]
pub(crate) async fn end(
    State(auth): State<Arc<Auth>>,
    caller: Caller,
    from: From,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    signed_in(&caller)?;
    let ended = auth.store.end_session(&id, &caller.subject, "ended", auth.millis()).await;
    if !ended.map_err(Problem::unavailable)? {
        return Err(Problem::not_found("session"));
    }
    auth.refuse(std::slice::from_ref(&id)).await;
    auth.note(&caller, or_all(&caller.tenant), "end-session", &id, Outcome::Done, "", &from).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A person with an account here.
pub(super) fn signed_in(caller: &access::Caller) -> Result<(), Problem> {
    match caller.kind {
        // Tokens of sessions have no scopes; an upload's has, and is borne by somebody else than whom it names.
        Kind::User if caller.scopes.0.is_empty() => Ok(()),
        Kind::Anonymous => Err(access::Denied::Anonymous.into()),
        Kind::User | Kind::Key | Kind::Service => Err(Problem::new(
            companion::code::FORBIDDEN,
            "This is for people who are signed in, not for keys and tokens of uploads.",
        )),
    }
}

/// The tenant of a row in the audit log.
pub(super) fn or_all(tenant: &str) -> &str {
    if tenant.is_empty() { "*" } else { tenant }
}

fn locked_out(left: Millis) -> Problem {
    Problem::new(LOCKED, "Too many failures to sign in; nothing is looked at for a while.")
        .retry_after(Duration::from_millis(u64::try_from(left).unwrap_or(0)))
}

/// What failures are counted by: account and network, account, network.
fn lock_names(email: &str, network: &str) -> [String; 3] {
    [format!("both {network} {email}"), format!("account {email}"), format!("network {network}")]
}

impl Auth {
    /// Refuses while there were too many failures.
    async fn not_locked_out(&self, email: &str, from: &From, now: Millis) -> Result<(), Problem> {
        let lockout = &self.config.lockout;
        let window = millis(lockout.window);
        let limits = [lockout.account_network, lockout.account, lockout.network];
        for (name, limit) in lock_names(email, &from.network).iter().zip(limits) {
            let (count, since) = self.store.failures(name, now - window).await?;
            if count >= limit {
                return Err(locked_out(since + window - now));
            }
        }
        Ok(())
    }

    /// Counts an attempt of an account from a network as a failure, until it is none.
    pub(super) async fn count_attempt(&self, email: &str, from: &From, now: Millis) -> Result<(), Problem> {
        let window = millis(self.config.lockout.window);
        let [both, ..] = lock_names(email, &from.network);
        let count = self.store.count_failure(&both, now, now - window).await?;
        if count <= self.config.lockout.account_network {
            return Ok(());
        }
        Err(locked_out(window))
    }

    /// Forgets the attempts of an account from a network: the password was right.
    pub(super) async fn forget_attempts(&self, email: &str, from: &From) -> Result<(), Problem> {
        let [both, ..] = lock_names(email, &from.network);
        Ok(self.store.forget_failures(&both).await?)
    }

    /// Counts a failure for the account and for the network.
    async fn count_failures(&self, email: &str, from: &From, now: Millis) -> Result<(), Problem> {
        let since = now - millis(self.config.lockout.window);
        let [_, account, network] = lock_names(email, &from.network);
        for name in [account, network] {
            self.store.count_failure(&name, now, since).await?;
        }
        Ok(())
    }

    /// The tenant that somebody signs in for, and what they are there; `None` where they may not. The installation's roles
    /// hold in every tenant, and in none.
    async fn place_of(&self, user: &UserRecord, wanted: Option<&str>) -> Result<Option<(String, Vec<Role>)>, Problem> {
        let roles = self.store.roles(&user.id).await?;
        let first = roles.iter().map(|(tenant, _)| tenant.as_str()).find(|tenant| *tenant != "*");
        let tenant = wanted.filter(|wanted| !wanted.is_empty()).or(first).unwrap_or_default().to_owned();
        let held = roles.into_iter().filter(|(of, _)| *of == tenant || of == "*");
        let held: Vec<Role> = held.map(|(_, role)| role).collect();
        if held.is_empty() {
            return Ok(None);
        }
        if !tenant.is_empty() {
            let known = self.store.tenant(&tenant).await?;
            if known.is_none_or(|tenant| tenant.locked) {
                return Ok(None);
            }
        }
        Ok(Some((tenant, held)))
    }

    /// Tokens for a session, with what its user is and was granted by now.
    async fn tokens(&self, session: &SessionRecord, user: &UserRecord, refresh: String) -> Result<Tokens, Problem> {
        let place = self.place_of(user, Some(session.tenant.as_str())).await?;
        let over = || Problem::new(OVER, "The session is over: its tenant is no longer yours, or locked.");
        let (tenant, roles) = place.ok_or_else(over)?;
        let now = self.millis();
        let most = i64::try_from(Grant::MOST).unwrap_or(16);
        let grants = self.store.grants_of(&user.id, &tenant, now, most).await?;
        let grants = grants.into_iter().map(|grant| Grant {
            tenant: grant.tenant,
            actions: grant.actions,
            below: grant.below,
            until: crate::store::time(grant.expires),
        });
        let mut room = GRANTS_ROOM;
        let grants = grants.filter(|grant| {
            let size = serde_json::to_string(grant).map_or(usize::MAX, |text| text.len());
            let left = room.checked_sub(size);
            room = left.unwrap_or(room);
            left.is_some()
        });
        let seconds = self.config.access_token.as_secs();
        let access_token = self.mint(&user.id, &session.id, &tenant, &roles, "", grants.collect(), seconds)?;
        Ok(Tokens {
            access_token,
            token_type: "Bearer",
            expires_in: seconds,
            refresh_token: refresh,
            session: session.id.clone(),
            subject: user.id.clone(),
            email: user.email.clone(),
            name: user.name.clone(),
            tenant,
            roles,
        })
    }

    /// Signs an access token.
    #[expect(clippy::too_many_arguments, reason = "a token has as many claims, and each caller names them all")]
    pub(crate) fn mint(
        &self,
        subject: &str,
        session: &str,
        tenant: &str,
        roles: &[Role],
        scope: &str,
        grants: Vec<Grant>,
        seconds: u64,
    ) -> Result<String, Problem> {
        let now = self.now().as_second();
        let claims = Claims {
            iss: self.config.issuer.clone(),
            aud: "tintype".into(),
            sub: subject.to_owned(),
            exp: now.saturating_add(i64::try_from(seconds).unwrap_or(0)),
            iat: now,
            jti: Uuid::now_v7().to_string(),
            sid: session.to_owned(),
            tenant: tenant.to_owned(),
            roles: roles.to_vec(),
            scope: scope.to_owned(),
            grants,
        };
        let signer = self.ring.signer(self.millis()).ok_or_else(|| Problem::internal("there is no signing key"))?;
        signer.sign("at+jwt", &claims).map_err(Problem::internal)
    }
}
