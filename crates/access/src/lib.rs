//! Several binaries need it: who a caller is (tokens, API keys), and what they may do (Cedar policies). Keeps no users.
//!
//! A service asks the [`Door`] twice per request: who is this, and may they do that. Lists are made with a third question,
//! whose answer is a filter and cannot differ from the second one:
//!
//! ```no_run
//! use access::{Action, Denied, Door, Resource};
//!
//! # async fn example(door: &Door, headers: &http::HeaderMap) -> Result<(), Denied> {
//! let caller = door.caller(headers).await?;
//! door.may(&caller, Action::AssetRead, &Resource::asset("main", "cats/tom.jpg").owned_by("5f0c"))?;
//! let reach = door.reach(&caller, Action::AssetSearch);
//! assert!(reach.admits(&Resource::asset("main", "cats/tom.jpg")));
//! # Ok(())
//! # }
//! ```
//! Invariant: what no policy permits is denied, and what cannot be decided is denied too.

mod action;
mod caller;
pub mod config;
mod denied;
mod door;
mod ended;
mod fetch;
mod grant;
mod introspect;
mod key;
pub mod policy;
mod reach;
mod remembered;
mod resource;
mod role;
pub mod token;

pub use action::Action;
pub use caller::{Caller, Kind};
pub use denied::{Denied, Fault};
pub use door::{Clock, Door};
pub use ended::Ended;
pub use grant::{Grant, is_below};
pub use key::{ApiKey, Keys, KeysFuture, Unavailable};
pub use policy::Policies;
pub use reach::{Clause, Owner, Reach, Tenants};
pub use resource::{Resource, Visibility};
pub use role::{Role, Scope, Scopes};

/// What a name is when it is not one of those that are allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownName {
    /// What was found.
    pub value: String,
    /// What would have been allowed.
    pub allowed: &'static str,
}

impl std::fmt::Display for UnknownName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} is not one of {}", self.value, self.allowed)
    }
}

impl std::error::Error for UnknownName {}
