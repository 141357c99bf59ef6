//! What the catalog needs of an SQL database: statements with numbered parameters over whole numbers and texts.
//!
//! Owns the cells and lines that go in and come out, and the troubles told apart. Knows no table. Invariant: a transaction
//! that is dropped has not happened.

use crate::error::StoreError;
use crate::store::Later;
use std::fmt;

/// A value that goes in or comes out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cell {
    Int(i64),
    Text(String),
    /// Of a column of whole numbers.
    NoInt,
    /// Of a column of texts; also what is read of either.
    NoText,
}

impl From<i64> for Cell {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<u64> for Cell {
    fn from(number: u64) -> Self {
        Self::Int(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<usize> for Cell {
    fn from(number: usize) -> Self {
        Self::Int(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<Option<i64>> for Cell {
    fn from(number: Option<i64>) -> Self {
        number.map_or(Self::NoInt, Self::Int)
    }
}

impl From<Option<&str>> for Cell {
    fn from(text: Option<&str>) -> Self {
        text.map_or(Self::NoText, Self::from)
    }
}

/// The cells of a call: anything that becomes one.
macro_rules! cells {
    ($($cell:expr),* $(,)?) => { vec![$($crate::sql::session::Cell::from($cell)),*] };
}
pub(super) use cells;

/// What came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line(pub(super) Vec<Cell>);

impl Line {
    /// The whole number at this column.
    pub(super) fn int(&self, column: usize) -> Result<i64, StoreError> {
        match self.0.get(column) {
            Some(Cell::Int(number)) => Ok(*number),
            other => Err(StoreError::Corrupt(format!("column {column} is {other:?}, not a number"))),
        }
    }

    /// The same where it counts something.
    pub(super) fn count(&self, column: usize) -> Result<u64, StoreError> {
        let number = self.int(column)?;
        u64::try_from(number).map_err(|_| StoreError::Corrupt(format!("column {column} is {number}, below nothing")))
    }

    /// The text at this column.
    pub(super) fn text(&self, column: usize) -> Result<&str, StoreError> {
        match self.0.get(column) {
            Some(Cell::Text(text)) => Ok(text),
            other => Err(StoreError::Corrupt(format!("column {column} is {other:?}, not a text"))),
        }
    }

    /// The text at this column as what it stands for.
    pub(super) fn parsed<T: std::str::FromStr<Err: fmt::Display>>(&self, column: usize) -> Result<T, StoreError> {
        let text = self.text(column)?;
        text.parse().map_err(|error| StoreError::Corrupt(format!("{text:?} {error}")))
    }
}

/// Why a statement was not carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// Another transaction was in the way: the whole of this one may be tried again.
    Again(String),
    /// There is one like it already.
    Taken,
    /// Anything else.
    Store(StoreError),
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Trouble> for StoreError {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Again(_) => Self::Late,
            Trouble::Taken => Self::Refused("there is one like it already".to_owned()),
            Trouble::Store(error) => error,
        }
    }
}

/// A connection, within a transaction or without one.
pub(super) trait Session: Send {
    /// Carries out one statement; `$1` is the first cell.
    fn run<'a>(&'a mut self, sql: &'a str, cells: Vec<Cell>) -> Later<'a, Result<Vec<Line>, Trouble>>;
}

/// A session whose statements happen together or not at all.
pub(super) trait Transaction: Session {
    /// They happen.
    fn commit(self: Box<Self>) -> Later<'static, Result<(), Trouble>>;
}

/// A database.
pub(super) trait Database: fmt::Debug + Send + Sync {
    /// For single statements.
    fn session(&self) -> Later<'_, Result<Box<dyn Session>, Trouble>>;

    /// For several that belong together and write.
    fn begin(&self) -> Later<'_, Result<Box<dyn Transaction>, Trouble>>;

    /// In which words it differs.
    fn dialect(&self) -> Dialect;
}

/// In which words databases differ.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dialect {
    /// Behind a `SELECT` of a record that is going to be written.
    pub(super) lock: &'static str,
    /// The function that finds a text in another one: 0 where it is not there.
    pub(super) within: &'static str,
}

/// Reads what sqlx says.
pub(super) fn trouble(error: &sqlx::Error) -> Trouble {
    match error {
        sqlx::Error::PoolTimedOut => Trouble::Store(StoreError::Late),
        sqlx::Error::Database(said) => {
            let code = said.code().unwrap_or_default();
            // PostgreSQL: serialisation failure, deadlock, lock not available. SQLite: busy, locked, and their extended codes.
            let again = ["40001", "40P01", "55P03", "5", "6", "261", "262", "517", "518", "773"];
            // PostgreSQL: shut down, starting up, too many connections.
            let away = ["57P01", "57P02", "57P03", "53300"];
            match &*code {
                code if again.contains(&code) => Trouble::Again(said.message().to_owned()),
                code if away.contains(&code) => Trouble::Store(StoreError::Unreachable(said.message().to_owned())),
                "57014" => Trouble::Store(StoreError::Late),
                _ if said.is_unique_violation() => Trouble::Taken,
                code => Trouble::Store(StoreError::Refused(format!("{} ({code})", said.message()))),
            }
        }
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => {
            Trouble::Store(StoreError::Unreachable(error.to_string()))
        }
        other => Trouble::Store(StoreError::Refused(other.to_string())),
    }
}
