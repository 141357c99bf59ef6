//! HTTP as pure functions: RFC 9110 (semantics), 9111 (caching), 9211 (`Cache-Status`), 9213 (targeted cache control),
//! 9457 (problem documents).
//!
//! Owns what is said about a stored rendition and how a request's fields are read. Knows no sockets, no tiers, no origins
//! and no clock: `now` is a parameter. Invariant: nothing here panics on, or works more than linearly in, a request's bytes.

pub mod cache_control;
pub mod cache_status;
pub mod cache_tag;
pub mod cors;
pub mod delivery;
mod dictionary;
pub mod directives;
pub mod disposition;
pub mod freshness;
pub mod hints;
pub mod negotiation;
pub mod note;
pub mod problem;
pub mod range;
pub mod referrer;
pub mod refresh;
pub mod representation;
pub mod respond;
pub mod said;
pub mod terms;
pub mod validator;

pub use cache_control::Policy;
pub use cache_status::{Outcome, Tier};
pub use delivery::{Delivery, Vary};
pub use freshness::{Freshness, Lifetime};
pub use hints::Hints;
pub use negotiation::{Classes, format_class};
pub use problem::{Kind, Problem};
pub use representation::Representation;
pub use respond::{Context, Request, respond, stand_in};
pub use said::Said;
pub use terms::{Rules, Terms};
pub use validator::{EntityTag, LastModified};
