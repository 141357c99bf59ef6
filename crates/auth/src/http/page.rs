//! Pages of lists, and the checks that several requests share.

use companion::{Cursor, Problem};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Most entries of one page.
const MOST: i64 = 200;

/// Which page of a list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Paging {
    /// Entries of one page.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u32>,
    /// Where the page before ended.
    cursor: Option<String>,
}

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Page<T> {
    /// Its entries.
    pub(crate) items: Vec<T>,
    /// Where the next page begins; absent: there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<String>,
}

impl Paging {
    /// How many.
    pub(crate) fn limit(&self) -> Result<i64, Problem> {
        let limit = i64::from(self.limit.unwrap_or(50));
        if (1..=MOST).contains(&limit) { Ok(limit) } else { Err(Problem::field("query.limit", limit, "1 to 200")) }
    }

    /// After which id.
    pub(crate) fn after(&self) -> Result<String, Problem> {
        self.cursor.as_deref().map_or_else(|| Ok(String::new()), Cursor::read)
    }

    /// Before which place.
    pub(crate) fn before(&self) -> Result<i64, Problem> {
        self.cursor.as_deref().map_or(Ok(i64::MAX), Cursor::read)
    }
}

/// A page of `limit` entries; `place` tells where the last one stands.
pub(crate) fn page<R, T, P: Serialize>(
    records: Vec<R>,
    limit: i64,
    place: impl Fn(&R) -> P,
    shown: impl Fn(R) -> T,
) -> Page<T> {
    let full = i64::try_from(records.len()).is_ok_and(|found| found >= limit);
    let next = records.last().filter(|_| full).map(|last| Cursor::write(&place(last)));
    Page { items: records.into_iter().map(shown).collect(), next }
}

/// A tenant's name: as everywhere on the platform.
pub(crate) fn tenant_id(field: &str, text: &str) -> Result<(), Problem> {
    let fine = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let good = (1..=63).contains(&text.len())
        && text.bytes().all(|byte| fine(byte) || byte == b'-')
        && text.bytes().next().is_some_and(fine);
    if good { Ok(()) } else { Err(Problem::field(field, text, "1 to 63 of a–z 0–9 -, not beginning with -")) }
}

/// A name that people read.
pub(crate) fn name(field: &str, text: &str) -> Result<(), Problem> {
    let good = (1..=200).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    if good {
        Ok(())
    } else {
        Err(Problem::field(field, text, "1 to 200 characters, none of them a control character"))
    }
}

/// An address, in lower case.
pub(crate) fn email(text: &str) -> Result<String, Problem> {
    let good = text.len() <= 254
        && text.split_once('@').is_some_and(|(user, host)| {
            !user.is_empty() && !host.is_empty() && !host.contains('@') && !host.starts_with('.')
        })
        && !text.chars().any(|one| one.is_whitespace() || one.is_control());
    if good {
        Ok(text.to_lowercase())
    } else {
        Err(Problem::field("email", text, "an address such as ann@example.com"))
    }
}

/// A folder within a tenant, or nothing for all of it.
pub(crate) fn folder(field: &str, text: &str) -> Result<(), Problem> {
    let segments = || text.split('/').all(|part| !part.is_empty() && part != "." && part != "..");
    let good = text.is_empty() || (text.len() <= 512 && segments() && !text.chars().any(char::is_control));
    if good { Ok(()) } else { Err(Problem::field(field, text, "a path such as press/2026, without / at its ends")) }
}
