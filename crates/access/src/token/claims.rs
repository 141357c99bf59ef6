//! What a token says, once its signature holds: our own claims, and those of Cognito and other issuers.
//!
//! Invariant: every token has an end, and is looked at with the same leeway.

use crate::{Denied, Grant, Role};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The claims of an access token of our own issuer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Issuer.
    pub iss: String,
    /// For whom.
    pub aud: String,
    /// Who.
    pub sub: String,
    /// Until, Unix seconds.
    pub exp: i64,
    /// Since, Unix seconds.
    pub iat: i64,
    /// This token's own name.
    pub jti: String,
    /// The session.
    pub sid: String,
    /// The tenant that it is for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub tenant: String,
    /// What the subject is there.
    #[serde(default)]
    pub roles: Vec<Role>,
    /// Limits, with blanks between.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub scope: String,
    /// What was granted besides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grants: Vec<Grant>,
}

/// The claims of anybody's token.
#[derive(Debug, Deserialize)]
pub(super) struct Foreign(pub(super) Map<String, Value>);

impl Foreign {
    /// A text.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    /// One text or several.
    pub(super) fn texts(&self, name: &str) -> Vec<&str> {
        match self.0.get(name) {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }

    /// Whether it is good at this time, give or take the leeway.
    pub(super) fn in_time(&self, now: Timestamp, leeway: i64) -> Result<(), Denied> {
        let now = now.as_second();
        // Some issuers write fractions.
        #[expect(clippy::cast_possible_truncation, reason = "what is beyond an i64 is cut off there, and far from now")]
        let seconds = |value: &Value| value.as_i64().or_else(|| value.as_f64().map(|seconds| seconds as i64));
        let end = self.0.get("exp").and_then(seconds).ok_or(Denied::Token("it has no end"))?;
        if now >= end.saturating_add(leeway) {
            return Err(Denied::Expired);
        }
        for name in ["nbf", "iat"] {
            let Some(value) = self.0.get(name) else { continue };
            let start = seconds(value).ok_or(Denied::Token("its times cannot be read"))?;
            if start > now.saturating_add(leeway) {
                return Err(Denied::Token("its time has not begun"));
            }
        }
        Ok(())
    }
}
