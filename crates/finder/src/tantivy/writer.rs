//! The one thread that writes: it takes batches as they come, commits many of them at once, and then acknowledges each.
//!
//! Invariant: a batch is acknowledged after the commit that has it. While a commit runs, batches queue up; they share the
//! next one. A batch that waits alone waits no longer than [`Setting::linger`].

use super::Setting;
use super::folder::Folder;
use super::generation::{Generation, Searching};
use crate::changes::Local;
use crate::error::FinderError;
use crate::record::Record;
use crate::seam;
use crate::write::{Applied, Outcome};
use std::collections::BTreeSet;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::oneshot;

/// Most writes of one commit.
const COMMIT: usize = 20_000;
/// Most writes to a generation that is being built between two commits of it.
const BUILD: usize = 100_000;

pub(super) type Reply<T> = oneshot::Sender<Result<T, FinderError>>;

/// Writes, and who waits for them.
pub(super) struct Batch {
    pub(super) records: Vec<Record>,
    pub(super) tenants: BTreeSet<String>,
    pub(super) reply: Reply<Applied>,
}

/// What the thread is asked for.
pub(super) enum Order {
    Apply(Batch),
    ApplyTo(seam::Generation, Vec<Record>, Reply<Applied>),
    Begin(Reply<seam::Generation>),
    Switch(seam::Generation, Reply<()>),
    DropOld(Reply<usize>),
    Building(Reply<Option<seam::Generation>>),
}

/// What the thread holds.
pub(super) struct Writer {
    folder: Folder,
    setting: Setting,
    current: Generation,
    building: Option<Generation>,
    /// What is searched: replaced when generations are switched.
    shown: Arc<RwLock<Searching>>,
    changes: Arc<Local>,
}

impl Writer {
    /// Opens what is there.
    pub(super) fn open(setting: Setting, changes: Arc<Local>) -> Result<Self, FinderError> {
        let folder = Folder::open(&setting.folder)?;
        let current = match folder.current() {
            Some(name) => Generation::open(&folder.path(&name), setting.memory)?,
            None => None,
        };
        let replaced = folder.current().is_some() && current.is_none();
        let current = match current {
            Some(current) => current,
            None => {
                let name = folder.next_name()?;
                let fresh = Generation::open(&folder.path(&name), setting.memory)?;
                let fresh = fresh.ok_or_else(|| FinderError::Broken("a new index has another schema".into()))?;
                if replaced {
                    fresh.mark_incomplete()?;
                    tracing::warn!(generation = name, "the search index is of another version and has to be rebuilt");
                }
                folder.point_to(&name)?;
                fresh
            }
        };
        let shown = Arc::new(RwLock::new(current.searching.clone()));
        let mut writer = Self { folder, setting, current, building: None, shown, changes };
        // A rebuild that a kill ended has to begin anew: what it had is not known to be whole.
        let dropped = writer.drop_old()?;
        if dropped > 0 {
            tracing::info!(dropped, "removed what was left of former generations of the search index");
        }
        Ok(writer)
    }

    pub(super) fn shown(&self) -> Arc<RwLock<Searching>> {
        Arc::clone(&self.shown)
    }

    /// Works until nobody can ask any more.
    pub(super) fn run(mut self, orders: &Receiver<Order>) {
        let mut next = orders.recv().ok();
        while let Some(order) = next.take() {
            match order {
                Order::Apply(batch) => next = self.apply_many(batch, orders),
                Order::ApplyTo(generation, records, reply) => answer(reply, self.apply_to(&generation, &records)),
                Order::Begin(reply) => answer(reply, self.begin()),
                Order::Switch(generation, reply) => answer(reply, self.switch(&generation)),
                Order::DropOld(reply) => answer(reply, self.drop_old()),
                Order::Building(reply) => answer(reply, Ok(self.building.as_ref().map(name_of))),
            }
            if next.is_none() {
                next = orders.recv().ok();
            }
        }
    }

    /// Writes this batch and those that come meanwhile, commits, acknowledges. Gives back what came that is none.
    fn apply_many(&mut self, first: Batch, orders: &Receiver<Order>) -> Option<Order> {
        let (mut written, mut tenants, mut waiting) = (0, BTreeSet::new(), Vec::new());
        let mut next = Some(Order::Apply(first));
        let other = loop {
            match next.take() {
                Some(Order::Apply(mut batch)) => {
                    written += batch.records.len();
                    tenants.append(&mut batch.tenants);
                    waiting.push((self.write(&batch.records), batch.reply));
                }
                other => break other,
            }
            if written >= COMMIT {
                break None;
            }
            next = match orders.recv_timeout(self.setting.linger) {
                Ok(order) => Some(order),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break None,
            };
        };
        let committed = self.current.commit();
        if let Err(error) = &committed {
            tracing::error!(%error, "a commit of the search index failed");
            if let Err(error) = self.current.roll_back() {
                tracing::error!(%error, "the search index cannot go on");
            }
        }
        // Before anybody is told that it holds.
        self.changes.changed(Some(&tenants.iter().map(String::as_str).collect::<Vec<_>>()));
        for (outcomes, reply) in waiting {
            let failed = || committed.as_ref().err().map(|error| FinderError::Broken(error.to_string()));
            let applied = outcomes.and_then(|outcomes| failed().map_or(Ok(Applied { outcomes }), Err));
            answer(reply, applied);
        }
        other
    }

    fn write(&mut self, records: &[Record]) -> Result<Vec<Outcome>, FinderError> {
        if let Some(building) = &mut self.building {
            build(building, records)?;
        }
        self.current.write(records)
    }

    fn apply_to(&mut self, generation: &seam::Generation, records: &[Record]) -> Result<Applied, FinderError> {
        let building = self.building_named(generation)?;
        Ok(Applied { outcomes: build(building, records)? })
    }

    fn begin(&mut self) -> Result<seam::Generation, FinderError> {
        self.building = None;
        self.drop_old()?;
        let name = self.folder.next_name()?;
        let opened = Generation::open(&self.folder.path(&name), self.setting.memory)?;
        let begun = opened.ok_or_else(|| FinderError::Broken("a new index has another schema".into()))?;
        let generation = name_of(&begun);
        self.building = Some(begun);
        Ok(generation)
    }

    fn switch(&mut self, generation: &seam::Generation) -> Result<(), FinderError> {
        if self.building.is_none() && self.current.searching.name == generation.name() {
            return Ok(()); // asked again
        }
        self.building_named(generation)?.commit()?;
        self.folder.point_to(generation.name())?;
        if let Some(built) = self.building.take() {
            *self.shown.write().unwrap_or_else(PoisonError::into_inner) = built.searching.clone();
            self.current = built;
        }
        self.changes.changed(None);
        Ok(())
    }

    fn drop_old(&mut self) -> Result<usize, FinderError> {
        let building = self.building.as_ref().map(|building| building.searching.name.clone());
        let kept: BTreeSet<String> = building.into_iter().chain(self.folder.current()).collect();
        let names = self.folder.names()?;
        let old: Vec<String> = names.into_iter().filter(|name| !kept.contains(name)).collect();
        old.iter().try_for_each(|name| self.folder.remove(name))?;
        Ok(old.len())
    }

    fn building_named(&mut self, generation: &seam::Generation) -> Result<&mut Generation, FinderError> {
        let building = self.building.as_mut().filter(|building| building.searching.name == generation.name());
        building.ok_or_else(|| FinderError::Generation(format!("{} is not being built", generation.name())))
    }
}

fn name_of(generation: &Generation) -> seam::Generation {
    seam::Generation::named(&generation.searching.name)
}

/// Writes to a generation that is being built, which is committed now and then.
fn build(building: &mut Generation, records: &[Record]) -> Result<Vec<Outcome>, FinderError> {
    let outcomes = building.write(records)?;
    if building.waiting() >= BUILD {
        building.commit()?;
    }
    Ok(outcomes)
}

fn answer<T>(reply: Reply<T>, answer: Result<T, FinderError>) {
    // Who asked may have gone.
    let _gone = reply.send(answer);
}
