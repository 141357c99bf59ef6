//! What is wrong with a configuration: every fault of every layer at once, in words for the person who has to mend it.
//!
//! Knows no keys of its own. Invariant: the value of a secret never enters an error.

use std::fmt;
use std::path::PathBuf;

/// Where a value was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The default that the code declares.
    Default,
    /// The configuration file; lines count from 1.
    File {
        /// The file as it was named on the command line.
        path: PathBuf,
        /// The line of the value.
        line: usize,
    },
    /// The environment variable of this name.
    Environment(String),
    /// A `--set` argument.
    CommandLine,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Environment(name) => write!(f, "environment variable {name}"),
            Self::CommandLine => f.write_str("--set"),
        }
    }
}

/// One fault of a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// The dotted key, such as `server.listen` or `origins.0.root`; empty where no key is to blame.
    pub key: String,
    /// The value as written, where there is one to show.
    pub value: Option<String>,
    /// Where it was written.
    pub source: Source,
    /// What is wrong, if it is not just that the value is outside what is allowed.
    pub problem: Option<String>,
    /// What would be accepted.
    pub allowed: Option<String>,
    /// What to do about it.
    pub hint: Option<String>,
}

impl ConfigError {
    pub(crate) fn new(key: impl Into<String>, source: Source) -> Self {
        Self { key: key.into(), value: None, source, problem: None, allowed: None, hint: None }
    }

    pub(crate) fn value(mut self, value: impl Into<String>) -> Self {
        self.value = Some(value.into());
        self
    }

    pub(crate) fn problem(mut self, problem: impl Into<String>) -> Self {
        self.problem = Some(problem.into());
        self
    }

    pub(crate) fn allowed(mut self, allowed: impl Into<String>) -> Self {
        self.allowed = Some(allowed.into());
        self
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.key.as_str(), &self.value) {
            ("", None) => {}
            ("", Some(value)) => f.write_str(value)?,
            (key, None) => f.write_str(key)?,
            (key, Some(value)) => write!(f, "{key} = {value}")?,
        }
        if self.source != Source::Default {
            let gap = if self.key.is_empty() && self.value.is_none() { "" } else { "  " };
            write!(f, "{gap}({})", self.source)?;
        }
        for (label, text) in [("", &self.problem), ("allowed: ", &self.allowed), ("hint: ", &self.hint)] {
            if let Some(text) = text {
                write!(f, "\n    {label}{}", text.trim_end().replace('\n', "\n    "))?;
            }
        }
        Ok(())
    }
}

/// Every fault of a configuration. Its `Display` is what the user reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigErrors(pub(crate) Vec<ConfigError>);

impl ConfigErrors {
    /// The faults: syntax first, then by section in the order of declaration.
    pub fn iter(&self) -> std::slice::Iter<'_, ConfigError> {
        self.0.iter()
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.0.len();
        write!(f, "the configuration has {count} error{}:", if count == 1 { "" } else { "s" })?;
        for error in &self.0 {
            write!(f, "\n\n  {}", error.to_string().replace('\n', "\n  "))?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}
