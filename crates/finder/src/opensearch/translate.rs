//! A plan as a search request of OpenSearch, and its answer as what was found.
//!
//! No scripts and no vectors: filters, constant scores, counts of terms, and `search_after` over a total order.

use crate::alike::{Alike, bits};
use crate::cursor::Position;
use crate::document::Document;
use crate::error::FinderError;
use crate::hits::{Bucket, Total};
use crate::plan::{Clause, Counting, Criterion, Found, Match, Order, Plan, Scored};
use crate::reach::Terms;
use crate::record::{Field, Number};
use serde_json::{Value, json};
use uuid::Uuid;

/// Totals are counted exactly up to this.
const EXACT: u64 = 100_000;

/// The request's body. `timeout` in milliseconds.
pub(super) fn request(plan: &Plan, timeout: u128) -> Value {
    let filter: Vec<Value> = plan.all.iter().map(clause).chain(plan.met.iter().map(criterion)).collect();
    let none: Vec<Value> = plan.none.iter().map(clause).collect();
    let mut must: Vec<Value> = Vec::new();
    match &plan.scored {
        Scored::Nothing => {}
        Scored::Criteria(criteria) => must.extend(criteria.iter().map(criterion)),
        Scored::Bits(alike) => must.push(equal_bits(alike)),
    }
    let mut request = json!({
        "size": plan.limit,
        "timeout": format!("{timeout}ms"),
        "track_total_hits": EXACT,
        "_source": ["document"],
        "query": { "bool": { "filter": filter, "must_not": none, "must": must } },
        "sort": [first(plan.order), { Number::Created.name(): "desc" }, { "id": "asc" }],
    });
    if let Some(after) = plan.after {
        request["search_after"] = json!([after.first, after.created, after.id]);
    }
    for (at, counting) in plan.count.iter().enumerate() {
        request["aggs"][at.to_string()] = count(counting);
    }
    request
}

fn first(order: Order) -> Value {
    match order {
        Order::Score => json!({ "_score": "desc" }),
        Order::Up(number) => json!({ number.name(): "asc" }),
        Order::Down(number) => json!({ number.name(): "desc" }),
    }
}

fn count(counting: &Counting) -> Value {
    let mut terms = json!({
        "field": counting.field.name(),
        "size": counting.limit,
        // Shards tell their most frequent values only: ask each for more.
        "shard_size": counting.limit * 10 + 100,
        "order": [{ "_count": "desc" }, { "_key": "asc" }],
    });
    if let Some(prefix) = &counting.prefix {
        terms["include"] = json!(format!("{}.*", escaped(prefix)));
    }
    json!({ "terms": terms })
}

/// A text as a pattern of Lucene that matches nothing else.
fn escaped(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len());
    for c in text.chars() {
        if !c.is_alphanumeric() && c.is_ascii() && c != ' ' {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern
}

fn clause(clause: &Clause) -> Value {
    match clause {
        Clause::Within(grants) => within(grants),
        Clause::Any(field, words) => json!({ "terms": { field.name(): words } }),
        Clause::Begins(field, prefix) => json!({ "prefix": { field.name(): { "value": prefix } } }),
        Clause::Between(number, from, to) => {
            let mut range = json!({});
            from.iter().for_each(|from| range["gte"] = json!(from));
            to.iter().for_each(|to| range["lte"] = json!(to));
            json!({ "range": { number.name(): range } })
        }
        Clause::Boxes(boxes) => {
            let one = |[south, north, west, east]: &[f64; 4]| json!({ "geo_bounding_box": { "place": { "top": north, "bottom": south, "left": west, "right": east } } });
            json!({ "bool": { "should": boxes.iter().map(one).collect::<Vec<_>>(), "minimum_should_match": 1 } })
        }
        Clause::Round(centre, metres) => {
            let place = json!({ "lat": centre.latitude, "lon": centre.longitude });
            json!({ "geo_distance": { "distance": format!("{metres}m"), "place": place } })
        }
        Clause::Alike(alike) => {
            let quarters = json!({ "terms": { Field::Quarters.name(): alike.probes() } });
            json!({ "bool": { "filter": [quarters, equal_bits(alike)] } })
        }
        Clause::Ids(ids) => json!({ "terms": { "id": ids } }),
    }
}

fn within(grants: &[Terms]) -> Value {
    let word = |(field, word): &(Field, String)| json!({ "term": { field.name(): { "value": word } } });
    let words = |terms: &[(Field, String)]| terms.iter().map(word).collect::<Vec<_>>();
    let grant = |terms: &Terms| json!({ "bool": { "filter": words(&terms.all), "must_not": words(&terms.none) } });
    if grants.is_empty() {
        return json!({ "match_none": {} });
    }
    json!({ "bool": { "should": grants.iter().map(grant).collect::<Vec<_>>(), "minimum_should_match": 1 } })
}

/// As many points as bits are equal; at least as many as the distance leaves.
fn equal_bits(alike: &Alike) -> Value {
    let bit = |bit: String| constant(&json!({ "term": { Field::Bits.name(): bit } }), 1);
    let should: Vec<Value> = bits(alike.hash).into_iter().map(bit).collect();
    json!({ "bool": { "should": should, "minimum_should_match": 64 - u32::from(alike.within) } })
}

fn criterion(criterion: &Criterion) -> Value {
    let class = |class: &crate::plan::Class| constant(&matching(class.field, &class.matches), class.weight);
    json!({ "dis_max": { "queries": criterion.0.iter().map(class).collect::<Vec<_>>(), "tie_breaker": 0 } })
}

fn constant(filter: &Value, score: u32) -> Value {
    json!({ "constant_score": { "filter": filter, "boost": score } })
}

fn matching(field: Field, matches: &Match) -> Value {
    match matches {
        Match::Word(word) => json!({ "term": { field.name(): { "value": word } } }),
        Match::Any(words) => json!({ "terms": { field.name(): words } }),
        Match::Prefix(prefix) => {
            json!({ "prefix": { field.name(): { "value": prefix, "rewrite": "constant_score" } } })
        }
        Match::Typos(word, typos) => json!({ "fuzzy": { field.name(): {
            "value": word, "fuzziness": typos, "transpositions": true, "rewrite": "constant_score",
        } } }),
    }
}

/// What an answer to [`request`] says.
pub(super) fn found(plan: &Plan, mut answer: Value) -> Result<Found, FinderError> {
    let odd = |what: &str| FinderError::Broken(format!("OpenSearch's answer has no {what}"));
    if answer["timed_out"] == true {
        return Err(FinderError::TimedOut);
    }
    if answer["_shards"]["failed"].as_u64().is_some_and(|failed| failed > 0) {
        return Err(FinderError::Unavailable("some shards did not answer".into()));
    }
    let total = &answer["hits"]["total"];
    let value = total["value"].as_u64().ok_or_else(|| odd("total"))?;
    let total = Total { value, exact: total["relation"] == "eq" };
    let mut counts = Vec::with_capacity(plan.count.len());
    for at in 0..plan.count.len() {
        let buckets = answer["aggregations"][at.to_string()]["buckets"].as_array().ok_or_else(|| odd("counts"))?;
        let bucket = |bucket: &Value| {
            let value = bucket["key"].as_str()?.to_owned();
            Some(Bucket { value, count: bucket["doc_count"].as_u64()? })
        };
        counts.push(buckets.iter().map(bucket).collect::<Option<_>>().ok_or_else(|| odd("counts"))?);
    }
    let Value::Array(hits) = answer["hits"]["hits"].take() else { return Err(odd("hits")) };
    let documents =
        hits.into_iter().map(|hit| document(hit).ok_or_else(|| odd("whole hits"))).collect::<Result<_, _>>()?;
    Ok(Found { documents, total, counts })
}

fn document(mut hit: Value) -> Option<(Position, Document)> {
    let first = &hit["sort"][0];
    // Scores are whole numbers that come as floating-point ones.
    let first = first.as_i64().or_else(|| first.as_f64().map(|score| score.round() as i64))?;
    let created = hit["sort"][1].as_i64()?;
    let id: Uuid = hit["sort"][2].as_str()?.parse().ok()?;
    let document = serde_json::from_value(hit["_source"]["document"].take()).ok()?;
    Some((Position { first, created, id }, document))
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn patterns_match_their_text_only() {
        assert_eq!(escaped("a.b* c\"é"), "a\\.b\\* c\\\"é");
    }
}
