//! The command line. Each command is a thin face of a library call that the server uses too.

mod admin;
mod config;
mod info;
mod picture;
mod platform;
mod purge;
mod serve;
mod stats;
mod token;
mod trust;
mod url;
mod warm;

use clap::{Args, CommandFactory, Parser, Subcommand};
use service::config::ConfigErrors;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

const EXIT_STATUS: &str = "Exit status:\n  0  done\n  1  it could not be done, or not all of it: the message says why\n  \
    2  the command line is wrong\n  3  the configuration is wrong\n  4  health: the server is not ready\n  5  nobody is signed in";

/// An image edge server: a URL says which picture, how large, which format; it fetches the original once, makes exactly
/// that rendition, keeps it, and answers with headers that a CDN can trust.
#[derive(Debug, Parser)]
#[command(name = "tintype", version, after_help = EXIT_STATUS, max_term_width = 110)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server until SIGTERM or SIGINT, then drain.
    #[command(after_help = "Examples:\n  tintype serve --config config.toml\n  \
        tintype serve --set server.listen=127.0.0.1:9000 --set origins.0.root=./photos\n  \
        TINTYPE__SERVER__ADMIN=127.0.0.1:9001 tintype serve --config config.toml")]
    Serve(ConfigArguments),
    /// Say everything that is wrong with a configuration, or print it.
    #[command(after_help = "Examples:\n  tintype check-config --config config.toml\n  \
        tintype check-config --print default > config.toml\n  tintype check-config --config config.toml --print effective")]
    CheckConfig(config::CheckArguments),
    /// Transform one file with the server's engine, without a server.
    #[command(after_help = "Examples:\n  tintype transform photo.jpg small.webp 'w=800&f=webp'\n  \
        tintype transform photo.jpg square.jpg 'w=400&h=400&fit=cover&g=fp:0.3:0.4'\n  \
        cat photo.jpg | tintype transform - - w=200 > small.jpg")]
    Transform(picture::TransformArguments),
    /// Tell what a picture file is: format, size, frames, colours, metadata, hashes.
    #[command(after_help = "Examples:\n  tintype info photo.jpg\n  tintype info --json *.png\n  \
        tintype info --parameters meta=keep photo.jpg")]
    Info(info::InfoArguments),
    /// Show a URL's canonical form, and the key of its rendition.
    #[command(after_help = "Examples:\n  tintype url '/img/a.jpg?h=50.0&w=100'\n  \
        tintype url 'https://img.example.org/img/a.jpg?w=100&f=auto' --class avif --config config.toml")]
    Url(url::UrlArguments),
    /// Sign a URL with a key of the configuration, or have a server sign it.
    #[command(after_help = "Examples:\n  tintype sign '/img/a.jpg?w=800' --config config.toml\n  \
        tintype sign '/a/main/cats/tom.jpg?w=800' --remote --expires-in 1h\n  \
        tintype sign '/img/a.jpg?w=800' --kid 2026-11 --expires-in 1h --config config.toml")]
    Sign(url::SignArguments),
    /// Have a running server make renditions before anybody asks, while it has nothing better to do.
    #[command(after_help = "Examples:\n  tintype warm --file urls.txt\n  \
        tintype warm --admin 10.0.0.7:9001 --source a.jpg --source b.jpg --transform 'w=800&f=auto' --transform 'w=400&f=auto'\n  \
        find photos -name '*.jpg' -printf '/img/%P?w=800&f=auto\\n' | tintype warm --file - --class avif\n  \
        tintype warm --status 4f2a90c1d3e7")]
    Warm(Box<warm::WarmArguments>),
    /// Have a running server forget renditions and originals: on all instances, in all tiers, and at the CDN.
    #[command(after_help = "Examples:\n  tintype purge /img/a.jpg\n  \
        tintype purge '/img/a.jpg?w=800&f=auto' --only\n  \
        tintype purge --tag sale --prefix /img/2024/ --dry-run\n  \
        tintype purge --source photos/a.jpg --origin media --admin 10.0.0.7:9001 --token-file /run/secrets/admin\n  \
        tintype purge --file changed.txt")]
    Purge(Box<purge::PurgeArguments>),
    /// Show what a running server's requests came to: hit ratios by route and tier, rates, what misses most.
    #[command(after_help = "Examples:\n  tintype stats\n  tintype stats --admin 10.0.0.7:9001 --top 20\n  \
        tintype stats --json | jq '.routes[] | {route, hit_ratio}'")]
    Stats(stats::StatsArguments),
    /// Ask a running server whether it is ready (for container health checks).
    #[command(after_help = "Examples:\n  tintype health\n  tintype health --config config.toml")]
    Health(serve::HealthArguments),
    /// Sign in at a server of the platform, such as tintype-standalone; the tokens are kept for the other commands.
    #[command(after_help = "Examples:\n  tintype login --server https://images.example.org\n  \
        tintype login --user admin@example.org --password-file /run/secrets/tintype")]
    Login(platform::LoginArguments),
    /// Sign out, and forget the tokens.
    Logout(platform::WhoArguments),
    /// Tell who is signed in, and where.
    Whoami(platform::WhoArguments),
    /// Upload pictures; one that breaks off is gone on with.
    #[command(
        after_help = "Examples:\n  tintype upload tom.jpg --to cats/tom.jpg\n  tintype upload *.jpg --to holiday/ --json"
    )]
    Upload(platform::UploadArguments),
    /// Upload a folder of any size; what the server has is not sent again, and an interrupted import goes on.
    #[command(
        after_help = "Examples:\n  tintype import ~/Pictures --prefix archive\n  tintype import ./photos --jobs 8 --json"
    )]
    Import(platform::ImportArguments),
    /// Search pictures.
    #[command(
        after_help = "Examples:\n  tintype search harbour boats\n  tintype search --tag sale --sort -created -n 100\n  \
        tintype search --colour blue --json | jq -r .path"
    )]
    Search(platform::SearchArguments),
    /// Print completions for a shell.
    #[command(after_help = "Example:\n  tintype completions bash > /etc/bash_completion.d/tintype")]
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

/// Where the configuration comes from; later wins.
#[derive(Clone, Debug, Default, Args)]
struct ConfigArguments {
    /// A TOML file; without it all keys have their defaults.
    #[arg(long, short, value_name = "FILE")]
    config: Option<PathBuf>,
    /// One key, over the file and the environment; may be repeated.
    #[arg(long, value_name = "DOTTED.KEY=VALUE")]
    set: Vec<String>,
}

impl ConfigArguments {
    fn load(&self) -> Result<crate::config::Config, ConfigErrors> {
        Ok(self.load_whole()?.config)
    }

    fn load_whole(&self) -> Result<service::config::Loaded<crate::config::Config>, ConfigErrors> {
        service::config::load(self.config.as_deref(), std::env::vars(), &self.set)
    }
}

/// Why a command failed.
#[derive(Debug)]
pub enum Failure {
    /// It could not be done.
    Failed(String),
    /// The configuration is wrong.
    Config(ConfigErrors),
    /// The server is not ready.
    NotReady(String),
    /// Nobody is signed in at the server.
    SignedOut(String),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(text) | Self::NotReady(text) | Self::SignedOut(text) => f.write_str(text),
            Self::Config(errors) => write!(f, "{errors}"),
        }
    }
}

impl From<Failure> for ExitCode {
    fn from(failure: Failure) -> Self {
        Self::from(match failure {
            Failure::Failed(_) => 1,
            Failure::Config(_) => 3,
            Failure::NotReady(_) => 4,
            Failure::SignedOut(_) => 5,
        })
    }
}

impl From<ConfigErrors> for Failure {
    fn from(errors: ConfigErrors) -> Self {
        Self::Config(errors)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

impl Arguments {
    /// Does what was asked.
    ///
    /// # Errors
    /// See [`Failure`].
    pub fn run(self) -> Result<(), Failure> {
        match self.command {
            Command::Serve(arguments) => serve::serve(&arguments),
            Command::CheckConfig(arguments) => config::check(&arguments),
            Command::Transform(arguments) => picture::transform(&arguments),
            Command::Info(arguments) => info::info(&arguments),
            Command::Url(arguments) => url::url(&arguments),
            Command::Sign(arguments) => url::sign(&arguments),
            Command::Stats(arguments) => stats::stats(&arguments),
            Command::Warm(arguments) => warm::warm(&arguments),
            Command::Purge(arguments) => purge::purge(&arguments),
            Command::Health(arguments) => serve::health(&arguments),
            Command::Login(arguments) => platform::login(&arguments),
            Command::Logout(arguments) => platform::logout(&arguments),
            Command::Whoami(arguments) => platform::whoami(&arguments),
            Command::Upload(arguments) => platform::upload(&arguments),
            Command::Import(arguments) => platform::import(&arguments),
            Command::Search(arguments) => platform::search(&arguments),
            Command::Completions { shell } => {
                clap_complete::generate(shell, &mut Self::command(), "tintype", &mut io::stdout());
                Ok(())
            }
        }
    }
}
