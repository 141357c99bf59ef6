//! What the command lines of all companions say of the configuration, and do with it.
//!
//! Knows no companion. Invariant: later layers win: the file, the environment, the command line.

use clap::{Args, ValueEnum};
use service::config::{ConfigErrors, Loaded, Section};
use std::path::PathBuf;

/// Where the configuration comes from; later wins.
#[derive(Clone, Debug, Default, Args)]
pub struct ConfigArguments {
    /// A TOML file; without it all keys have their defaults.
    #[arg(long, short, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// One key, over the file and the environment; may be repeated.
    #[arg(long, value_name = "DOTTED.KEY=VALUE")]
    set: Vec<String>,
}

impl ConfigArguments {
    /// All layers together.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn load<C: Section>(&self) -> Result<Loaded<C>, ConfigErrors> {
        service::config::load(self.config.as_deref(), std::env::vars(), &self.set)
    }
}

/// The arguments of `check-config`.
#[derive(Debug, Args)]
pub struct CheckArguments {
    #[command(flatten)]
    config: ConfigArguments,
    /// What to print.
    #[arg(long, value_enum)]
    print: Option<Print>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Print {
    /// Every key with its default.
    Default,
    /// What is in force; secrets are left out.
    Effective,
}

impl CheckArguments {
    /// Says that the configuration is sound, or prints it.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn check<C: Section>(&self) -> Result<(), ConfigErrors> {
        let loaded = self.config.load::<C>()?;
        match self.print {
            Some(Print::Default) => print!("{}", service::config::render_default::<C>()),
            Some(Print::Effective) => print!("{}", loaded.effective()),
            None => println!("the configuration is sound"),
        }
        Ok(())
    }
}
