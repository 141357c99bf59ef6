//! `tintype check-config`.

use super::{ConfigArguments, Failure};
use crate::config::Config;
use crate::secret::Vault;
use crate::server::{Clock, Tls};
use clap::{Args, ValueEnum};

#[derive(Debug, Args)]
pub(super) struct CheckArguments {
    #[command(flatten)]
    config: ConfigArguments,
    /// Print a configuration instead of only checking it.
    #[arg(long, value_enum)]
    print: Option<Print>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Print {
    /// Every key with its default.
    Default,
    /// What would be used, all layers together; secrets stay hidden.
    Effective,
}

pub(super) fn check(arguments: &CheckArguments) -> Result<(), Failure> {
    if let Some(Print::Default) = arguments.print {
        print!("{}", service::config::render_default::<Config>());
        return Ok(());
    }
    let loaded = arguments.config.load_whole()?;
    match arguments.print {
        Some(Print::Effective) => print!("{}", loaded.effective()),
        None | Some(Print::Default) => {
            crate::render::assets::load(&loaded.config).map_err(Failure::Failed)?;
            let vault = Vault::new(&loaded.config.secrets, &aws::Aws::new());
            crate::guard::Rules::read(&loaded.config.signing, &vault).map_err(Failure::Failed)?;
            crate::access::Keyring::read(&loaded.config, &vault).map_err(Failure::Failed)?;
            let now = (Clock::SYSTEM.wall)();
            Tls::open(&loaded.config.tls, now).map_err(Failure::Failed)?;
            loaded.config.admin.tls.open(now).map_err(Failure::Failed)?;
            println!("the configuration is fine");
        }
    }
    Ok(())
}
