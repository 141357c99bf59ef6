//! A stored rendition and a request → a response. THE END OF THE HIT PATH.
//!
//! Owns the order of decisions (preconditions, then HEAD, then ranges) and which fields each status carries. Knows no cache,
//! no clock, no sockets; `Date` is the server's. Invariant: a body is sent with 200 and 206 to GET only, and its length is
//! `Content-Length`. Costs clones of prebuilt values; only `Age` and `Cache-Status` are formatted.

use super::cache_status::Outcome;
use super::delivery::{Delivery, Vary};
use super::freshness::Lifetime;
use super::hints::ACCEPT_CH;
use super::note::IGNORED_PARAMETERS;
use super::problem::{Kind, Problem};
use super::range::{self, Selection};
use super::representation::Representation;
use super::said::Said;
use super::validator::{self, Precondition};
use bytes::Bytes;
use http::header::{
    ACCEPT_RANGES, AGE, CACHE_CONTROL, CACHE_STATUS, CDN_CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH,
    CONTENT_RANGE, CONTENT_SECURITY_POLICY, CONTENT_TYPE, DATE, ETAG, LAST_MODIFIED, LINK, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};
use std::time::SystemTime;

/// What of a request bears on the response.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// GET or HEAD; others do not come this far.
    pub method: &'a Method,
    /// All fields.
    pub headers: &'a HeaderMap,
}

/// What else bears on it. The optional fields are built with [`super::cache_tag`], [`super::note`] and
/// [`super::disposition`] and moved into the response.
#[derive(Clone, Debug)]
pub struct Context<'a> {
    /// The present.
    pub now: SystemTime,
    /// The route's side.
    pub delivery: &'a Delivery,
    /// That of the rendition.
    pub lifetime: Lifetime,
    /// What the original's terms say downstream; without them the route's policy does.
    pub said: Option<&'a Said>,
    /// What became of the request in the cache.
    pub outcome: Outcome,
    /// What chose the rendition.
    pub vary: Vary,
    /// `exp` of the URL.
    pub expires: Option<SystemTime>,
    /// `Cache-Tag`.
    pub cache_tag: Option<HeaderValue>,
    /// `Link: …; rel="canonical"`.
    pub canonical: Option<HeaderValue>,
    /// `Content-Disposition`.
    pub disposition: Option<HeaderValue>,
    /// Unknown parameters that were left out.
    pub ignored_parameters: Option<HeaderValue>,
    /// `Server-Timing`, where the route tells.
    pub server_timing: Option<HeaderValue>,
}

/// The response.
#[must_use]
pub fn respond(request: Request<'_>, stored: &Representation, context: Context<'_>) -> Response<Bytes> {
    match validator::evaluate(request.method, request.headers, stored.etag(), stored.last_modified()) {
        Precondition::Proceed => {}
        Precondition::NotModified => return not_modified(request, stored, context),
        Precondition::Failed => {
            return Problem::new(Kind::PreconditionFailed).respond(request, Some(context.delivery), context.vary);
        }
    }
    let length = stored.body().len() as u64;
    let selection = match range::select(request.method, request.headers, length) {
        Selection::Whole => Selection::Whole,
        selected if validator::if_range(request.headers, stored.etag()) => selected,
        _ => Selection::Whole,
    };
    match selection {
        Selection::Whole => whole(request, stored, context),
        Selection::Part(part) => {
            let (Ok(first), Ok(last)) = (usize::try_from(part.first), usize::try_from(part.last)) else {
                return whole(request, stored, context);
            };
            let mut response = whole(request, stored, context);
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
            response.headers_mut().insert(CONTENT_RANGE, part.content_range(length));
            let body = stored.body().slice(first..=last);
            response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
            *response.body_mut() = body;
            response
        }
        Selection::Unsatisfiable => {
            let problem = Problem::new(Kind::RangeNotSatisfiable).detail(format!("It has {length} bytes."));
            let mut response = problem.respond(request, Some(context.delivery), context.vary);
            response.headers_mut().insert(CONTENT_RANGE, range::unsatisfied(length));
            response.headers_mut().insert(ACCEPT_RANGES, const { HeaderValue::from_static("bytes") });
            response
        }
    }
}

/// 200, without a body for HEAD (RFC 9110 §9.3.2).
fn whole(request: Request<'_>, stored: &Representation, mut context: Context<'_>) -> Response<Bytes> {
    let body = if *request.method == Method::HEAD { Bytes::new() } else { stored.body().clone() };
    let mut response = Response::new(body);
    let mut headers = HeaderMap::with_capacity(24);
    headers.insert(CONTENT_TYPE, stored.content_type().clone());
    headers.insert(CONTENT_LENGTH, stored.content_length().clone());
    if let Some(modified) = stored.last_modified() {
        headers.insert(LAST_MODIFIED, modified.header().clone());
    }
    headers.insert(ACCEPT_RANGES, const { HeaderValue::from_static("bytes") });
    headers.insert(X_CONTENT_TYPE_OPTIONS, const { HeaderValue::from_static("nosniff") });
    // Does nothing to a picture in a page; keeps whatever a browser would make a document of from doing anything.
    headers.insert(CONTENT_SECURITY_POLICY, const { HeaderValue::from_static("default-src 'none'; sandbox") });
    if context.vary.hints() {
        headers.insert(const { HeaderName::from_static("accept-ch") }, const { HeaderValue::from_static(ACCEPT_CH) });
    }
    if let Some(link) = context.canonical.take() {
        headers.insert(LINK, link);
    }
    if let Some(disposition) = context.disposition.take() {
        headers.insert(CONTENT_DISPOSITION, disposition);
    }
    if let Some(names) = context.ignored_parameters.take() {
        headers.insert(const { HeaderName::from_static(IGNORED_PARAMETERS) }, names);
    }
    cached(request, stored, context, &mut headers);
    *response.headers_mut() = headers;
    response
}

/// 304: what guides caches, and nothing about the representation (RFC 9110 §15.4.5).
fn not_modified(request: Request<'_>, stored: &Representation, context: Context<'_>) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::NOT_MODIFIED;
    let mut headers = HeaderMap::with_capacity(12);
    cached(request, stored, context, &mut headers);
    *response.headers_mut() = headers;
    response
}

/// The fields that 200, 206 and 304 share.
fn cached(request: Request<'_>, stored: &Representation, context: Context<'_>, headers: &mut HeaderMap) {
    let Context { now, delivery, lifetime, outcome, vary, expires, .. } = context;
    let age = lifetime.age(now);
    let (cache_control, cdn_cache_control) = match (context.said, expires) {
        (Some(said), expires) => said.cache_control(expires, age, now),
        (None, None) => (delivery.cache_control.clone(), delivery.cdn_cache_control.clone()),
        (None, Some(expires)) => delivery.policy.until(expires, age, now),
    };
    if let Some(date) = context.said.and_then(Said::date) {
        headers.insert(DATE, date.clone());
    }
    headers.insert(ETAG, stored.etag().header().clone());
    headers.insert(CACHE_CONTROL, cache_control);
    if let Some(value) = cdn_cache_control {
        headers.insert(CDN_CACHE_CONTROL, value);
    }
    // `Age` says that the response was not made for this request (RFC 9111 §5.1).
    if outcome.tier().is_some() || age.as_secs() > 0 {
        headers.insert(AGE, HeaderValue::from(age.as_secs().min(super::cache_control::MAX_DELTA_SECONDS)));
    }
    let ttl = match (outcome, expires) {
        // It is given for so long only, whatever its original allows.
        (Outcome::Deferred { .. }, Some(ends)) => lifetime.until(ends, now).ttl(now),
        _ => lifetime.ttl(now),
    };
    headers.insert(CACHE_STATUS, outcome.cache_status(ttl));
    delivery.apply(vary, request.headers, headers);
    if let Some(tags) = context.cache_tag {
        headers.insert(delivery.cache_tag_name.clone(), tags);
    }
    if let Some(timing) = context.server_timing {
        headers.insert(const { HeaderName::from_static("server-timing") }, timing);
    }
}

/// The response that shows a stand-in for an original that could not be had: a whole picture under the error's status, kept
/// as briefly as the error. Ranges and conditions are about renditions, and this is none.
#[must_use]
pub fn stand_in(
    request: Request<'_>,
    picture: &Representation,
    problem: &Problem,
    delivery: &Delivery,
    vary: Vary,
) -> Response<Bytes> {
    let mut response = problem.respond(request, Some(delivery), vary);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, picture.content_type().clone());
    headers.insert(CONTENT_LENGTH, picture.content_length().clone());
    headers.insert(CONTENT_SECURITY_POLICY, const { HeaderValue::from_static("default-src 'none'; sandbox") });
    if *request.method != Method::HEAD {
        *response.body_mut() = picture.body().clone();
    }
    response
}

#[cfg(test)]
mod tests {
    use super::super::cache_control::{CdnPolicy, Policy};
    use super::super::cache_status::Tier;
    use super::super::cors::{Cors, OriginPattern};
    use super::super::validator::LastModified;
    use super::*;
    use std::time::Duration;

    const BODY: &[u8] = b"0123456789";

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777 + seconds)
    }

    fn stored() -> Representation {
        let modified = LastModified::new(at(0), at(1));
        Representation::new(Bytes::from_static(BODY), HeaderValue::from_static("image/avif"), modified)
    }

    fn delivery() -> Delivery {
        Delivery::new(Policy {
            max_age: Duration::from_secs(3600),
            stale_while_revalidate: Duration::from_secs(60),
            stale_if_error: Duration::ZERO,
            immutable: false,
            cdn: None,
        })
    }

    fn context(delivery: &Delivery) -> Context<'_> {
        Context {
            now: at(100),
            delivery,
            lifetime: Lifetime {
                fresh_since: at(90),
                fresh_for: Duration::from_secs(3600),
                stale_while_revalidate: Duration::from_secs(60),
                stale_if_error: Duration::ZERO,
            },
            said: None,
            outcome: Outcome::Hit(Tier::Memory),
            vary: Vary::ACCEPT,
            expires: None,
            cache_tag: Some(HeaderValue::from_static("src:a")),
            canonical: Some(HeaderValue::from_static("<https://img.example/a>; rel=\"canonical\"")),
            disposition: None,
            ignored_parameters: None,
            server_timing: None,
        }
    }

    fn ask(method: &Method, fields: &[(&'static str, &str)]) -> Response<Bytes> {
        let headers: HeaderMap =
            fields.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        respond(Request { method, headers: &headers }, &stored(), context(&delivery()))
    }

    /// All fields, sorted, as `name: value`.
    fn fields(response: &Response<Bytes>) -> Vec<String> {
        let text = |(name, value): (&HeaderName, &HeaderValue)| format!("{name}: {}", value.to_str().unwrap());
        let mut all: Vec<_> = response.headers().iter().map(text).collect();
        all.sort();
        all
    }

    fn etag() -> String {
        stored().etag().header().to_str().unwrap().to_owned()
    }

    #[test]
    fn a_hit_carries_exactly_this() {
        let response = ask(&Method::GET, &[]);
        assert_eq!((response.status(), response.body().as_ref()), (StatusCode::OK, BODY));
        let expected = [
            "accept-ranges: bytes".to_owned(),
            "age: 10".to_owned(),
            "cache-control: public, max-age=3600, stale-while-revalidate=60".to_owned(),
            "cache-status: tintype; hit; ttl=3590; detail=memory".to_owned(),
            "cache-tag: src:a".to_owned(),
            "content-length: 10".to_owned(),
            "content-security-policy: default-src 'none'; sandbox".to_owned(),
            "content-type: image/avif".to_owned(),
            format!("etag: {}", etag()),
            "last-modified: Sun, 06 Nov 1994 08:49:37 GMT".to_owned(),
            "link: <https://img.example/a>; rel=\"canonical\"".to_owned(),
            "vary: accept".to_owned(),
            "x-content-type-options: nosniff".to_owned(),
        ];
        assert_eq!(fields(&response), expected);
    }

    /// RFC 9110 §9.3.2: the same fields, no body.
    #[test]
    fn head_is_get_without_the_body() {
        let (head, get) = (ask(&Method::HEAD, &[]), ask(&Method::GET, &[]));
        assert_eq!(fields(&head), fields(&get));
        assert!(head.body().is_empty());
        let ranged = ask(&Method::HEAD, &[("range", "bytes=0-1")]);
        assert_eq!((ranged.status(), fields(&ranged)), (StatusCode::OK, fields(&get)));
    }

    /// RFC 9110 §15.4.5.
    #[test]
    fn not_modified_carries_what_guides_caches() {
        for method in [Method::GET, Method::HEAD] {
            let response = ask(&method, &[("if-none-match", &etag()), ("range", "bytes=0-1")]);
            assert_eq!((response.status(), response.body().len()), (StatusCode::NOT_MODIFIED, 0));
            let expected = [
                "age: 10".to_owned(),
                "cache-control: public, max-age=3600, stale-while-revalidate=60".to_owned(),
                "cache-status: tintype; hit; ttl=3590; detail=memory".to_owned(),
                "cache-tag: src:a".to_owned(),
                format!("etag: {}", etag()),
                "vary: accept".to_owned(),
            ];
            assert_eq!(fields(&response), expected);
        }
        let by_date = ask(&Method::GET, &[("if-modified-since", "Sun, 06 Nov 1994 08:49:37 GMT")]);
        assert_eq!(by_date.status(), StatusCode::NOT_MODIFIED);
    }

    #[test]
    fn a_failed_precondition_is_a_problem() {
        let response = ask(&Method::GET, &[("if-match", "\"other\"")]);
        assert_eq!(response.status(), StatusCode::PRECONDITION_FAILED);
        assert_eq!(response.headers()[CONTENT_TYPE], "application/problem+json");
        assert_eq!(response.headers()[CACHE_CONTROL], "no-store");
    }

    /// RFC 9110 §15.3.7.
    #[test]
    fn a_part() {
        let tag = etag();
        for condition in [None, Some(("if-range", tag.as_str()))] {
            let asked: Vec<_> = [("range", "bytes=2-4")].into_iter().chain(condition).collect();
            let response = ask(&Method::GET, &asked);
            assert_eq!(response.status(), StatusCode::PARTIAL_CONTENT);
            assert_eq!(response.body().as_ref(), b"234");
            assert_eq!(response.headers()[CONTENT_RANGE], "bytes 2-4/10");
            assert_eq!(response.headers()[CONTENT_LENGTH], "3");
            assert_eq!(response.headers()[ETAG], tag.as_str());
            assert_eq!(response.headers().len(), ask(&Method::GET, &[]).headers().len() + 1);
        }
    }

    #[test]
    fn the_whole_where_a_part_will_not_do() {
        let date = "Sun, 06 Nov 1994 08:49:37 GMT";
        for (range, condition) in [
            ("bytes=2-4", "\"other\""),
            ("bytes=2-4", date),
            ("bytes=99-", "\"other\""),
            ("bytes=0-1,3-4", &etag()),
            ("lines=1-2", &etag()),
        ] {
            let response = ask(&Method::GET, &[("range", range), ("if-range", condition)]);
            assert_eq!((response.status(), response.body().as_ref()), (StatusCode::OK, BODY), "{range} {condition}");
            assert!(!response.headers().contains_key(CONTENT_RANGE));
        }
    }

    /// RFC 9110 §15.5.17.
    #[test]
    fn no_such_part() {
        let response = ask(&Method::GET, &[("range", "bytes=10-")]);
        assert_eq!(response.status(), StatusCode::RANGE_NOT_SATISFIABLE);
        assert_eq!(response.headers()[CONTENT_RANGE], "bytes */10");
        assert_eq!(response.headers()[CONTENT_LENGTH], response.body().len().to_string().as_str());
    }

    #[test]
    fn age_tells_old_from_new() {
        let delivery = delivery();
        let (method, headers) = (Method::GET, HeaderMap::new());
        let request = Request { method: &method, headers: &headers };
        let answer = |outcome, now| respond(request, &stored(), Context { outcome, now, ..context(&delivery) });
        let miss = answer(Outcome::Miss { stored: true }, at(90));
        assert!(!miss.headers().contains_key(AGE));
        assert_eq!(miss.headers()["cache-status"], "tintype; fwd=miss; stored; ttl=3600");
        assert_eq!(answer(Outcome::Hit(Tier::Memory), at(90)).headers()[AGE], "0");
        assert_eq!(answer(Outcome::Hit(Tier::Redis), at(0)).headers()[AGE], "0", "a clock that is behind");
        let stale = answer(Outcome::Stale(Tier::Memory), at(3_700));
        assert_eq!(stale.headers()[AGE], "3610");
        assert_eq!(stale.headers()["cache-status"], "tintype; hit; ttl=-10; detail=memory");
    }

    #[test]
    fn everything_that_a_route_can_add() {
        let policy = Policy {
            cdn: Some(CdnPolicy {
                max_age: Duration::from_secs(86_400),
                stale_while_revalidate: Duration::ZERO,
                stale_if_error: Duration::ZERO,
            }),
            ..*delivery().policy()
        };
        let delivery = Delivery::new(policy)
            .cors(Cors::Origins(vec![OriginPattern::parse("https://shop.example").unwrap()]))
            .timing_allow_origin(HeaderValue::from_static("*"))
            .cache_tag_name(HeaderName::from_static("x-tags"));
        let mut headers = HeaderMap::new();
        headers.insert("origin", HeaderValue::from_static("https://shop.example"));
        let context = Context {
            expires: Some(at(200)),
            disposition: Some(HeaderValue::from_static("attachment")),
            ignored_parameters: Some(HeaderValue::from_static("\"x\"")),
            server_timing: Some(HeaderValue::from_static("lookup;dur=0.01")),
            ..context(&delivery)
        };
        let response = respond(Request { method: &Method::GET, headers: &headers }, &stored(), context);
        let expected = [
            ("cache-control", "public, max-age=110"),
            ("cdn-cache-control", "max-age=110"),
            ("access-control-allow-origin", "https://shop.example"),
            ("timing-allow-origin", "*"),
            ("vary", "accept, origin"),
            ("x-tags", "src:a"),
            ("content-disposition", "attachment"),
            ("tintype-ignored", "\"x\""),
            ("server-timing", "lookup;dur=0.01"),
        ];
        for (name, value) in expected {
            assert_eq!(response.headers()[name], value, "{name}");
        }
        assert!(!response.headers().contains_key("cache-tag"));
    }

    #[test]
    fn vary_names_what_chose_the_rendition() {
        let request = Request { method: &Method::GET, headers: &HeaderMap::new() };
        let vary = |cors: Cors, vary| {
            let delivery = delivery().cors(cors);
            let response = respond(request, &stored(), Context { vary, ..context(&delivery) });
            response.headers().get("vary").map(|value| value.to_str().unwrap().to_owned())
        };
        assert_eq!(vary(Cors::Off, Vary::NOTHING), None);
        assert_eq!(vary(Cors::Any, Vary::NOTHING), None);
        assert_eq!(vary(Cors::Any, Vary::ACCEPT).unwrap(), "accept");
        assert_eq!(vary(Cors::Origins(Vec::new()), Vary::NOTHING).unwrap(), "origin");
        let all = Vary { accept: true, width: true, height: false, save_data: true, referrer: false };
        assert_eq!(
            vary(Cors::Origins(Vec::new()), all).unwrap(),
            "accept, sec-ch-width, sec-ch-viewport-width, sec-ch-dpr, width, viewport-width, dpr, save-data, origin"
        );
    }
}
