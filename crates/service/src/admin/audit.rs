//! The audit log: one line of JSON for each act on the admin listener, and each that was refused.
//!
//! Owns the form of a line, and the file where one is asked for. Does not know what an act does: its handler may say so by
//! [`Detail`]. Invariant: no token and no signature stands in a line.

use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::certificate::Identity;

/// What an act did, for the audit log: put it into the extensions of the answer.
#[derive(Clone, Debug)]
pub struct Detail(pub String);

/// Where acts are written down: the log, as events of the target `audit`, and a file if there is one. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Audit(Option<Arc<Mutex<File>>>);

/// One act.
pub(super) struct Act<'a> {
    pub(super) at: SystemTime,
    pub(super) took: Duration,
    pub(super) who: &'a str,
    pub(super) peer: SocketAddr,
    /// What was shown beside a token, or instead of one.
    pub(super) certificate: Option<&'a Identity>,
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) query: Option<&'a str>,
    /// The caller's place in a trace, as W3C `traceparent`.
    pub(super) trace: Option<&'a str>,
    pub(super) status: u16,
    pub(super) detail: Option<&'a str>,
}

impl Audit {
    /// Lines go to the log alone.
    pub fn to_log() -> Self {
        Self::default()
    }

    /// Lines go to this file too, behind those that it has. For its owner alone where it is made here.
    ///
    /// # Errors
    /// Those of opening a file.
    pub fn to_file(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        Ok(Self(Some(Arc::new(Mutex::new(options.open(path)?)))))
    }

    pub(super) fn write(&self, act: &Act<'_>) {
        let outcome = match act.status {
            200..=399 => "done",
            401 | 403 => "refused",
            _ => "failed",
        };
        let query = act.query.map(hide);
        let (certificate, sha256) = shown(act).unzip();
        tracing::info!(
            target: "audit", who = act.who, peer = %act.peer, certificate, sha256, method = act.method, path = act.path,
            query, trace = act.trace, status = act.status, outcome, micros = micros(act.took), detail = act.detail, "admin act"
        );
        let Some(file) = &self.0 else { return };
        let line = line(act, outcome, query.as_deref());
        // One call for one line: lines of several processes do not mix.
        if let Err(error) = file.lock().unwrap_or_else(PoisonError::into_inner).write_all(line.as_bytes()) {
            tracing::error!(%error, "the audit file cannot be written");
        }
    }
}

/// A name of the certificate, and which one it is.
fn shown(act: &Act<'_>) -> Option<(String, String)> {
    act.certificate.map(|shown| (shown.to_string(), shown.sha256()))
}

fn micros(took: Duration) -> u64 {
    u64::try_from(took.as_micros()).unwrap_or(u64::MAX)
}

fn line(act: &Act<'_>, outcome: &str, query: Option<&str>) -> String {
    let mut line = String::from("{\"time\":\"");
    stamp(&mut line, act.at);
    line.push('"');
    let peer = act.peer.to_string();
    let (certificate, sha256) = shown(act).unzip();
    let texts = [
        ("who", Some(act.who)),
        ("peer", Some(peer.as_str())),
        ("certificate", certificate.as_deref()),
        ("sha256", sha256.as_deref()),
        ("method", Some(act.method)),
        ("path", Some(act.path)),
        ("query", query),
        ("trace", act.trace),
        ("outcome", Some(outcome)),
        ("detail", act.detail),
    ];
    for (name, text) in texts.into_iter().filter_map(|(name, text)| Some((name, text?))) {
        // Writing to a text does not fail, and a text is always JSON.
        let _ = write!(line, ",\"{name}\":{}", serde_json::Value::from(text));
    }
    let _ = writeln!(line, ",\"status\":{},\"micros\":{}}}", act.status, micros(act.took));
    line
}

/// RFC 3339 in UTC, with milliseconds. Days to a date as in the proleptic Gregorian calendar, by eras of 400 years that
/// begin in March.
fn stamp(out: &mut String, at: SystemTime) {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    let (days, second) = (since.as_secs() / 86_400, since.as_secs() % 86_400);
    let shifted = days + 719_468;
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    let _ =
        write!(out, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:03}Z", since.subsec_millis());
}

/// A query without signatures and tokens: whoever reads logs shall not be able to use them.
fn hide(query: &str) -> String {
    let shown = |pair: &str| match pair.split_once('=') {
        Some((name @ ("s" | "token"), _)) => format!("{name}=…"),
        // A URL inside of a value has its own, escaped.
        Some((name, value)) if value.contains("s%3D") || value.contains("s%3d") => format!("{name}=(a signed URL)"),
        _ => pair.to_owned(),
    };
    query.split('&').map(shown).collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn act<'a>(query: Option<&'a str>, detail: Option<&'a str>) -> Act<'a> {
        Act {
            at: UNIX_EPOCH + Duration::from_millis(1_795_327_716_042),
            took: Duration::from_micros(1234),
            who: "ops",
            peer: "127.0.0.1:9".parse().unwrap(),
            certificate: None,
            method: "POST",
            path: "/purge",
            query,
            trace: Some("00-1-2-01"),
            status: 200,
            detail,
        }
    }

    #[test]
    fn a_line_is_one_object() {
        let text = line(&act(Some("a=1"), Some("3 \"keys\"\n")), "done", Some("a=1"));
        assert!(text.ends_with("}\n") && text.lines().count() == 1);
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!((&value["time"], &value["trace"]), (&"2026-11-22T06:08:36.042Z".into(), &"00-1-2-01".into()));
        assert_eq!((value["detail"].as_str(), value["micros"].as_u64()), (Some("3 \"keys\"\n"), Some(1234)));
    }

    #[test]
    fn days_of_the_calendar() {
        for (seconds, date) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_399, "2000-02-28T23:59:59.000Z"),
            (951_782_400, "2000-02-29T00:00:00.000Z"),
            (4_107_542_400, "2100-03-01T00:00:00.000Z"),
            (1_798_761_599, "2026-12-31T23:59:59.000Z"),
        ] {
            let mut out = String::new();
            stamp(&mut out, UNIX_EPOCH + Duration::from_secs(seconds));
            assert_eq!(out, date);
        }
    }

    #[test]
    fn signatures_do_not_get_into_it() {
        assert_eq!(hide("url=/a&s=abc&token=x&tags=s"), "url=/a&s=…&token=…&tags=s");
        assert_eq!(hide("url=%2Fa%3Fs%3Dabc"), "url=(a signed URL)");
    }

    #[test]
    fn a_file_is_added_to() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.jsonl");
        for _ in 0..2 {
            Audit::to_file(&path).unwrap().write(&act(None, None));
        }
        assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 2);
    }
}
