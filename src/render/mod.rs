//! The async face of `imaging`: who may render now, and on which thread.
//!
//! Knows pictures' costs, not keys and not HTTP. Invariants: pixels are never touched on a socket's thread; renders
//! under way never exceed the worker count nor the memory budget; what waits is bounded in number and in time, and tenants
//! take turns.

pub mod admission;
pub mod assets;
pub mod class;
pub mod config;
pub mod idle;
pub mod pool;
mod queue;
mod speed;

pub use class::Class;

use crate::pressure::machine::FALLBACK;
use admission::{Admission, Ask, Budgets, Permit, Shed};
use bytes::Bytes;
use cache_key::Variant;
use config::RenderConfig;
use idle::{Idle, IdlePermit};
use imaging::{Assets, Cost, Rendition, Setup, Watch};
use pool::Pool;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Why a render did not happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// No permit in time.
    Shed(Shed),
    /// The picture or what was asked of it.
    Imaging(imaging::Error),
}

impl From<imaging::Error> for Failure {
    fn from(error: imaging::Error) -> Self {
        Self::Imaging(error)
    }
}

/// An original with the permit to make something of it.
#[derive(Debug)]
pub struct Admitted {
    original: Bytes,
    variant: Arc<Variant>,
    permit: Held,
    queued: Duration,
}

/// A permit, by who gave it.
#[derive(Debug)]
enum Held {
    Live(Permit),
    Idle { _permit: IdlePermit },
}

/// Ends the render when whoever waits for it is dropped; does nothing to one that has ended.
struct Attended(Watch);

impl Drop for Attended {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// A finished render and where its time went.
#[derive(Debug)]
pub struct Rendered {
    /// The picture.
    pub rendition: Rendition,
    /// From asking for a permit to holding it.
    pub queued: Duration,
}

/// The part of the server that makes pictures. Clones share it.
#[derive(Clone, Debug)]
pub struct Renderer {
    pool: Arc<Pool>,
    admission: Admission,
    /// For what nobody waits for: threads of its own, at the lowest priority.
    idle: Idle,
    idle_pool: Arc<Pool>,
    setup: Arc<Setup>,
    deadline: Duration,
    idle_deadline: Duration,
    quick_when_full: bool,
    tick: fn() -> Instant,
}

impl Renderer {
    /// Starts the threads. `assets` is what transforms may name; `tick` is the clock that measures and sets deadlines.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(config: &RenderConfig, assets: Assets, tick: fn() -> Instant) -> std::io::Result<Self> {
        let scratch = usize::try_from(config.scratch).unwrap_or(usize::MAX);
        let (threads, memory) = (config.threads(), config.memory.of(FALLBACK));
        let budgets = Budgets { threads, memory, queue: config.queue, patience: config.queue_timeout };
        let admission = Admission::new(budgets, tick);
        let lane = &config.lane;
        Ok(Self {
            pool: Arc::new(Pool::start(config.threads(), config.nice, scratch)?),
            idle_pool: Arc::new(Pool::start(lane.threads, lane.nice, scratch)?),
            idle: Idle::new(admission.clone(), lane.threads, lane.memory),
            idle_deadline: lane.deadline,
            admission,
            setup: Arc::new(Setup { limits: config.limits.clone(), assets, avif: config.avif_engine }),
            deadline: config.deadline,
            quick_when_full: config.quick_when_full,
            tick,
        })
    }

    /// What the work would cost, by the original's header.
    ///
    /// # Errors
    /// What the limits or the engine do not allow.
    pub fn price(&self, original: &Bytes, variant: &Variant) -> Result<Cost, Failure> {
        let probe = imaging::probe(original, &self.setup.limits)?;
        Ok(imaging::cost(original, &probe, variant, &self.setup)?)
    }

    /// Prices the work, and waits for a permit: bounded in number and time where somebody waits for it, else for as long
    /// as it takes. Asked for when the original is already here: a scarce permit never waits for a download. May be
    /// dropped at any time. `tenant` is whose turn it takes.
    ///
    /// # Errors
    /// See [`Failure`].
    pub async fn admit(
        &self,
        original: Bytes,
        variant: Arc<Variant>,
        class: Class,
        tenant: &Arc<str>,
    ) -> Result<Admitted, Failure> {
        let asked = (self.tick)();
        let cost = self.price(&original, &variant)?;
        let permit = match class {
            Class::Live => {
                let work = Duration::from_millis(cost.millis.into());
                let ask = Ask { tenant, memory: cost.memory, work };
                Held::Live(self.admission.admit(ask).await.map_err(Failure::Shed)?)
            }
            Class::Deferred | Class::Warm => {
                Held::Idle { _permit: self.idle.admit(cost.memory).await.map_err(Failure::Shed)? }
            }
        };
        Ok(Admitted { original, variant, permit, queued: (self.tick)() - asked })
    }

    /// Makes the picture on a render thread. Dropped before its end, it ends the render at the next look at the watch.
    ///
    /// # Errors
    /// See [`Failure`].
    pub async fn render(&self, admitted: Admitted) -> Result<Rendered, Failure> {
        let Admitted { original, variant, permit, queued } = admitted;
        let (pool, limit) = match permit {
            Held::Live(_) => (&self.pool, self.deadline),
            Held::Idle { .. } => (&self.idle_pool, self.idle_deadline),
        };
        let watch = Watch::until((self.tick)() + limit);
        let _attended = Attended(watch.clone());
        let (setup, tick) = (Arc::clone(&self.setup), self.tick);
        let rendition = pool.run(move |scratch| {
            let began = tick();
            let rendition = imaging::render(&original, &variant, &setup, &watch, scratch);
            // What was cut off took longer still; other failures tell nothing of the machine's speed.
            if let (Held::Live(permit), Ok(_) | Err(imaging::Error::Deadline)) = (&permit, &rendition) {
                permit.took(tick() - began);
            }
            drop(permit);
            rendition
        });
        Ok(Rendered { rendition: rendition.await?, queued })
    }

    /// Whether what takes long should give way to what is quick: there is too little room for this tenant's requests.
    pub fn is_pressed(&self, tenant: &Arc<str>) -> bool {
        self.quick_when_full && self.admission.is_pressed(tenant)
    }

    /// For metrics.
    pub fn admission(&self) -> &Admission {
        &self.admission
    }

    /// Likewise, and for those who plan what nobody waits for.
    pub fn idle(&self) -> &Idle {
        &self.idle
    }

    /// What all renders share.
    pub fn setup(&self) -> &Setup {
        &self.setup
    }
}
