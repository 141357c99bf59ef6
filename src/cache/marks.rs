//! Which purges there were: of each scope the last, as a number; an entry that is older than one of its scopes is void.
//!
//! Numbers only grow, over all instances; an entry bears that of the last purge which its maker knew when it began
//! (its generation), so that whatever was under way when a purge came is void too, without anybody's clock being right.
//! Pure but for a lock. Invariant: a void entry never becomes valid again; what is forgotten for want of room makes more
//! void rather than less.

use super::label::{Label, Scope};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

/// The purges.
#[derive(Debug)]
pub struct Marks {
    /// Changes whenever anything here does: what was read under the same is still so.
    epoch: AtomicU64,
    generation: AtomicU64,
    most: usize,
    state: RwLock<State>,
}

#[derive(Debug, Default)]
struct State {
    marks: HashMap<Scope, u64>,
    order: BTreeSet<(u64, Scope)>,
    /// How long prefixes are, and how many are so long.
    lengths: BTreeMap<u16, usize>,
    /// Everything older is void.
    floor: u64,
}

impl Marks {
    /// None; of more than `most` the oldest will be forgotten, and with it everything that is older.
    pub fn new(most: usize) -> Self {
        Self { epoch: AtomicU64::new(1), generation: AtomicU64::new(0), most: most.max(1), state: RwLock::default() }
    }

    /// Of the last purge that is known; what is begun now bears it.
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// Changes with every purge.
    pub fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    /// The last purge that the label falls under; 0 for none. What has a lower generation is void.
    pub fn since(&self, label: &Label) -> u64 {
        let state = self.read();
        if state.order.is_empty() {
            return state.floor;
        }
        let prefixes = state.lengths.keys().map_while(|length| {
            // Ascending: what is longer than the path is followed by longer ones; a cut character may be.
            (usize::from(*length) <= label.path().len()).then(|| label.prefix(*length))
        });
        let scopes = label.scopes().iter().copied().chain(prefixes.flatten());
        scopes.filter_map(|scope| state.marks.get(&scope).copied()).fold(state.floor, u64::max)
    }

    /// The purges `number` of these scopes are known from now on, and all before it.
    pub fn add(&self, number: u64, scopes: &[Scope]) {
        self.add_all(scopes.iter().map(|scope| (*scope, number)), 0);
        self.know(number);
    }

    /// Purges with their numbers, and that everything below `floor` is void.
    pub fn add_all(&self, marks: impl Iterator<Item = (Scope, u64)>, floor: u64) {
        let mut changed = false;
        {
            // A poisoned state is at most a mark short of whole, and marks are added again by whoever failed.
            let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
            changed |= state.raise_floor(floor);
            for (scope, number) in marks {
                changed |= state.add(scope, number);
            }
            while state.order.len() > self.most
                && let Some((number, _)) = state.order.first().copied()
            {
                state.raise_floor(number);
            }
        }
        if changed {
            self.epoch.fetch_add(1, Ordering::AcqRel);
        }
    }

    /// All purges up to `number` are known.
    pub fn know(&self, number: u64) {
        self.generation.fetch_max(number, Ordering::AcqRel);
    }

    /// All of them, oldest first, and the floor.
    pub fn all(&self) -> (Vec<(Scope, u64)>, u64) {
        let state = self.read();
        (state.order.iter().map(|(number, scope)| (*scope, *number)).collect(), state.floor)
    }

    /// How many are remembered.
    pub fn len(&self) -> usize {
        self.read().order.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Whether that was new.
    fn add(&mut self, scope: Scope, number: u64) -> bool {
        if scope.is_all() {
            return self.raise_floor(number);
        }
        if number <= self.floor || self.marks.get(&scope).is_some_and(|known| *known >= number) {
            return false;
        }
        match self.marks.insert(scope, number) {
            Some(before) => {
                self.order.remove(&(before, scope));
            }
            None => {
                if let Some(length) = scope.prefix_length() {
                    *self.lengths.entry(length).or_default() += 1;
                }
            }
        }
        self.order.insert((number, scope))
    }

    /// Marks that the floor covers are needed no more. Whether it was lower.
    fn raise_floor(&mut self, floor: u64) -> bool {
        let raised = floor > self.floor;
        self.floor = self.floor.max(floor);
        while let Some((number, scope)) = self.order.first().copied()
            && number <= self.floor
        {
            self.order.pop_first();
            self.marks.remove(&scope);
            if let Some(length) = scope.prefix_length()
                && let Some(count) = self.lengths.get_mut(&length)
            {
                *count -= 1;
                if *count == 0 {
                    self.lengths.remove(&length);
                }
            }
        }
        raised
    }
}

/// What an entry bears: what it can be purged by, and the last purge that its maker knew when the work began.
#[derive(Clone, Debug, Default)]
pub struct Stamp {
    /// Of the last purge known then.
    pub generation: u64,
    /// What it can be purged by.
    pub label: Arc<Label>,
}

impl Stamp {
    /// Whether a purge has come since.
    pub fn is_void(&self, marks: &Marks) -> bool {
        marks.since(&self.label) > self.generation
    }
}

/// The last purge of one label, remembered as long as nothing is purged at all: reading it costs two loads then.
#[derive(Debug, Default)]
pub struct Since {
    epoch: AtomicU64,
    number: AtomicU64,
}

impl Since {
    /// As [`Marks::since`]; always to be asked with the same label.
    pub fn get(&self, marks: &Marks, label: &Label) -> u64 {
        let epoch = marks.epoch();
        if self.epoch.load(Ordering::Acquire) != epoch {
            // It only grows: whoever comes late with an older number changes nothing.
            self.number.fetch_max(marks.since(label), Ordering::AcqRel);
            self.epoch.store(epoch, Ordering::Release);
        }
        self.number.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(path: &str, tags: &[&str]) -> Label {
        Label::new("web", path, "w=1", tags.iter().copied())
    }

    #[test]
    fn each_scope_reaches_what_it_names() {
        let marks = Marks::new(100);
        let (one, other) = (label("a/1.jpg", &["sale"]), label("b/2.jpg", &[]));
        for (number, scope, reaches) in [
            (1, Scope::tag("SALE"), (1, 0)),
            (2, Scope::source("web", "a/1.jpg"), (2, 0)),
            (3, Scope::work("web", "b/2.jpg", "w=1"), (2, 3)),
            (4, Scope::work("web", "b/2.jpg", "w=2"), (2, 3)),
            (5, Scope::prefix("web", "a/"), (5, 3)),
            (6, Scope::prefix("other", ""), (5, 3)),
            (7, Scope::prefix("web", "b/2.jpg and longer"), (5, 3)),
            (8, Scope::prefix("web", ""), (8, 8)),
            (9, Scope::ALL, (9, 9)),
        ] {
            let before = marks.epoch();
            marks.add(number, &[scope]);
            assert_eq!((marks.since(&one), marks.since(&other)), reaches, "{scope:?}");
            assert!(marks.epoch() > before, "{scope:?}");
            assert_eq!(marks.generation(), number);
        }
        assert!(marks.is_empty(), "the floor covers them all");
    }

    #[test]
    fn what_is_remembered_follows() {
        let (marks, since, label) = (Marks::new(10), Since::default(), label("a", &["x"]));
        assert_eq!(since.get(&marks, &label), 0);
        marks.add(3, &[Scope::tag("y")]);
        assert_eq!(since.get(&marks, &label), 0);
        marks.add(4, &[Scope::tag("x")]);
        assert_eq!((since.get(&marks, &label), since.get(&marks, &label)), (4, 4));
        let stamp = |generation| Stamp { generation, label: Arc::new(label.clone()) };
        assert!(stamp(3).is_void(&marks) && !stamp(4).is_void(&marks));
    }

    #[test]
    fn a_later_number_wins_whatever_comes_last() {
        let marks = Marks::new(100);
        marks.add(9, &[Scope::tag("x")]);
        marks.add(4, &[Scope::tag("x"), Scope::tag("y")]);
        assert_eq!((marks.since(&label("a", &["x"])), marks.since(&label("a", &["y"]))), (9, 4));
        assert_eq!((marks.len(), marks.generation()), (2, 9));
    }

    #[test]
    fn for_want_of_room_more_is_void_never_less() {
        let marks = Marks::new(10);
        for number in 1..=100 {
            marks.add(number, &[Scope::tag(&number.to_string()), Scope::prefix("web", &"p".repeat(number as usize))]);
            assert!(marks.len() <= 10);
        }
        for number in 1..=100_u64 {
            assert!(marks.since(&label("a", &[&number.to_string()])) >= number);
        }
        let (all, floor) = marks.all();
        assert!(floor < 100 && all.iter().all(|(_, number)| *number > floor));
        let copy = Marks::new(10);
        copy.add_all(all.into_iter(), floor);
        assert_eq!(copy.since(&label("a", &["99"])), 99);
        assert_eq!(copy.generation(), 0, "what else there was is not known by that");
    }
}
