//! `[signing]`: who may ask for what.

use super::moment::Moment;
use crate::secret::Source;
use service::config::{Choice, Reader, Section};
use signature::Allowed;

/// Whether requests must carry a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SigningMode {
    /// Signatures are not looked at.
    Disabled,
    /// A signature that is there must be right.
    Optional,
    /// Every request must carry one.
    Required,
}

impl Choice for SigningMode {
    const NAMES: &'static [(&'static str, Self)] =
        &[("disabled", Self::Disabled), ("optional", Self::Optional), ("required", Self::Required)];
}

impl SigningMode {
    /// The name in the config.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Disabled => "disabled",
            Self::Optional => "optional",
            Self::Required => "required",
        }
    }
}

/// Signatures.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "each key is described where it is read")]
pub struct SigningConfig {
    pub mode: SigningMode,
    pub host: bool,
    pub unsigned_beyond_loopback: bool,
    pub keys: Vec<KeyConfig>,
}

/// One key.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "each key is described where it is read")]
pub struct KeyConfig {
    pub kid: String,
    pub secret: Source,
    pub tenant: String,
    pub not_before: Option<Moment>,
    pub not_after: Option<Moment>,
    pub prefix: Option<String>,
    pub parameters: Vec<Allowed>,
}

impl Section for SigningConfig {
    const DOC: &'static str = "Signed URLs: see docs/signing.md.";

    fn read(r: &mut Reader<'_>) -> Self {
        let mode = r.optional_choice(
            "mode",
            SigningMode::Required,
            "disabled: anybody may ask for anything. optional: a signature that is there must be right. required: all \
             others are refused. Left out: required where there are keys, else disabled.",
        );
        let host = r.bool("host", false, "Whether the host is part of what is signed.");
        let unsigned_beyond_loopback = r.bool(
            "unsigned_beyond_loopback",
            false,
            "Accept unsigned requests on addresses that others can reach. Without it the server refuses to start so.",
        );
        let keys: Vec<KeyConfig> = r.tables("keys", &[]);
        let mode = mode.unwrap_or(if keys.is_empty() { SigningMode::Disabled } else { SigningMode::Required });
        if mode != SigningMode::Disabled && keys.is_empty() {
            r.reject(
                "keys",
                "none",
                "at least one key, where mode is not disabled",
                "add [[signing.keys]] with kid and secret",
            );
        }
        for (number, key) in keys.iter().enumerate() {
            if keys.iter().take(number).any(|other| other.kid == key.kid) {
                r.reject(&format!("keys.{number}.kid"), &key.kid, "a kid of its own", "another key has it");
            }
        }
        Self { mode, host, unsigned_beyond_loopback, keys }
    }
}

impl Section for KeyConfig {
    const DOC: &'static str = "A key; several allow rotation. Read again on SIGHUP and when a file changes.";

    fn read(r: &mut Reader<'_>) -> Self {
        let config = Self {
            kid: r.required(
                "kid",
                "2026-11",
                "The name that URLs give as `kid`. The first key also serves URLs without one.",
            ),
            secret: Source::read(r),
            tenant: r.string("tenant", "default", "Whose renditions these are: part of every cache key."),
            not_before: r.optional_parsed(
                "not_before",
                "2026-11-30T18:00:00Z",
                "The key is good from then on; a date alone is its first second in UTC.",
            ),
            not_after: r.optional_parsed(
                "not_after",
                "2027-11-30",
                "The key is void from then on, and answers are not cached beyond.",
            ),
            prefix: r.optional_string("prefix", "/img/public/", "The key is good below this path only."),
            parameters: r.list(
                "parameters",
                &[],
                "The key is good for these parameters only; none listed: for all. \"w\" allows any value, \
                 \"w=320|640\" these, \"w<=800\" numbers up to it.",
            ),
        };
        if let (Some(from), Some(until)) = (config.not_before, config.not_after)
            && from >= until
        {
            r.reject("not_after", "(not after not_before)", "a moment after not_before", "");
        }
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        if !(1..=64).contains(&config.kid.len()) || !config.kid.bytes().all(plain) {
            r.reject("kid", &config.kid, "1 to 64 of A-Z a-z 0-9 . _ -", "");
        }
        if config.prefix.as_ref().is_some_and(|prefix| !prefix.starts_with('/')) {
            r.reject("prefix", config.prefix.as_deref().unwrap_or_default(), "a path that begins with /", "");
        }
        config
    }
}
