//! Signed URLs: of renditions, of uploads, of CloudFront.

use super::from::From;
use super::page;
use crate::Auth;
use crate::audit::Outcome;
use crate::signing::Rendition;
use crate::signing::cloudfront::Policy;
use access::{Action, Grant, Resource, is_below};
use axum::extract::State;
use companion::{Caller, Json, Path, Problem, code};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use utoipa::ToSchema;

/// Longest time for which an upload is granted: no token lives longer.
pub(crate) const LONGEST_UPLOAD: Duration = Duration::from_secs(24 * 3600);
/// Longest time for which CloudFront is told to let somebody in, in seconds.
const LONGEST_CLOUDFRONT: u64 = 7 * 24 * 3600;

/// A rendition whose URL is to be signed.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct SignUrl {
    /// The picture's name.
    #[schema(example = "cats/tom.jpg")]
    path: String,
    /// What is wanted, as in URLs: docs/url.md.
    #[serde(default)]
    #[schema(example = "w=800&f=auto")]
    query: String,
    /// Seconds.
    #[schema(example = 3600)]
    expires_in: u64,
}

/// A signed URL.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SignedUrl {
    /// Of the canonical form: others who ask for the same get the same.
    url: String,
    expires: Timestamp,
}

/// An upload that somebody without an account may make.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct SignUpload {
    /// Below which path; the name itself counts too.
    #[schema(example = "inbox/2026")]
    below: String,
    /// Whether what is there may be replaced.
    #[serde(default)]
    replace: bool,
    /// Seconds, at most a day.
    #[schema(example = 900)]
    expires_in: u64,
}

/// A token for an upload.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SignedUpload {
    /// For `Authorization: Bearer` of uploads; it is good for nothing else.
    token: String,
    expires: Timestamp,
}

/// What CloudFront is to let somebody see.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct SignCloudFront {
    /// The picture's name; for cookies a folder, and everything below it.
    #[schema(example = "cats/tom.jpg")]
    path: String,
    /// What is wanted of the picture; not for cookies.
    #[serde(default)]
    query: String,
    /// Seconds, at most a week.
    expires_in: u64,
    /// Not before.
    after: Option<Timestamp>,
    /// For clients of this network only, such as 192.0.2.0/24.
    network: Option<String>,
    /// Cookies for everything below `path` rather than a URL.
    #[serde(default)]
    cookies: bool,
}

/// A URL or cookies.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SignedCloudFront {
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    /// Names and values, to be set for the distribution's domain with Secure and HttpOnly.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    cookies: BTreeMap<&'static str, String>,
    expires: Timestamp,
}

/// Signs the URL of a rendition at the edge.
#[utoipa::path(post, path = "/auth/v1/tenants/{tenant}/urls", tag = "urls", request_body = SignUrl,
    params(("tenant" = String, Path, description = "Whose picture.")), security(("bearer" = [])),
    responses((status = 200, body = SignedUrl), (status = 401, description = "Nobody is signed in."),
        (status = 403, description = "Not allowed: needs url:sign for this picture and these parameters."),
        (status = 409, description = "No key for this tenant is configured.")))]
pub(crate) async fn sign_url(
    State(auth): State<Arc<Auth>>,
    caller: Caller,
    from: From,
    Path(tenant): Path<String>,
    Json(asked): Json<SignUrl>,
) -> Result<Json<SignedUrl>, Problem> {
    page::tenant_id("path.tenant", &tenant)?;
    let rendition = Rendition::new(&asked.path, &asked.query)?;
    let parameters = rendition.parameters();
    let resource = Resource::asset(&tenant, &asked.path).with_parameters(&parameters);
    auth.allow(&caller, Action::UrlSign, &resource, &from).await?;
    let now = auth.now().as_second();
    let (url, end) = auth.signing.url(&tenant, &rendition, now, asked.expires_in)?;
    Ok(Json(SignedUrl { url, expires: at(i64::try_from(end).unwrap_or(i64::MAX))? }))
}

/// Grants an upload to whoever bears the token: below a path, for a time.
#[utoipa::path(post, path = "/auth/v1/tenants/{tenant}/uploads", tag = "urls", request_body = SignUpload,
    params(("tenant" = String, Path, description = "Where to.")), security(("bearer" = [])),
    responses((status = 200, body = SignedUpload), (status = 401, description = "Nobody is signed in."),
        (status = 403, description = "Not allowed: needs upload:sign, and what is granted.")))]
pub(crate) async fn sign_upload(
    State(auth): State<Arc<Auth>>,
    caller: Caller,
    from: From,
    Path(tenant): Path<String>,
    Json(asked): Json<SignUpload>,
) -> Result<Json<SignedUpload>, Problem> {
    page::folder("below", &asked.below)?;
    let resource = Resource::asset(&tenant, &asked.below);
    let actions = match asked.replace {
        true => vec![Action::AssetCreate, Action::AssetReplace],
        false => vec![Action::AssetCreate],
    };
    for action in [Action::UploadSign].iter().chain(&actions) {
        auth.allow(&caller, *action, &resource, &from).await?;
    }
    let until = within(&auth, asked.expires_in, LONGEST_UPLOAD.as_secs())?;
    let scope = actions.iter().map(|action| action.as_str()).collect::<Vec<_>>().join(" ");
    let grant = Grant { tenant: tenant.clone(), actions, below: asked.below.clone(), until };
    // A session of its own, which is no session: refreshing and signing out know nothing of it.
    let session = format!("upload-{}", uuid::Uuid::now_v7());
    let detail = format!("below {:?} until {until}", asked.below);
    auth.note(&caller, &tenant, "upload:sign", &session, Outcome::Done, &detail, &from).await?;
    let token = auth.mint(&caller.subject, &session, &tenant, &[], &scope, vec![grant], asked.expires_in)?;
    Ok(Json(SignedUpload { token, expires: until }))
}

/// Signs a URL or cookies for CloudFront.
#[utoipa::path(post, path = "/auth/v1/tenants/{tenant}/cloudfront", tag = "urls", request_body = SignCloudFront,
    params(("tenant" = String, Path, description = "Whose pictures.")), security(("bearer" = [])),
    responses((status = 200, body = SignedCloudFront), (status = 401, description = "Nobody is signed in."),
        (status = 403, description = "Not allowed: needs url:sign."), (status = 409, description = "CloudFront is not configured.")))]
pub(crate) async fn sign_cloudfront(
    State(auth): State<Arc<Auth>>,
    caller: Caller,
    from: From,
    Path(tenant): Path<String>,
    Json(asked): Json<SignCloudFront>,
) -> Result<Json<SignedCloudFront>, Problem> {
    page::tenant_id("path.tenant", &tenant)?;
    let network = asked.network.as_deref().map(network).transpose()?;
    // A wildcard to CloudFront: a name with one would open others, which no policy was asked about.
    for (field, text) in [("path", &asked.path), ("query", &asked.query)] {
        if text.contains('*') || text.to_ascii_lowercase().contains("%2a") {
            return Err(Problem::field(field, text, "no *, which CloudFront takes for any name"));
        }
    }
    let rendition = match asked.cookies {
        true if !asked.query.is_empty() => return Err(Problem::field("query", asked.query, "nothing, for cookies")),
        // A folder is encoded as a picture's name is.
        _ => Rendition::new(&asked.path, &asked.query)?,
    };
    let parameters = rendition.parameters();
    let resource = Resource::asset(&tenant, &asked.path).with_parameters(&parameters);
    auth.allow(&caller, Action::UrlSign, &resource, &from).await?;
    let expires = within(&auth, asked.expires_in, LONGEST_CLOUDFRONT)?;
    let signer = auth.signing.cloudfront()?;
    let url = signer.url_of(&tenant, &rendition.target());
    let policy = Policy {
        resource: if asked.cookies { format!("{url}/*") } else { url.clone() },
        before: expires.as_second(),
        after: asked.after.map(Timestamp::as_second),
        network,
    };
    let mut signed = SignedCloudFront { url: None, cookies: BTreeMap::new(), expires };
    if asked.cookies {
        // Everything below is let out, whatever its parameters: policies about those must not be passed by.
        auth.without_conditions(&caller, &tenant, &asked.path)?;
        let detail = format!("cookies below {:?} until {expires}", asked.path);
        auth.note(&caller, &tenant, "url:sign", &asked.path, Outcome::Done, &detail, &from).await?;
        signed.cookies = signer.cookies(&policy).map_err(Problem::internal)?.into_iter().collect();
    } else {
        signed.url = Some(signer.signed_url(&url, &policy).map_err(Problem::internal)?);
    }
    Ok(Json(signed))
}

fn at(seconds: i64) -> Result<Timestamp, Problem> {
    Timestamp::from_second(seconds).map_err(|_| Problem::field("expiresIn", seconds, "a time that can be told"))
}

fn within(auth: &Auth, seconds: u64, longest: u64) -> Result<Timestamp, Problem> {
    let fine = (1..=longest).contains(&seconds);
    let span = i64::try_from(seconds).ok().filter(|_| fine);
    let span = span.ok_or_else(|| Problem::field("expiresIn", seconds, format!("1 to {longest} seconds")))?;
    let end = auth.now().checked_add(SignedDuration::from_secs(span));
    end.map_err(|_| Problem::field("expiresIn", seconds, format!("1 to {longest} seconds")))
}

/// An address or a network, as CloudFront reads it.
fn network(text: &str) -> Result<String, Problem> {
    let wrong = || Problem::field("network", text, "an IPv4 address or network, such as 192.0.2.0/24");
    let (address, bits) = text.split_once('/').unwrap_or((text, "32"));
    let address: std::net::Ipv4Addr = address.parse().map_err(|_| wrong())?;
    let bits: u8 = bits.parse().ok().filter(|bits| *bits <= 32).ok_or_else(wrong)?;
    Ok(format!("{address}/{bits}"))
}

impl Auth {
    /// Refuses where a policy could forbid something below a folder that it allows for the folder itself: a cookie cannot
    /// tell the one from the other.
    fn without_conditions(&self, caller: &access::Caller, tenant: &str, folder: &str) -> Result<(), Problem> {
        let reach = self.door().reach(caller, Action::UrlSign).within(tenant);
        let whole = reach.clauses().iter().any(|clause| {
            let above = clause.below.as_deref().is_none_or(|below| is_below(folder, below));
            let spared = clause.beside.iter().all(|other| !is_below(other, folder));
            clause.visibility.is_none() && clause.owner.is_none() && above && spared
        });
        if whole && !self.door().policies().looks_at_parameters() {
            return Ok(());
        }
        let detail = "A policy allows some of what is below, and forbids some: sign URLs one by one.";
        Err(Problem::new(code::FORBIDDEN, detail))
    }
}
