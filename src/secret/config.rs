//! `[secrets]`: how secrets are kept up to date.

use aws::Access;
use service::config::{Reader, Section};
use std::time::Duration;

/// How secrets are kept up to date.
#[derive(Clone, Debug)]
pub struct SecretsConfig {
    /// Between two looks at files.
    pub check: Duration,
    /// Between two looks into AWS Secrets Manager.
    pub refresh: Duration,
    /// Where that is.
    pub access: Access,
}

/// `[secrets.aws]`.
struct Aws(Access);

impl Section for Aws {
    const DOC: &'static str = "How AWS Secrets Manager is reached, where a secret_name is given.";

    fn read(r: &mut Reader<'_>) -> Self {
        Self(Access::read(r))
    }
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
            refresh: r.duration(
                "refresh",
                "5m",
                "100ms"..="1d",
                "How often AWS Secrets Manager is asked for new versions of the secrets that it has.",
            ),
            access: r.section::<Aws>("aws").0,
        }
    }
}
