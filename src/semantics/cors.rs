//! Who may read responses across origins: the CORS protocol of the Fetch standard, and preflight requests.
//!
//! Owns the fields of CORS. Does not know routes. Invariant: credentials are never allowed, and a response that depends on
//! `Origin` says so in `Vary` (also where there was no `Origin`).

use bytes::Bytes;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, ALLOW, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};

/// The methods that are answered.
pub const ALLOWED_METHODS: &str = "GET, HEAD, OPTIONS";

/// What scripts may see beyond the few fields that they always may.
const EXPOSED: &str = "age, cache-status, content-range, etag, server-timing, tintype-ignored";

/// Who may read responses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Cors {
    /// Nobody but pages of the same origin; `<img>` shows pictures all the same.
    #[default]
    Off,
    /// Every page.
    Any,
    /// Pages of these origins.
    Origins(Vec<OriginPattern>),
}

/// An origin as browsers send it, `https://shop.example`, or all below one: `https://*.example.org`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OriginPattern {
    /// `https://`.
    start: Box<str>,
    /// `.example.org`; the whole rest where there is no star.
    end: Box<str>,
    below: bool,
}

impl OriginPattern {
    /// `None` where the text is no origin: a scheme, a host, a port at most.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let (host, below) = rest.strip_prefix('*').map_or((rest, false), |host| (host, true));
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
        let sound = !host.is_empty() && host.bytes().all(plain) && host.starts_with('.') == below && host != ".";
        let known = !scheme.is_empty() && scheme.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
        let (start, end) = (format!("{scheme}://").into(), host.to_ascii_lowercase().into());
        (sound && known).then_some(Self { start, end, below })
    }

    fn covers(&self, origin: &HeaderValue) -> bool {
        let rest = origin.as_bytes().strip_prefix(self.start.as_bytes());
        match (rest, self.below) {
            (Some(rest), false) => *rest == *self.end.as_bytes(),
            // One label or more; what is before the dot is a host's beginning, or it would not be the end of one.
            (Some(rest), true) => rest.strip_suffix(self.end.as_bytes()).is_some_and(|label| {
                !label.is_empty() && label.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(byte))
            }),
            (None, _) => false,
        }
    }
}

impl Cors {
    /// Whether the fields depend on the request's `Origin`.
    #[must_use]
    pub fn varies(&self) -> bool {
        matches!(self, Self::Origins(_))
    }

    fn allowed(&self, request: &HeaderMap) -> Option<HeaderValue> {
        match self {
            Self::Off => None,
            Self::Any => Some(const { HeaderValue::from_static("*") }),
            Self::Origins(origins) => {
                let origin = request.get(ORIGIN)?;
                origins.iter().any(|known| known.covers(origin)).then(|| origin.clone())
            }
        }
    }

    /// Adds the fields for a response that can be read.
    pub fn apply(&self, request: &HeaderMap, response: &mut HeaderMap) {
        if let Some(origin) = self.allowed(request) {
            response.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            // Only pages that read the response by script care, and those send `Origin`.
            if request.contains_key(ORIGIN) {
                response.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
            }
        }
    }

    /// The answer to OPTIONS: what is allowed (RFC 9110 §9.3.7), and to a preflight from an allowed origin, that it is.
    #[must_use]
    pub fn options(&self, request: &HeaderMap) -> Response<Bytes> {
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = StatusCode::NO_CONTENT;
        let headers = response.headers_mut();
        headers.insert(ALLOW, HeaderValue::from_static(ALLOWED_METHODS));
        if self.varies() {
            headers.insert(VARY, HeaderValue::from_static("origin"));
        }
        if request.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
            && let Some(origin) = self.allowed(request)
        {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(ALLOWED_METHODS));
            let conditional = "if-match, if-modified-since, if-none-match, if-range, if-unmodified-since, range";
            headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(conditional));
            headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
        }
        response
    }
}

/// The methods of RFC 9110 that pictures know.
#[must_use]
pub fn is_allowed(method: &Method) -> bool {
    *method == Method::GET || *method == Method::HEAD || *method == Method::OPTIONS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(fields: &[(&'static str, &'static str)]) -> HeaderMap {
        fields.iter().map(|&(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value))).collect()
    }

    fn applied(cors: &Cors, origin: Option<&'static str>) -> Option<HeaderValue> {
        let mut response = HeaderMap::new();
        let fields: Vec<_> = origin.map(|origin| ("origin", origin)).into_iter().collect();
        cors.apply(&request(&fields), &mut response);
        assert!(!response.contains_key("access-control-allow-credentials"));
        response.get(ACCESS_CONTROL_ALLOW_ORIGIN).cloned()
    }

    #[test]
    fn who_may_read() {
        let listed = Cors::Origins(vec![OriginPattern::parse("https://a.example").unwrap()]);
        assert_eq!(applied(&Cors::Off, Some("https://a.example")), None);
        assert_eq!(applied(&Cors::Any, None).unwrap(), "*");
        assert_eq!(applied(&Cors::Any, Some("https://b.example")).unwrap(), "*");
        assert_eq!(applied(&listed, Some("https://a.example")).unwrap(), "https://a.example");
        assert_eq!(applied(&listed, Some("https://a.example.evil")), None);
        assert_eq!(applied(&listed, Some("null")), None);
        assert_eq!(applied(&listed, None), None);
        let below = Cors::Origins(vec![OriginPattern::parse("https://*.a.example").unwrap()]);
        for (origin, fine) in [
            ("https://b.a.example", true),
            ("https://c.b.a.example", true),
            ("https://a.example", false),
            ("https://.a.example", false),
            ("https://aa.example", false),
            ("http://b.a.example", false),
            ("https://b.a.example:8443", false),
            ("https://evil/.a.example", false),
            ("https://evil@x.a.example", false),
        ] {
            assert_eq!(applied(&below, Some(origin)).is_some(), fine, "{origin}");
        }
        for bad in
            ["", "*", "a.example", "https://", "https://*", "https://*.", "https://*a", "https://a/b", "https://a b"]
        {
            assert!(OriginPattern::parse(bad).is_none(), "{bad}");
        }
        assert!(EXPOSED.split(", ").any(|name| name == super::super::note::IGNORED_PARAMETERS));
    }

    #[test]
    fn preflight() {
        let ask = request(&[("origin", "https://a.example"), ("access-control-request-method", "GET")]);
        let response = Cors::Any.options(&ask);
        assert_eq!(response.status(), StatusCode::NO_CONTENT);
        assert_eq!(response.headers()[ACCESS_CONTROL_ALLOW_METHODS], ALLOWED_METHODS);
        assert_eq!(response.headers()[ACCESS_CONTROL_ALLOW_ORIGIN], "*");
        let plain = Cors::Any.options(&request(&[]));
        assert_eq!(plain.headers()[ALLOW], ALLOWED_METHODS);
        assert!(!plain.headers().contains_key(ACCESS_CONTROL_ALLOW_ORIGIN));
        let refused = Cors::Origins(Vec::new()).options(&ask);
        assert!(!refused.headers().contains_key(ACCESS_CONTROL_ALLOW_ORIGIN));
        assert_eq!(refused.headers()[VARY], "origin");
        assert!(is_allowed(&Method::HEAD) && !is_allowed(&Method::POST));
    }
}
