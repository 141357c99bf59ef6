//! It is a binary, and `standalone` has it too: uploads become originals, records and events.
//!
//! One way for all uploads ([`Desk::admit`]): stage → look at every pixel → hold and keep the content → commit the record → link
//! the published name → purge at the edge → answer. The commit is the moment from which it is true; what comes after it is done
//! again by the job of its event, so that a kill at any point loses nothing.
//!
//! Owns what is uploaded until it is committed. Does not know how records, contents and jobs are kept. Invariants: what was not
//! decoded to its last frame is never published; memory is bounded by the number of inspectors.

mod admission;
pub mod api;
pub mod arrivals;
pub mod checker;
pub mod config;
pub mod desk;
pub mod edge;
mod facts;
pub mod inspect;
mod intake;
mod metric;
mod publish;
mod session;
mod trouble;
mod tus;
pub mod work;

pub use admission::Admitted;
pub use api::build;
pub use config::IngestConfig;
pub use desk::Desk;
pub use edge::{Edge, HttpEdge};
pub use facts::Private;
pub use intake::{Condition, Intake};
pub use metric::Metrics;
pub use publish::Publisher;
pub use trouble::Trouble;
pub use work::replica::{Replica, ReplicaConfig};

use access::Door;
use catalog::Catalog;
use jobs::{JobsConfig, Queue};
use std::sync::Arc;
use store::Store;

/// What it is built of.
#[derive(Clone, Debug)]
pub struct Parts {
    /// Records.
    pub catalog: Arc<dyn Catalog>,
    /// Contents and names.
    pub store: Arc<dyn Store>,
    /// Background work.
    pub queue: Arc<dyn Queue>,
    /// Who may do what.
    pub door: Arc<Door>,
    /// The edge servers, where there are any to be told.
    pub edge: Option<Arc<dyn Edge>>,
    /// Clients of AWS, for arrivals through SQS.
    pub aws: aws::Aws,
    /// The other region or copy, where there is one to be compared with.
    pub replica: Option<Replica>,
    /// How jobs are worked off.
    pub jobs: JobsConfig,
    /// The numbers of all runners of the process.
    pub runners: jobs::Metrics,
}
