//! `[secrets]`: how secrets are kept up to date.

use service::config::{Reader, Section};
use std::time::Duration;

/// How secrets are kept up to date.
#[derive(Clone, Debug)]
pub struct SecretsConfig {
    /// Between two looks at files.
    pub check: Duration,
}

impl Section for SecretsConfig {
    const DOC: &'static str = "How secrets are kept up to date while the server runs: see docs/signing.md.";

    fn read(r: &mut Reader<'_>) -> Self {
        Self {
            check: r.duration(
                "check",
                "5s",
                "50ms"..="1h",
                "How often files of secrets, and the configuration's own, are looked at. What is wrong is told in the log, \
                 and what was in force stays.",
            ),
        }
    }
}
