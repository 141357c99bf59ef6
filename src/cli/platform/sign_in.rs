//! `tintype login`, `tintype logout`, `tintype whoami`.

use super::{ServerArguments, plain, print_json, wait};
use crate::cli::Failure;
use clap::Args;
use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::path::PathBuf;

/// Longest password file that is read, in bytes.
const LIMIT: u64 = 4096;

#[derive(Debug, Args)]
pub(in crate::cli) struct LoginArguments {
    /// The e-mail address; asked for where it is left out.
    #[arg(long, short)]
    user: Option<String>,
    /// A file with the password on its first line; `-` is standard input. Without it the terminal asks.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    #[command(flatten)]
    server: ServerArguments,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct WhoArguments {
    /// For programs.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: ServerArguments,
}

pub(in crate::cli) fn login(arguments: &LoginArguments) -> Result<(), Failure> {
    let client = arguments.server.client()?;
    let user = match &arguments.user {
        Some(user) => user.clone(),
        None => ask("E-mail: ")?,
    };
    let password = arguments.password(&client.server())?;
    let account = wait(async { Ok(client.sign_in(user.trim(), &password).await?) })?;
    println!("signed in at {} as {}", client.server(), described(&account));
    Ok(())
}

impl LoginArguments {
    fn password(&self, server: &str) -> Result<String, Failure> {
        let Some(file) = &self.password_file else {
            let prompt = format!("Password at {server}: ");
            let unread =
                |error| Failure::Failed(format!("no password: {error}; use --password-file without a terminal"));
            return rpassword::prompt_password(prompt).map_err(unread);
        };
        let read = || {
            let mut line = String::new();
            if file.as_os_str() == "-" {
                std::io::stdin().lock().read_line(&mut line)?;
            } else {
                let file = std::fs::File::open(file)?;
                std::io::BufReader::new(std::io::Read::take(file, LIMIT)).read_line(&mut line)?;
            }
            Ok::<_, std::io::Error>(line.trim_end_matches(['\r', '\n']).to_owned())
        };
        let password = read().map_err(|error| Failure::Failed(format!("{}: {error}", file.display())))?;
        if password.is_empty() {
            return Err(Failure::Failed(format!("{}: its first line is empty", file.display())));
        }
        Ok(password)
    }
}

pub(in crate::cli) fn logout(arguments: &WhoArguments) -> Result<(), Failure> {
    let client = arguments.server.client()?;
    wait(async { Ok(client.sign_out().await?) })?;
    if arguments.json {
        return print_json(&serde_json::json!({ "server": client.server(), "signedIn": false }));
    }
    println!("signed out at {}", client.server());
    Ok(())
}

pub(in crate::cli) fn whoami(arguments: &WhoArguments) -> Result<(), Failure> {
    let client = arguments.server.client()?;
    let account = wait(async { Ok(client.account().await?) })?;
    if arguments.json {
        return print_json(&account);
    }
    println!("{} at {}", described(&account), client.server());
    Ok(())
}

fn described(account: &client::Account) -> String {
    let name = account.email.as_deref().unwrap_or(&account.subject);
    plain(&format!("{name}, {} in {}", account.roles.join(", "), account.tenant))
}

/// A line from the terminal.
fn ask(prompt: &str) -> Result<String, Failure> {
    if !std::io::stdin().is_terminal() {
        return Err(Failure::Failed("there is no terminal to ask on: give --user and --password-file".to_owned()));
    }
    eprint!("{prompt}");
    std::io::stderr().flush()?;
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    match line.trim() {
        "" => Err(Failure::Failed("no address given".to_owned())),
        name => Ok(name.to_owned()),
    }
}
