//! `[signing]`: who may ask for what.

use service::config::{Choice, Reader, Secret, Section};

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
    pub secret: Secret,
    pub tenant: String,
    pub prefix: Option<String>,
    pub parameters: Vec<String>,
}

impl Section for SigningConfig {
    const DOC: &'static str = "Signed URLs: see docs/signing.md.";

    fn read(r: &mut Reader<'_>) -> Self {
        let config = Self {
            mode: r.choice("mode", SigningMode::Disabled, "disabled: anybody may ask for anything. optional: a signature that is there must be right. required: all others are refused."),
            host: r.bool("host", false, "Whether the host is part of what is signed."),
            unsigned_beyond_loopback: r.bool("unsigned_beyond_loopback", false, "Accept unsigned requests on addresses that others can reach. Without it the server refuses to start so."),
            keys: r.tables("keys", &[]),
        };
        if config.mode != SigningMode::Disabled && config.keys.is_empty() {
            r.reject(
                "keys",
                "none",
                "at least one key, where mode is not disabled",
                "add [[signing.keys]] with kid and secret",
            );
        }
        config
    }
}

impl Section for KeyConfig {
    const DOC: &'static str = "A key; several allow rotation.";

    fn read(r: &mut Reader<'_>) -> Self {
        let kid = r.required(
            "kid",
            "2026-11",
            "The name that URLs give as `kid`. The first key also serves URLs without one.",
        );
        let secret = r.secret(
            "secret",
            "The secret, at least 32 characters. Better in the environment: TINTYPE__SIGNING__KEYS__0__SECRET.",
        );
        let secret = secret.unwrap_or_else(|| {
            r.reject("secret", "nothing", "a secret of at least 32 characters", "such as from: openssl rand -hex 32");
            Secret::new("")
        });
        if !secret.expose().is_empty() && secret.expose().len() < 32 {
            r.reject("secret", "(hidden)", "at least 32 characters", "such as from: openssl rand -hex 32");
        }
        Self {
            kid,
            secret,
            tenant: r.string("tenant", "default", "Whose renditions these are: part of every cache key."),
            prefix: r.optional_string("prefix", "/img/public/", "The key is good below this path only."),
            parameters: r.list("parameters", &[], "The key is good for these parameters only; none listed: for all."),
        }
    }
}
