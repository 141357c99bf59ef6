//! The token that a command shows to the admin listener: out of a file, the environment, or the configuration.
//!
//! Invariant: it is never an argument, where every user of the machine could read it, and is printed nowhere.

use super::Failure;
use crate::config::Config;
use crate::secret::{Source, Vault};
use clap::Args;
use std::path::PathBuf;

/// The variable of the environment.
const VARIABLE: &str = "TINTYPE_ADMIN_TOKEN";

/// Where the token is.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct TokenArguments {
    /// A file with the token for the admin listener; without it TINTYPE_ADMIN_TOKEN, then the first of [[admin.tokens]].
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
}

impl TokenArguments {
    /// The token, where there is one.
    ///
    /// # Errors
    /// It cannot be read, or no header could hold it.
    pub(super) fn token(&self, config: &Config) -> Result<Option<String>, Failure> {
        let named = self.token_file.clone().map(Source::File);
        let variable = || std::env::var_os(VARIABLE).map(|_| Source::Variable(VARIABLE.to_owned()));
        let configured = || config.admin.tokens.first().map(|token| token.secret.clone());
        let Some(source) = named.or_else(variable).or_else(configured) else { return Ok(None) };
        let values = Vault::new(&config.secrets, &aws::Aws::new()).open(&source).map_err(Failure::Failed)?;
        let token = values.first().and_then(|value| std::str::from_utf8(value.expose()).ok()).map(str::trim);
        match token {
            Some(token) if !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic()) => {
                Ok(Some(token.to_owned()))
            }
            _ => Err(Failure::Failed(format!("{source} is no token: it has characters that a header cannot have"))),
        }
    }
}
