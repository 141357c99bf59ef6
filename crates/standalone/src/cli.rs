//! The command line of `tintype-standalone`.

use crate::config::Config;
use crate::{edge, serve, signing};
use clap::{Parser, Subcommand};
use companion::arguments::{CheckArguments, ConfigArguments};
use service::config::ConfigErrors;
use service::health::{self, Probe, Target};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

/// How long `health` waits for an answer.
const HEALTH_TIMEOUT: Duration = Duration::from_secs(3);

/// Tintype, all in one process: the edge server, sign-in, uploads, index, search, and a console for people at `/`.
#[derive(Debug, Parser)]
#[command(
    name = "tintype-standalone",
    version,
    max_term_width = 110,
    after_help = "Exit status:\n  0  done\n  1  it could not be done\n  2  the command line is wrong\n  \
    3  the configuration is wrong\n  4  health: the server is not ready"
)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run until SIGTERM or SIGINT, then drain. The first start makes an administrator and prints the password, once.
    #[command(
        after_help = "Examples:\n  tintype-standalone serve\n  tintype-standalone serve --config config.toml\n  \
        tintype-standalone serve --set platform.data=/var/lib/tintype --set server.listen=0.0.0.0:8080"
    )]
    Serve {
        #[command(flatten)]
        config: ConfigArguments,
        /// On the first start, import the pictures of this folder, so that there is something to see; where that was
        /// interrupted, the next start goes on.
        #[arg(long, value_name = "FOLDER")]
        first_import: Option<PathBuf>,
    },
    /// Compare records, originals, published names and the index, and say what does not fit. Stop the server before.
    Check(ConfigArguments),
    /// Give an account a new password, print it once, and end the account's sessions. The server may be running.
    ResetPassword {
        /// Whose.
        #[arg(default_value = auth::EMAIL)]
        email: String,
        #[command(flatten)]
        config: ConfigArguments,
    },
    /// Say everything that is wrong with a configuration, or print it.
    CheckConfig(CheckArguments),
    /// Ask a running server whether it is ready (for container health checks).
    Health(ConfigArguments),
}

enum Failure {
    Failed(String),
    Config(ConfigErrors),
    NotReady(String),
}

impl From<ConfigErrors> for Failure {
    fn from(errors: ConfigErrors) -> Self {
        Self::Config(errors)
    }
}

impl Arguments {
    /// Does what was asked.
    pub fn run(self) -> ExitCode {
        let (code, text) = match self.command.obey() {
            Ok(()) => return ExitCode::SUCCESS,
            Err(Failure::Failed(text)) => (1, text),
            Err(Failure::Config(errors)) => (3, errors.to_string()),
            Err(Failure::NotReady(text)) => (4, text),
        };
        eprintln!("tintype-standalone: {text}");
        ExitCode::from(code)
    }
}

impl Command {
    fn obey(self) -> Result<(), Failure> {
        match self {
            Self::Serve { config, first_import } => {
                let mut loaded = config.load()?;
                complete(&mut loaded.config).map_err(Failure::Failed)?;
                let (file, first) = (config.config.clone(), loaded.config.edge.clone());
                let again = move || {
                    let mut loaded = config.load().map_err(|errors| errors.to_string())?;
                    complete(&mut loaded.config)?;
                    signing::keep(&mut loaded.config.edge, &first);
                    Ok(loaded.part(|config: &Config| config.edge.clone()))
                };
                serve::live(&loaded, file.as_deref(), Arc::new(again), first_import.as_deref()).map_err(Failure::Failed)
            }
            Self::Check(arguments) => check(&arguments.load::<Config>()?.config).map_err(Failure::Failed),
            Self::ResetPassword { email, config } => {
                reset_password(&config.load::<Config>()?.config, &email).map_err(Failure::Failed)
            }
            Self::CheckConfig(arguments) => Ok(arguments.check::<Config>()?),
            Self::Health(arguments) => {
                let edge = arguments.load::<Config>()?.config.edge;
                let address = edge.server.admin;
                let tls = edge.admin.client(address, None).map_err(Failure::Failed)?;
                let answer = health::ask(&Target { address, token: None, tls }, Probe::Ready, HEALTH_TIMEOUT);
                println!("{}", answer.map_err(|unhealthy| Failure::NotReady(unhealthy.to_string()))?.trim_end());
                Ok(())
            }
        }
    }
}

/// Adds what follows from the rest.
fn complete(config: &mut Config) -> Result<(), String> {
    edge::complete(config)?;
    signing::complete(config)
}

fn reset_password(config: &Config, email: &str) -> Result<(), String> {
    let runtime = tokio::runtime::Runtime::new().map_err(|error| error.to_string())?;
    let account = runtime.block_on(async { auth::Auth::open(&config.auth).await?.reset_password(email).await })?;
    let account = account.ok_or_else(|| format!("there is no account {email:?}"))?;
    println!("e-mail:   {}\npassword: {}", account.email, account.password);
    Ok(())
}

fn check(config: &Config) -> Result<(), String> {
    let runtime = tokio::runtime::Runtime::new().map_err(|error| error.to_string())?;
    let (findings, checked) = runtime.block_on(async {
        let aws = aws::Aws::new();
        let catalog = catalog::open(&config.catalog, &aws).await.map_err(|error| format!("catalog: {error}"))?;
        let store = store::open(&config.store, &aws)?;
        let findings = ingest::checker::check(&*catalog, &*store).await?;
        let finder = config.finder.open().map_err(|error| format!("finder: {error}"))?.finder;
        let indexer = index::Indexer::new(catalog, finder, config.index.policy(), index::Metrics::default());
        // Nothing is under way: there is nothing to wait for.
        let checked = indexer.check(false, Duration::ZERO, |_records| true).await.map_err(|failure| failure.reason)?;
        Ok::<_, String>((findings, checked.unwrap_or_default()))
    })?;
    println!("{findings}\n{checked}");
    if findings.is_sound() && checked.is_sound() { Ok(()) } else { Err("there are differences".to_owned()) }
}
