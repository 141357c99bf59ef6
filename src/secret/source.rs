//! Where a secret is, as a table of the config says it: of several ways exactly one.
//!
//! Invariant: a table that needs a secret and has none, or two, is a fault of the config that names all ways.

use service::config::{Reader, Secret};
use std::fmt;
use std::path::PathBuf;

/// Where a secret is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// In the config itself.
    Given(Secret),
    /// In a variable of the environment.
    Variable(String),
    /// In a file, whose bytes it is but for the end of the last line.
    File(PathBuf),
    /// In AWS Secrets Manager.
    Managed {
        /// Its name or ARN.
        name: String,
        /// Which text of its JSON; without it the whole.
        field: Option<String>,
    },
}

/// Secrets that are written into a config are typed or pasted: shorter ones can be tried out.
const SHORTEST: usize = 32;
/// What to do where there is none.
const HINT: &str = "make one with: openssl rand -hex 32";

impl Source {
    /// The keys `secret`, `secret_env`, `secret_file`, `secret_name` and `secret_field`. Where they are wrong, the fault is noted.
    pub fn read(r: &mut Reader<'_>) -> Self {
        let given = r.secret("secret", "The secret, at least 32 characters. Better in one of the following places.");
        let variable =
            r.optional_string("secret_env", "TINTYPE_KEY", "Or the variable of the environment that holds it.");
        let file: Option<PathBuf> = r.optional_parsed(
            "secret_file",
            "/run/secrets/tintype",
            "Or the file that holds it; its last line's end is no part of it. Read again when it changes.",
        );
        let name = r.optional_string(
            "secret_name",
            "tintype/signing",
            "Or its name (or ARN) in AWS Secrets Manager; the version before the current one is taken too.",
        );
        let field = r.optional_string("secret_field", "k1", "Which text of its JSON, where it is JSON with several.");
        if let (Some(field), None) = (&field, &name) {
            r.reject("secret_field", field, "a secret_name beside it", "");
        }
        if given.as_ref().is_some_and(|secret| secret.expose().len() < SHORTEST) {
            r.reject("secret", "(hidden)", "at least 32 characters", HINT);
        }
        let ways = [
            given.map(Self::Given),
            variable.map(Self::Variable),
            file.map(Self::File),
            name.map(|name| Self::Managed { name, field }),
        ];
        let mut ways = ways.into_iter().flatten();
        let found = ways.next();
        if found.is_none() || ways.next().is_some() {
            let number = if found.is_none() { "nothing" } else { "(several)" };
            r.reject("secret", number, "one of secret, secret_env, secret_file, secret_name", HINT);
        }
        found.unwrap_or_else(|| Self::Given(Secret::new("")))
    }

    /// The file, where it is one: to be watched.
    pub(crate) fn file(&self) -> Option<&std::path::Path> {
        match self {
            Self::File(path) => Some(path),
            _ => None,
        }
    }
}

/// The place, never the secret.
impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Given(_) => f.write_str("the secret in the config"),
            Self::Variable(name) => write!(f, "the variable {name}"),
            Self::File(path) => write!(f, "the file {}", path.display()),
            Self::Managed { name, .. } => write!(f, "AWS Secrets Manager's {name}"),
        }
    }
}
