//! A query as engines have to answer it: which words and numbers are asked for, what scores, what orders, where the page
//! begins. Both engines translate this, clause by clause, and decide nothing themselves.
//!
//! Invariant: the first clause of every plan is the reach.

use crate::alike::Alike;
use crate::colour::NearTo;
use crate::cursor::Position;
use crate::document::Place;
use crate::error::FinderError;
use crate::hits::{Bucket, Hit, Hits, Total};
use crate::query::{Area, Query, Rejected, Sort, Span};
use crate::reach::{Reach, Terms};
use crate::record::{Field, Number, moves};
use crate::suggest::{Prompt, Suggestion, SuggestionKind};
use crate::text::Text;
use crate::words::fold;
use crate::{cursor, document::Document};
use jiff::Timestamp;
use uuid::Uuid;

/// A condition.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Clause {
    /// It is within one of these: the reach.
    Within(Vec<Terms>),
    /// It has one of these words.
    Any(Field, Vec<String>),
    /// It has a word that begins so.
    Begins(Field, String),
    /// It has this number, between both.
    Between(Number, Option<i64>, Option<i64>),
    /// It was taken in one of these: south, north, west, east; none crosses the 180th meridian.
    Boxes(Vec<[f64; 4]>),
    /// It was taken within so many metres.
    Round(Place, f64),
    /// Its hash is near.
    Alike(Alike),
    /// It is one of these.
    Ids(Vec<Uuid>),
}

/// How a word matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Match {
    Word(String),
    Any(Vec<String>),
    Prefix(String),
    /// With at most so many typing errors.
    Typos(String, u8),
}

/// One way to match, and what it is worth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Class {
    pub(crate) weight: u32,
    pub(crate) field: Field,
    pub(crate) matches: Match,
}

/// At least one of these has to match; the one with the highest weight counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Criterion(pub(crate) Vec<Class>);

/// What makes the score.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Scored {
    Nothing,
    /// The sum of these.
    Criteria(Vec<Criterion>),
    /// How many bits are equal.
    Bits(Alike),
}

/// The order; equal ones go by creation, the last first, then by id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// The highest first.
    Score,
    /// The lowest first.
    Up(Number),
    /// The highest first.
    Down(Number),
}

/// Values to be counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Counting {
    pub(crate) field: Field,
    /// Only values that begin so.
    pub(crate) prefix: Option<String>,
    /// Most values: the most frequent ones, equal ones by name.
    pub(crate) limit: usize,
}

/// What an engine is to answer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Plan {
    pub(crate) all: Vec<Clause>,
    pub(crate) none: Vec<Clause>,
    /// Criteria that have to be met and do not score.
    pub(crate) met: Vec<Criterion>,
    pub(crate) scored: Scored,
    pub(crate) order: Order,
    pub(crate) after: Option<Position>,
    /// 0 counts only.
    pub(crate) limit: usize,
    pub(crate) count: Vec<Counting>,
}

/// What an engine found.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) documents: Vec<(Position, Document)>,
    pub(crate) total: Total,
    /// For each of [`Plan::count`].
    pub(crate) counts: Vec<Vec<Bucket>>,
}

impl Plan {
    /// Everything within reach, nothing of it shown.
    fn within(reach: &Reach) -> Self {
        Self {
            all: vec![Clause::Within(reach.terms())],
            none: Vec::new(),
            met: Vec::new(),
            scored: Scored::Nothing,
            order: Order::Down(Number::Created),
            after: None,
            limit: 0,
            count: Vec::new(),
        }
    }

    /// Of a query, one document more than the page has.
    pub(crate) fn of(query: &Query) -> Result<Self, Rejected> {
        query.check()?;
        let mut plan = Self::within(&query.reach());
        plan.limit = if query.limit == 0 { 0 } else { query.limit + 1 };
        plan.after = query.cursor.as_deref().map(|text| cursor::read(text, query)).transpose()?;
        plan.filter(query);
        let text = Text::of(&query.text);
        for class in text.refusals() {
            if let Match::Word(word) = class.matches {
                plan.none.push(Clause::Any(class.field, vec![word]));
            }
        }
        let (words, near) = (text.criteria(), near(query));
        let (scored, order) = order(query.sort, &words, near.as_ref(), query.alike);
        if !matches!(&scored, Scored::Criteria(criteria) if *criteria == words) {
            plan.met.extend(words);
        }
        if query.sort != Sort::Colour {
            plan.met.extend(near);
        }
        (plan.scored, plan.order) = (scored, order);
        let counting = |facet: &_| Counting { field: Field::from(*facet), prefix: None, limit: query.buckets };
        plan.count = query.facets.iter().map(counting).collect();
        Ok(plan)
    }

    /// The documents of these ids.
    pub(crate) fn of_ids(reach: &Reach, ids: &[Uuid]) -> Self {
        let mut plan = Self::within(reach);
        plan.all.push(Clause::Ids(ids.to_vec()));
        plan.limit = ids.len();
        plan
    }

    fn filter(&mut self, query: &Query) {
        let mut any = |field: Field, words: Vec<String>| {
            if !words.is_empty() {
                self.all.push(Clause::Any(field, words));
            }
        };
        for tag in &query.tags {
            any(Field::Tag, vec![fold(tag)]);
        }
        any(Field::Tag, query.any_tags.iter().map(|tag| fold(tag)).collect());
        any(Field::Type, query.types.iter().map(|name| name.to_ascii_lowercase()).collect());
        any(Field::Camera, query.cameras.clone());
        any(Field::Orientation, query.orientations.iter().map(|shape| shape.as_str().to_owned()).collect());
        any(Field::Colour, query.colours.iter().map(|name| name.as_str().to_owned()).collect());
        any(Field::Year, query.years.iter().map(ToString::to_string).collect());
        any(Field::Moves, query.animated.map(|animated| moves(animated).to_owned()).into_iter().collect());
        any(Field::Folder, query.folder.iter().map(|folder| folder.trim_matches('/').to_owned()).collect());
        any(Field::Owner, query.owner.clone().into_iter().collect());
        let spans = [
            (Number::Taken, times(query.taken)),
            (Number::Created, times(query.created)),
            (Number::Bytes, lengths(query.bytes)),
            (Number::Pixels, lengths(query.pixels)),
            (Number::Width, (query.width.from.map(i64::from), query.width.to.map(i64::from))),
            (Number::Height, (query.height.from.map(i64::from), query.height.to.map(i64::from))),
        ];
        let open = |(_, span): &(Number, _)| *span != (None, None);
        self.all.extend(spans.into_iter().filter(open).map(|(number, (from, to))| Clause::Between(number, from, to)));
        self.all.extend(query.area.map(area));
        self.all.extend(query.alike.map(Clause::Alike));
        self.none.extend(query.without.map(|id| Clause::Ids(vec![id])));
        if !query.no_tags.is_empty() {
            self.none.push(Clause::Any(Field::Tag, query.no_tags.iter().map(|tag| fold(tag)).collect()));
        }
    }
}

fn order(sort: Sort, words: &[Criterion], near: Option<&Criterion>, alike: Option<Alike>) -> (Scored, Order) {
    let by = match sort {
        Sort::Relevance if words.is_empty() => Order::Down(Number::Created),
        Sort::Relevance => return (Scored::Criteria(words.to_vec()), Order::Score),
        Sort::Colour => return (Scored::Criteria(near.cloned().into_iter().collect()), Order::Score),
        Sort::Likeness => return (alike.map_or(Scored::Nothing, Scored::Bits), Order::Score),
        Sort::Created => Order::Up(Number::Created),
        Sort::CreatedDown => Order::Down(Number::Created),
        Sort::Changed => Order::Up(Number::Changed),
        Sort::ChangedDown => Order::Down(Number::Changed),
        Sort::Taken => Order::Up(Number::When),
        Sort::TakenDown => Order::Down(Number::When),
        Sort::Bytes => Order::Up(Number::Bytes),
        Sort::BytesDown => Order::Down(Number::Bytes),
        Sort::Pixels => Order::Up(Number::Pixels),
        Sort::PixelsDown => Order::Down(Number::Pixels),
        Sort::Width => Order::Up(Number::Width),
        Sort::WidthDown => Order::Down(Number::Width),
        Sort::Height => Order::Up(Number::Height),
        Sort::HeightDown => Order::Down(Number::Height),
    };
    (Scored::Nothing, by)
}

/// The nearer a colour the higher its weight: 100 less the distance in whole steps.
fn near(query: &Query) -> Option<Criterion> {
    let near = query.near?;
    let field = match near.to {
        NearTo::Palette => Field::Palette,
        NearTo::Average => Field::Average,
    };
    let class = |(ring, cells)| Class { weight: 100 - ring, field, matches: Match::Any(cells) };
    Some(Criterion(near.rings().into_iter().map(class).collect()))
}

fn times(span: Span<Timestamp>) -> (Option<i64>, Option<i64>) {
    (span.from.map(Timestamp::as_millisecond), span.to.map(Timestamp::as_millisecond))
}

fn lengths(span: Span<u64>) -> (Option<i64>, Option<i64>) {
    let length = |value| i64::try_from(value).unwrap_or(i64::MAX);
    (span.from.map(length), span.to.map(length))
}

fn area(area: Area) -> Clause {
    match area {
        Area::Round { centre, metres } => Clause::Round(centre, metres),
        Area::Box { south_west, north_east } => {
            let (south, north) = (south_west.latitude, north_east.latitude);
            let (west, east) = (south_west.longitude, north_east.longitude);
            let boxes = if west <= east {
                vec![[south, north, west, east]]
            } else {
                vec![[south, north, west, 180.0], [south, north, -180.0, east]]
            };
            Clause::Boxes(boxes)
        }
    }
}

/// The page of a query out of what its plan found.
pub(crate) fn page(query: &Query, mut found: Found) -> Hits {
    let more = found.documents.len() > query.limit;
    found.documents.truncate(query.limit);
    let last = found.documents.last().filter(|_| more).map(|(position, _)| cursor::write(position, query));
    let scored = matches!(query.sort, Sort::Colour | Sort::Likeness)
        || query.sort == Sort::Relevance && !Text::of(&query.text).wanted.is_empty();
    let text = query.highlight.then(|| Text::of(&query.text));
    let hit = |(position, document): (Position, Document)| Hit {
        score: scored.then(|| u32::try_from(position.first).unwrap_or_default()),
        highlights: text.as_ref().map(|text| text.highlights(&document)).unwrap_or_default(),
        document,
    };
    Hits {
        hits: found.documents.into_iter().map(hit).collect(),
        total: found.total,
        facets: query.facets.iter().copied().zip(found.counts).collect(),
        next: last,
    }
}

/// The completions of a prompt: what is typed so far.
pub(crate) struct Completion {
    /// Counts tags that begin as the whole text does.
    tags: Plan,
    /// Counts words of titles that begin as the last word does, where the words before it are met too.
    words: Plan,
    before: String,
    limit: usize,
}

impl Completion {
    /// `None` where nothing is typed.
    pub(crate) fn of(prompt: &Prompt) -> Result<Option<Self>, Rejected> {
        if !(1..=50).contains(&prompt.limit) {
            return Err(Rejected { field: "limit", value: prompt.limit.to_string(), allowed: "1 to 50".into() });
        }
        let mut query = Query::new(prompt.reach().clone());
        query.text.clone_from(&prompt.text);
        query.check()?;
        let mut text = Text::of(&prompt.text);
        let whole = fold(&prompt.text);
        let Some(last) = text.wanted.pop().filter(|_| text.typing) else { return Ok(None) };
        text.typing = false;
        let counting = |field, prefix| vec![Counting { field, prefix: Some(prefix), limit: prompt.limit }];
        let (mut tags, mut words) = (Plan::within(prompt.reach()), Plan::within(prompt.reach()));
        tags.all.push(Clause::Begins(Field::Tag, whole.clone()));
        tags.count = counting(Field::Tag, whole);
        words.all.push(Clause::Begins(Field::Title, last.clone()));
        words.count = counting(Field::Title, last);
        words.met = text.criteria();
        let before = text.wanted.iter().map(|word| format!("{word} ")).collect();
        Ok(Some(Self { tags, words, before, limit: prompt.limit }))
    }

    /// What is to be counted of tags, and of words of titles.
    pub(crate) fn plans(&self) -> [Plan; 2] {
        [self.tags.clone(), self.words.clone()]
    }

    /// The most frequent first, tags before words.
    pub(crate) fn finish(&self, tags: Vec<Bucket>, words: Vec<Bucket>) -> Vec<Suggestion> {
        let tag = |bucket: Bucket| Suggestion { text: bucket.value, kind: SuggestionKind::Tag, count: bucket.count };
        let mut all: Vec<Suggestion> = tags.into_iter().map(tag).collect();
        for bucket in words {
            let text = format!("{}{}", self.before, bucket.value);
            if !all.iter().any(|known| known.text == text) {
                all.push(Suggestion { text, kind: SuggestionKind::Word, count: bucket.count });
            }
        }
        all.sort_by(|a, b| b.count.cmp(&a.count).then(a.kind.cmp(&b.kind)).then_with(|| a.text.cmp(&b.text)));
        all.truncate(self.limit);
        all
    }
}

/// The most frequent values, equal ones by name.
pub(crate) fn most_frequent(mut buckets: Vec<Bucket>, limit: usize) -> Vec<Bucket> {
    buckets.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.value.cmp(&b.value)));
    buckets.truncate(limit);
    buckets
}

/// The first counts of what was found: of plans that count once.
pub(crate) fn only_count(found: Found) -> Result<Vec<Bucket>, FinderError> {
    found.counts.into_iter().next().ok_or_else(|| FinderError::Broken("an engine did not count".into()))
}
