//! A plan's clauses as tantivy's queries.
//!
//! Invariant: whatever does not make the score is wrapped so that it adds nothing to it.

use super::schema::{Fields, HASH, LATITUDE, LONGITUDE};
use crate::document::Place;
use crate::error::FinderError;
use crate::plan::{Clause, Criterion, Match, Plan, Scored};
use crate::reach::Terms;
use crate::record::Field;
use std::ops::Bound;
use tantivy::columnar::{Column, DynamicColumn, HasAssociatedColumnType};
use tantivy::query::doc_predicate_query::{DocPredicateQuery, FunctionPredicate};
use tantivy::query::{
    BooleanQuery, ConstScoreQuery, DisjunctionMaxQuery, EmptyQuery, FuzzyTermQuery, Occur, Query, RangeQuery,
    TermQuery, TermSetQuery,
};
use tantivy::schema::IndexRecordOption;
use tantivy::{DocId, SegmentReader, Term};

/// Mean radius of the Earth, in metres; OpenSearch uses the same.
const EARTH: f64 = 6_371_008.771_4;

type Part = Box<dyn Query>;

/// The whole plan as one query.
pub(super) fn query(plan: &Plan, fields: &Fields) -> Result<BooleanQuery, FinderError> {
    let mut parts: Vec<(Occur, Part)> = Vec::new();
    for all in &plan.all {
        parts.push((Occur::Must, silent(clause(all, fields)?)));
    }
    for none in &plan.none {
        parts.push((Occur::MustNot, clause(none, fields)?));
    }
    for met in &plan.met {
        parts.push((Occur::Must, silent(criterion(met, fields)?)));
    }
    if let Scored::Criteria(criteria) = &plan.scored {
        for scored in criteria {
            parts.push((Occur::Must, criterion(scored, fields)?));
        }
    }
    Ok(BooleanQuery::new(parts))
}

fn silent(part: Part) -> Part {
    Box::new(ConstScoreQuery::new(part, 0.0))
}

fn clause(clause: &Clause, fields: &Fields) -> Result<Part, FinderError> {
    Ok(match clause {
        Clause::Within(grants) => within(grants, fields),
        Clause::Any(field, words) => any(*field, words, fields),
        Clause::Begins(field, prefix) => matching(*field, &Match::Prefix(prefix.clone()), fields),
        Clause::Between(number, from, to) => {
            let column = fields.number(*number);
            let bound = |end: &Option<i64>| {
                end.map_or(Bound::Unbounded, |end| Bound::Included(Term::from_field_i64(column, end)))
            };
            Box::new(RangeQuery::new(bound(from), bound(to)))
        }
        Clause::Boxes(boxes) => {
            let boxes = boxes.clone();
            placed(move |place| {
                boxes.iter().any(|[south, north, west, east]| {
                    (*south..=*north).contains(&place.latitude) && (*west..=*east).contains(&place.longitude)
                })
            })
        }
        Clause::Round(centre, metres) => {
            let (centre, metres) = (*centre, *metres);
            placed(move |place| distance(centre, place) <= metres)
        }
        Clause::Alike(alike) => {
            let alike = *alike;
            predicate(move |segment| {
                let hashes = column::<u64>(segment, HASH)?;
                Ok(move |doc: DocId| {
                    let hash = hashes.as_ref().and_then(|hashes| hashes.first(doc));
                    hash.is_some_and(|hash| (hash ^ alike.hash).count_ones() <= u32::from(alike.within))
                })
            })
        }
        Clause::Ids(ids) => Box::new(TermSetQuery::new(ids.iter().map(|id| fields.id_term(*id)))),
    })
}

fn within(grants: &[Terms], fields: &Fields) -> Part {
    let word = |(field, word): &(Field, String)| any(*field, std::slice::from_ref(word), fields);
    let grant = |terms: &Terms| -> Part {
        let all = terms.all.iter().map(|term| (Occur::Must, word(term)));
        let none = terms.none.iter().map(|term| (Occur::MustNot, word(term)));
        Box::new(BooleanQuery::new(all.chain(none).collect()))
    };
    let simple = grants.iter().map(|terms| match (terms.all.as_slice(), terms.none.as_slice()) {
        ([(Field::Reach, word)], []) => Some(word.clone()),
        _ => None,
    });
    // Whole tenants, mostly: one set of words instead of a union of conditions.
    match simple.collect::<Option<Vec<String>>>() {
        Some(words) => any(Field::Reach, &words, fields),
        None => Box::new(BooleanQuery::union(grants.iter().map(grant).collect())),
    }
}

/// One of the classes; its weight is the score.
fn criterion(criterion: &Criterion, fields: &Fields) -> Result<Part, FinderError> {
    let class = |class: &crate::plan::Class| -> Part {
        Box::new(ConstScoreQuery::new(matching(class.field, &class.matches, fields), class.weight as f32))
    };
    let mut classes: Vec<Part> = criterion.0.iter().map(class).collect();
    Ok(match classes.len() {
        0 => Box::new(EmptyQuery),
        1 => classes.remove(0),
        _ => Box::new(DisjunctionMaxQuery::new(classes)),
    })
}

fn matching(field: Field, matches: &Match, fields: &Fields) -> Part {
    let Some(column) = fields.words(field) else { return Box::new(EmptyQuery) };
    match matches {
        Match::Word(word) => any(field, std::slice::from_ref(word), fields),
        Match::Any(words) => any(field, words, fields),
        Match::Prefix(prefix) => Box::new(FuzzyTermQuery::new_prefix(Term::from_field_text(column, prefix), 0, true)),
        Match::Typos(word, typos) => Box::new(FuzzyTermQuery::new(Term::from_field_text(column, word), *typos, true)),
    }
}

fn any(field: Field, words: &[String], fields: &Fields) -> Part {
    let Some(column) = fields.words(field) else { return Box::new(EmptyQuery) };
    match words {
        [] => Box::new(EmptyQuery),
        [word] => Box::new(TermQuery::new(Term::from_field_text(column, word), IndexRecordOption::Basic)),
        words => Box::new(TermSetQuery::new(words.iter().map(|word| Term::from_field_text(column, word)))),
    }
}

fn placed(is_there: impl Fn(Place) -> bool + Clone + Send + Sync + 'static) -> Part {
    predicate(move |segment| {
        let (latitudes, longitudes) = (column::<f64>(segment, LATITUDE)?, column::<f64>(segment, LONGITUDE)?);
        let is_there = is_there.clone();
        Ok(move |doc: DocId| {
            let of = |column: &Option<Column<f64>>| column.as_ref().and_then(|column| column.first(doc));
            let place = of(&latitudes).zip(of(&longitudes));
            place.is_some_and(|(latitude, longitude)| is_there(Place { latitude, longitude }))
        })
    })
}

fn predicate<F, P>(factory: F) -> Part
where
    F: Fn(&SegmentReader) -> tantivy::Result<P> + Send + Sync + 'static,
    P: Fn(DocId) -> bool + Send + Sync + 'static,
{
    Box::new(DocPredicateQuery::from(FunctionPredicate::from(factory)))
}

/// A column of a segment; `None` where no document of it has a value.
pub(super) fn column<T>(segment: &SegmentReader, name: &str) -> tantivy::Result<Option<Column<T>>>
where
    T: HasAssociatedColumnType,
    DynamicColumn: Into<Option<Column<T>>>,
{
    segment.fast_fields().column_opt::<T>(name)
}

/// The way along a great circle (haversine), in metres.
fn distance(one: Place, two: Place) -> f64 {
    let half = |from: f64, to: f64| ((to - from).to_radians() / 2.0).sin().powi(2);
    let along = one.latitude.to_radians().cos() * two.latitude.to_radians().cos();
    let square = half(one.latitude, two.latitude) + along * half(one.longitude, two.longitude);
    2.0 * EARTH * square.sqrt().min(1.0).asin()
}

#[cfg(test)]
mod tests {
    use super::{Place, distance};

    #[test]
    fn ways_have_their_length() {
        let (london, paris) = (Place::new(51.5074, -0.1278).unwrap(), Place::new(48.8566, 2.3522).unwrap());
        assert!((distance(london, paris) - 343_556.0).abs() < 100.0);
        let (east, west) = (Place::new(0.0, 179.9).unwrap(), Place::new(0.0, -179.9).unwrap());
        assert!((distance(east, west) - 22_239.0).abs() < 10.0, "over the 180th meridian");
    }
}
