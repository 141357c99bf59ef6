//! The access log: a line for each request, or for a share of them and all errors, in JSON or the common forms.
//!
//! Owns the forms and what must not be in them (signatures). Does not know how lines are written. Invariant: whatever a client
//! sends, it cannot end a line or a field.

use crate::answer::RequestId;
use crate::semantics::Outcome;
use http::header::{REFERER, USER_AGENT};
use http::request::Parts;
use http::{HeaderMap, HeaderName, Version};
use serde::Serialize;
use service::config::{Choice, Reader, Section};
use service::telemetry::{Lines, Sink};
use std::fmt::{self, Write as _};
use std::io;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The form of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// No lines.
    Off,
    /// An object a line.
    Json,
    /// NCSA's.
    Common,
    /// The same with referrer and user agent.
    Combined,
}

impl Choice for Form {
    const NAMES: &'static [(&'static str, Self)] =
        &[("off", Self::Off), ("json", Self::Json), ("common", Self::Common), ("combined", Self::Combined)];
}

/// `[access_log]`.
#[derive(Clone, Debug)]
pub struct AccessConfig {
    pub format: Form,
    pub file: Option<PathBuf>,
    pub sample: f64,
}

impl Section for AccessConfig {
    const DOC: &'static str = "A line for each request. See docs/signals.md.";

    fn read(r: &mut Reader<'_>) -> Self {
        Self {
            format: r.choice("format", Form::Off, "json, or a form that log analysers know."),
            file: r.optional_parsed(
                "file",
                "/var/log/tintype/access.log",
                "Left out: standard output. One that is moved away is opened anew.",
            ),
            sample: r.float("sample", 1.0, 0.0..=1.0, "Share of requests that get a line; errors always do."),
        }
    }
}

/// One request, answered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry<'a> {
    pub(crate) at: SystemTime,
    pub(crate) client: IpAddr,
    pub(crate) request: &'a Parts,
    pub(crate) id: RequestId,
    pub(crate) status: u16,
    pub(crate) bytes: u64,
    pub(crate) took: Duration,
    pub(crate) outcome: Option<Outcome>,
}

/// Writes lines.
#[derive(Debug)]
pub(crate) struct AccessLog {
    form: Form,
    share: f64,
    lines: Lines,
}

impl AccessLog {
    /// `None` where it is off.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub(crate) fn open(config: &AccessConfig) -> io::Result<Option<Self>> {
        if config.format == Form::Off {
            return Ok(None);
        }
        let sink = config.file.clone().map_or(Sink::Output, Sink::File);
        Ok(Some(Self { form: config.format, share: config.sample, lines: Lines::open(&sink)? }))
    }

    /// Writes the entry's line, if it gets one.
    pub(crate) fn write(&self, entry: &Entry<'_>) {
        if entry.status >= 400 || service::otlp::chance(self.share) {
            self.lines.write(line(self.form, entry).as_bytes());
        }
    }
}

fn line(form: Form, entry: &Entry<'_>) -> String {
    let mut line = match form {
        Form::Json => json(entry),
        Form::Off | Form::Common | Form::Combined => common(entry),
    };
    if form == Form::Combined {
        for name in [REFERER, USER_AGENT] {
            line.push_str(" \"");
            quote(&mut line, field(&entry.request.headers, &name).as_deref().unwrap_or("-"));
            line.push('"');
        }
    }
    line.push('\n');
    line
}

fn json(entry: &Entry<'_>) -> String {
    #[derive(Serialize)]
    struct Line<'a> {
        time: String,
        id: String,
        client: IpAddr,
        method: &'a str,
        host: Option<String>,
        target: String,
        protocol: &'static str,
        status: u16,
        bytes: u64,
        micros: u64,
        cache: &'static str,
        tier: Option<&'static str>,
        referer: Option<String>,
        user_agent: Option<String>,
    }
    let headers = &entry.request.headers;
    let authority = entry.request.uri.authority().map(ToString::to_string);
    let line = Line {
        time: rfc3339(entry.at),
        id: entry.id.to_string(),
        client: entry.client,
        method: entry.request.method.as_str(),
        host: authority.or_else(|| field(headers, &http::header::HOST)),
        target: target(entry.request),
        protocol: protocol(entry.request.version),
        status: entry.status,
        bytes: entry.bytes,
        micros: u64::try_from(entry.took.as_micros()).unwrap_or(u64::MAX),
        cache: entry.outcome.map_or("none", Outcome::as_str),
        tier: entry.outcome.and_then(Outcome::tier).map(crate::semantics::Tier::as_str),
        referer: field(headers, &REFERER),
        user_agent: field(headers, &USER_AGENT),
    };
    serde_json::to_string(&line).expect("texts and numbers are always JSON")
}

/// `host ident authuser date request status bytes`.
fn common(entry: &Entry<'_>) -> String {
    let Entry { client, request, status, bytes, .. } = *entry;
    let mut line = format!("{client} - - [{}] \"", clf_date(entry.at));
    quote(&mut line, request.method.as_str());
    line.push(' ');
    quote(&mut line, &target(request));
    // Writing to a `String` cannot fail.
    let _ = write!(line, " {}\" {status} {bytes}", protocol(request.version));
    line
}

fn target(request: &Parts) -> String {
    Unsigned(request.uri.path_and_query().map_or("", http::uri::PathAndQuery::as_str)).to_string()
}

/// A request target without its signature: whoever reads logs shall not be able to use the URL.
pub(crate) struct Unsigned<'a>(pub(crate) &'a str);

impl fmt::Display for Unsigned<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((path, query)) = self.0.split_once('?') else { return f.write_str(self.0) };
        write!(f, "{path}?")?;
        for (number, pair) in query.split('&').enumerate() {
            let separator = if number == 0 { "" } else { "&" };
            let shown = if pair.starts_with("s=") { "s=…" } else { pair };
            write!(f, "{separator}{shown}")?;
        }
        Ok(())
    }
}

const fn protocol(version: Version) -> &'static str {
    match version {
        Version::HTTP_10 => "HTTP/1.0",
        Version::HTTP_2 => "HTTP/2.0",
        Version::HTTP_3 => "HTTP/3.0",
        _ => "HTTP/1.1",
    }
}

fn field(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}

/// As Apache does: what could end the field or the line is escaped.
fn quote(line: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '"' | '\\' => {
                line.push('\\');
                line.push(character);
            }
            control if control.is_control() => {
                let _ = write!(line, "\\x{:02x}", u32::from(control));
            }
            other => line.push(other),
        }
    }
}

/// `Sun, 06 Nov 1994 08:49:37 GMT` in its parts: day, month, year, time.
fn parts(at: SystemTime) -> Option<(String, String, String, String)> {
    let text = httpdate::fmt_http_date(at);
    let mut words = text.split(' ').skip(1).map(str::to_owned);
    Some((words.next()?, words.next()?, words.next()?, words.next()?))
}

fn clf_date(at: SystemTime) -> String {
    parts(at).map_or_else(String::new, |(day, month, year, time)| format!("{day}/{month}/{year}:{time} +0000"))
}

fn rfc3339(at: SystemTime) -> String {
    const MONTHS: &str = "JanFebMarAprMayJunJulAugSepOctNovDec";
    let millis = at.duration_since(UNIX_EPOCH).map_or(0, |since| since.subsec_millis());
    parts(at).map_or_else(String::new, |(day, month, year, time)| {
        let number = MONTHS.find(&month).map_or(0, |at| at / 3 + 1);
        format!("{year}-{number:02}-{day}T{time}.{millis:03}Z")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::semantics::Tier;
    use http::Request;
    use proptest::prelude::*;

    fn shown(form: Form, target: &str, agent: &[u8]) -> String {
        let agent = http::HeaderValue::from_bytes(agent).unwrap();
        let request = Request::get(target).header("user-agent", agent).header("host", "h").body(()).unwrap();
        let entry = Entry {
            at: UNIX_EPOCH + Duration::from_millis(784_111_777_042),
            client: "192.0.2.1".parse().unwrap(),
            request: &request.into_parts().0,
            id: RequestId::from(7),
            status: 200,
            bytes: 1234,
            took: Duration::from_micros(56),
            outcome: Some(Outcome::Hit(Tier::Memory)),
        };
        line(form, &entry)
    }

    #[test]
    fn the_forms() {
        let common = "192.0.2.1 - - [06/Nov/1994:08:49:37 +0000] \"GET /img/a?w=1&s=… HTTP/1.1\" 200 1234";
        assert_eq!(shown(Form::Common, "/img/a?w=1&s=secret", b"me"), format!("{common}\n"));
        let combined = format!("{common} \"-\" \"me \\\"\\\\\"\n");
        assert_eq!(shown(Form::Combined, "/img/a?w=1&s=secret", b"me \"\\"), combined);
        let json: serde_json::Value = serde_json::from_str(&shown(Form::Json, "/img/a?s=x", b"me")).unwrap();
        assert_eq!(json["time"], "1994-11-06T08:49:37.042Z");
        for (name, value) in
            [("target", "/img/a?s=…"), ("cache", "hit"), ("tier", "memory"), ("host", "h"), ("id", "0000000000000007")]
        {
            assert_eq!(json[name], value, "{name}");
        }
        assert_eq!((&json["micros"], &json["status"]), (&56.into(), &200.into()));
    }

    #[test]
    fn signatures_do_not_reach_the_log() {
        assert_eq!(Unsigned("/img/a?w=1&s=abc&kid=k").to_string(), "/img/a?w=1&s=…&kid=k");
        assert_eq!(Unsigned("/img/a?s=abc").to_string(), "/img/a?s=…");
        assert_eq!(Unsigned("/img/a").to_string(), "/img/a");
    }

    proptest! {
        #[test]
        fn nobody_ends_a_line_or_a_field(agent in proptest::collection::vec(any::<u8>(), 0..40)) {
            let agent: Vec<u8> = agent.into_iter().filter(|byte| *byte == b'\t' || (*byte >= 32 && *byte != 127)).collect();
            for form in [Form::Json, Form::Combined] {
                let text = shown(form, "/img/a", &agent);
                prop_assert_eq!(text.matches('\n').count(), 1);
            }
            let text = shown(Form::Combined, "/img/a", &agent);
            let bare = text.replace("\\\\", "").replace("\\\"", "");
            prop_assert_eq!(bare.matches('"').count(), 6);
        }
    }
}
