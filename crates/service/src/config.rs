//! Strict configuration in layers: defaults, then a TOML file, then the environment, then `--set`.
//!
//! Each key is declared once, by reading it; value, default, range check, error text and the line in the generated
//! `config.toml` all come from that one call. Knows no key itself. Invariant: a configuration is used whole or not at
//! all: every fault of every layer is reported together, unknown keys are faults, and nothing is clamped.
//!
//! ```
//! use std::{net::SocketAddr, time::Duration};
//! use service::config::{self, Reader, Section};
//!
//! struct Server {
//!     listen: Vec<SocketAddr>,
//!     header_timeout: Duration,
//! }
//!
//! impl Section for Server {
//!     const DOC: &'static str = "Sockets and their limits.";
//!     fn read(r: &mut Reader<'_>) -> Self {
//!         Self {
//!             listen: r.list("listen", &["127.0.0.1:8080"], "Addresses for cleartext HTTP/1.1 and h2c."),
//!             header_timeout: r.duration("header_timeout", "10s", "1s"..="5m", "Longest wait for a request's head."),
//!         }
//!     }
//! }
//!
//! struct Config {
//!     server: Server,
//! }
//!
//! impl Section for Config {
//!     const DOC: &'static str = "Every key with its default.";
//!     fn read(r: &mut Reader<'_>) -> Self {
//!         Self { server: r.section("server") }
//!     }
//! }
//!
//! let environment = [("TINTYPE__SERVER__LISTEN".into(), "[::1]:80, 127.0.0.1:80".into())];
//! let loaded = config::load::<Config>(None, environment, &["server.header_timeout=30s".into()])?;
//! assert_eq!(loaded.config.server.listen.len(), 2);
//! assert_eq!(loaded.config.server.header_timeout, Duration::from_secs(30));
//!
//! let errors = config::load::<Config>(None, [], &["server.lisen=[]".into()]).err().expect("a misspelt key");
//! assert!(errors.to_string().contains("did you mean `server.listen`?"));
//!
//! assert!(config::render_default::<Config>().contains("listen = [\"127.0.0.1:8080\"]"));
//! # Ok::<(), config::ConfigErrors>(())
//! ```

mod error;
mod layer;
mod page;
mod reader;
mod units;
mod value;

#[cfg(test)]
mod tests;

use std::path::Path;

pub use error::{ConfigError, ConfigErrors, Source};
pub use layer::ENVIRONMENT_PREFIX;
pub use reader::{Reader, Section};
pub use units::{format_bytes, format_duration, parse_bytes, parse_duration};
pub use value::{Choice, Number, Secret};

use layer::{Table, overlay, parse_file, split_key};
use reader::{Notes, read_root};

/// Longest configuration file that is read, in bytes.
const FILE_LIMIT: u64 = 4 << 20;

/// A configuration without faults.
#[derive(Debug)]
pub struct Loaded<T> {
    /// The values.
    pub config: T,
    effective: String,
}

impl<T> Loaded<T> {
    /// The configuration in force as commented TOML; secrets are left out.
    pub fn effective(&self) -> &str {
        &self.effective
    }

    /// A part of it, for whoever knows that part alone; what is in force stays the whole.
    pub fn part<U>(&self, part: impl FnOnce(&T) -> U) -> Loaded<U> {
        Loaded { config: part(&self.config), effective: self.effective.clone() }
    }
}

/// Reads all layers, later ones winning: defaults, `file`, `environment`, `sets`.
///
/// Of `environment` only names that begin with [`ENVIRONMENT_PREFIX`] count, in any case:
/// `TINTYPE__SERVER__LISTEN` is `server.listen`. Each of `sets` is `dotted.key=value`. In both, the value is TOML where
/// it parses as such, else a text; lists may be written with commas; entries of lists of tables go by number:
/// `origins.0.root=photos`.
///
/// # Errors
/// Every fault there is: an unreadable file, syntax, unknown keys, bad values, rejected combinations.
pub fn load<T: Section>(
    file: Option<&Path>,
    environment: impl IntoIterator<Item = (String, String)>,
    sets: &[String],
) -> Result<Loaded<T>, ConfigErrors> {
    let mut notes = Notes::default();
    let mut table = file.map(|path| read_file(path, &mut notes.errors)).unwrap_or_default();
    let unreadable = !notes.errors.is_empty();
    overlay_environment(&mut table, environment, &mut notes.errors);
    overlay_sets(&mut table, sets, &mut notes.errors);
    if unreadable {
        // Faults found in what is left of a broken file would only mislead.
        return Err(ConfigErrors(notes.errors));
    }
    let (config, page) = read_root::<T>(table, &mut notes);
    notes.suggest();
    if notes.errors.is_empty() {
        Ok(Loaded { config, effective: page.render() })
    } else {
        Err(ConfigErrors(notes.errors))
    }
}

/// The commented TOML of every key with its default; optional keys are shown as comments.
pub fn render_default<T: Section>() -> String {
    read_root::<T>(Table::new(), &mut Notes::default()).1.render()
}

fn read_file(path: &Path, errors: &mut Vec<ConfigError>) -> Table {
    let read = std::fs::metadata(path).and_then(|meta| {
        if meta.len() > FILE_LIMIT {
            return Err(std::io::Error::other(format!("larger than {}", format_bytes(FILE_LIMIT))));
        }
        std::fs::read_to_string(path)
    });
    match read {
        Ok(text) => {
            let (table, faults) = parse_file(path, &text);
            errors.extend(faults);
            table
        }
        Err(error) => {
            errors.push(
                ConfigError::new("", Source::Default).value(path.display().to_string()).problem(error.to_string()),
            );
            Table::new()
        }
    }
}

fn overlay_environment(
    table: &mut Table,
    environment: impl IntoIterator<Item = (String, String)>,
    errors: &mut Vec<ConfigError>,
) {
    let ours =
        |name: &str| name.get(..ENVIRONMENT_PREFIX.len()).is_some_and(|p| p.eq_ignore_ascii_case(ENVIRONMENT_PREFIX));
    let mut variables: Vec<(String, String)> = environment.into_iter().filter(|(name, _)| ours(name)).collect();
    variables.sort();
    for (name, value) in variables {
        let key = name.get(ENVIRONMENT_PREFIX.len()..).unwrap_or_default().to_ascii_lowercase();
        let source = Source::Environment(name);
        let done = match split_key(&key, "__") {
            Some(path) => overlay(table, &path, &value, &source),
            None => {
                let error = ConfigError::new("", source).problem("names no key");
                Err(Box::new(error.hint(format!("such as {ENVIRONMENT_PREFIX}SERVER__LISTEN"))))
            }
        };
        errors.extend(done.err().map(|error| *error));
    }
}

fn overlay_sets(table: &mut Table, sets: &[String], errors: &mut Vec<ConfigError>) {
    for set in sets {
        let parts = set.split_once('=').and_then(|(key, value)| Some((split_key(key.trim(), ".")?, value.trim())));
        let done = match parts {
            Some((path, value)) => overlay(table, &path, value, &Source::CommandLine),
            None => {
                let error =
                    ConfigError::new("", Source::CommandLine).value(set).problem("is not of the form key=value");
                Err(Box::new(error.hint("such as --set server.listen=127.0.0.1:8080")))
            }
        };
        errors.extend(done.err().map(|error| *error));
    }
}
