//! One walk over all documents that match: how many there are, the best of them, and what values they have.
//!
//! Invariant: the total and the counts are of everything that matches; only the best come after the cursor.

use super::schema::{ID_HIGH, ID_LOW};
use super::translate::column;
use crate::cursor::Position;
use crate::plan::{Counting, Order, Plan, Scored};
use crate::record::Number;
use std::collections::{BinaryHeap, HashMap};
use std::ops::{Bound, Range};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tantivy::collector::{Collector, SegmentCollector};
use tantivy::columnar::{Column, ColumnValues, StrColumn};
use tantivy::{DocAddress, DocId, Score, SegmentOrdinal, SegmentReader};
use uuid::Uuid;

/// The lower, the earlier.
type Key = (i64, i64, u128);

/// What is gathered.
pub(super) struct Gather {
    order: Order,
    hash: Option<u64>,
    after: Option<Key>,
    limit: usize,
    count: Vec<Counting>,
    /// Set when nobody waits any more.
    stop: Arc<AtomicBool>,
}

/// What was gathered.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    pub(super) total: u64,
    /// The earliest first.
    pub(super) best: Vec<(Position, DocAddress)>,
    pub(super) counts: Vec<HashMap<String, u64>>,
}

impl Gather {
    pub(super) fn of(plan: &Plan, stop: &Arc<AtomicBool>) -> Self {
        let hash = match plan.scored {
            Scored::Bits(alike) => Some(alike.hash),
            Scored::Nothing | Scored::Criteria(_) => None,
        };
        let order = plan.order;
        let after = plan.after.map(|position| key(order, position.first, position.created, position.id.as_u128()));
        Self { order, hash, after, limit: plan.limit, count: plan.count.clone(), stop: Arc::clone(stop) }
    }
}

/// Turned so that the lower comes first.
fn key(order: Order, first: i64, created: i64, id: u128) -> Key {
    (if matches!(order, Order::Up(_)) { first } else { !first }, !created, id)
}

fn position(order: Order, (first, created, id): Key) -> Position {
    let first = if matches!(order, Order::Up(_)) { first } else { !first };
    Position { first, created: !created, id: Uuid::from_u128(id) }
}

/// What orders within a segment.
enum First {
    Score,
    Number(Arc<dyn ColumnValues<i64>>),
    /// Equal bits with this hash.
    Bits(Option<Column<u64>>, u64),
}

/// What is gathered of one segment.
pub(super) struct OfSegment {
    segment: SegmentOrdinal,
    order: Order,
    first: First,
    created: Arc<dyn ColumnValues<i64>>,
    high: Arc<dyn ColumnValues<u64>>,
    low: Arc<dyn ColumnValues<u64>>,
    after: Option<Key>,
    limit: usize,
    total: u64,
    best: BinaryHeap<(Key, DocId)>,
    counters: Vec<Counter>,
    stop: Arc<AtomicBool>,
    stopped: bool,
}

/// Counts values of one column; `None` where no document of the segment has one.
struct Counter(Option<Counted>);

struct Counted {
    column: StrColumn,
    ordinals: Range<u64>,
    counts: Vec<u64>,
}

impl Counter {
    fn of(segment: &SegmentReader, counting: &Counting) -> tantivy::Result<Self> {
        let Some(column) = segment.fast_fields().str(counting.field.name())? else { return Ok(Self(None)) };
        let words = column.num_terms() as u64;
        let ordinals = match &counting.prefix {
            None => 0..words,
            Some(prefix) => {
                let bounds = column
                    .dictionary()
                    .term_bounds_to_ord(Bound::Included(prefix.as_bytes().to_vec()), beyond(prefix))?;
                let from = match bounds.0 {
                    Bound::Included(from) => from,
                    Bound::Excluded(from) => from + 1,
                    Bound::Unbounded => 0,
                };
                let to = match bounds.1 {
                    Bound::Included(to) => to + 1,
                    Bound::Excluded(to) => to,
                    Bound::Unbounded => words,
                };
                // Behind the last word there is no number: the dictionary says the largest there can be.
                let (from, to) = (from.min(words), to.min(words));
                from..to.max(from)
            }
        };
        let counts = vec![0; usize::try_from(ordinals.end - ordinals.start).unwrap_or_default()];
        Ok(Self(Some(Counted { column, ordinals, counts })))
    }

    fn add(&mut self, doc: DocId) {
        let Some(counted) = &mut self.0 else { return };
        for ordinal in counted.column.ords().values_for_doc(doc) {
            let at = ordinal.checked_sub(counted.ordinals.start).and_then(|at| usize::try_from(at).ok());
            if let Some(count) = at.and_then(|at| counted.counts.get_mut(at)) {
                *count += 1;
            }
        }
    }

    fn finish(self) -> HashMap<String, u64> {
        let Some(Counted { column, ordinals, counts }) = self.0 else { return HashMap::new() };
        let found: Vec<(u64, u64)> = ordinals.zip(counts).filter(|(_, count)| *count > 0).collect();
        let (ordinals, mut counts): (Vec<u64>, Vec<u64>) = found.into_iter().unzip();
        counts.reverse();
        let mut values = HashMap::with_capacity(counts.len());
        let read = column.dictionary().sorted_ords_to_term_cb(&ordinals, |term| {
            if let (Ok(value), Some(count)) = (std::str::from_utf8(term), counts.pop()) {
                values.insert(value.to_owned(), count);
            }
        });
        if let Err(error) = read {
            tracing::error!(%error, "a column's words cannot be read");
        }
        values
    }
}

/// The first text behind all that begin with `prefix`.
fn beyond(prefix: &str) -> Bound<Vec<u8>> {
    let mut bytes = prefix.as_bytes().to_vec();
    while let Some(last) = bytes.pop() {
        if last < u8::MAX {
            bytes.push(last + 1);
            return Bound::Excluded(bytes);
        }
    }
    Bound::Unbounded
}

impl Collector for Gather {
    type Fruit = Gathered;
    type Child = OfSegment;

    fn for_segment(&self, segment: SegmentOrdinal, reader: &SegmentReader) -> tantivy::Result<OfSegment> {
        let fast = reader.fast_fields();
        let numbers = |number: Number| fast.column_first_or_default::<i64>(number.name());
        let first = match (self.order, self.hash) {
            (Order::Score, Some(hash)) => First::Bits(column::<u64>(reader, super::schema::HASH)?, hash),
            (Order::Score, None) => First::Score,
            (Order::Up(number) | Order::Down(number), _) => First::Number(numbers(number)?),
        };
        Ok(OfSegment {
            segment,
            order: self.order,
            first,
            created: numbers(Number::Created)?,
            high: fast.column_first_or_default(ID_HIGH)?,
            low: fast.column_first_or_default(ID_LOW)?,
            after: self.after,
            limit: self.limit,
            total: 0,
            best: BinaryHeap::with_capacity(self.limit + 1),
            counters: self
                .count
                .iter()
                .map(|counting| Counter::of(reader, counting))
                .collect::<tantivy::Result<_>>()?,
            stop: Arc::clone(&self.stop),
            stopped: false,
        })
    }

    fn requires_scoring(&self) -> bool {
        self.order == Order::Score && self.hash.is_none()
    }

    fn merge_fruits(&self, segments: Vec<Gathered>) -> tantivy::Result<Gathered> {
        let mut all = Gathered { counts: vec![HashMap::new(); self.count.len()], ..Gathered::default() };
        for segment in segments {
            all.total += segment.total;
            all.best.extend(segment.best);
            for (to, from) in all.counts.iter_mut().zip(segment.counts) {
                from.into_iter().for_each(|(value, count)| *to.entry(value).or_default() += count);
            }
        }
        all.best.sort_by_key(|(at, _)| key(self.order, at.first, at.created, at.id.as_u128()));
        all.best.truncate(self.limit);
        Ok(all)
    }
}

impl SegmentCollector for OfSegment {
    type Fruit = Gathered;

    fn collect(&mut self, doc: DocId, score: Score) {
        if self.stopped {
            return;
        }
        self.total += 1;
        if self.total.is_multiple_of(4096) {
            self.stopped = self.stop.load(Ordering::Relaxed);
        }
        self.counters.iter_mut().for_each(|counter| counter.add(doc));
        if self.limit == 0 {
            return;
        }
        let first = match &self.first {
            First::Score => score.round() as i64,
            First::Number(column) => column.get_val(doc),
            First::Bits(column, hash) => {
                let other = column.as_ref().and_then(|column| column.first(doc)).unwrap_or(!hash);
                i64::from(64 - (hash ^ other).count_ones())
            }
        };
        let first = if matches!(self.order, Order::Up(_)) { first } else { !first };
        let full = self.best.len() >= self.limit;
        // The common case, before the other columns are looked at.
        if full && self.best.peek().is_some_and(|(worst, _)| first > worst.0) {
            return;
        }
        let id = Uuid::from_u64_pair(self.high.get_val(doc), self.low.get_val(doc)).as_u128();
        let key = (first, !self.created.get_val(doc), id);
        if self.after.is_some_and(|after| key <= after) {
            return;
        }
        self.best.push((key, doc));
        if full {
            self.best.pop();
        }
    }

    fn harvest(self) -> Gathered {
        let (segment, order) = (self.segment, self.order);
        let placed = |(key, doc)| (position(order, key), DocAddress::new(segment, doc));
        Gathered {
            total: self.total,
            best: self.best.into_iter().map(placed).collect(),
            counts: self.counters.into_iter().map(Counter::finish).collect(),
        }
    }
}
