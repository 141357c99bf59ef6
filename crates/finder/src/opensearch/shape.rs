//! What an index of OpenSearch looks like: its settings, its strict mapping, and a record as a document of it.
//!
//! Invariant: nothing is mapped by guess; a document with a field that is not listed here is refused.

use crate::error::FinderError;
use crate::record::{Field, Number, Record};
use serde_json::{Map, Value, json};

/// Raised when the mapping changes: an index of another one has to be rebuilt.
pub(super) const SCHEMA: u64 = 1;

/// The body that makes an index, with one alias.
pub(super) fn index(shards: u32, replicas: u32, alias: &str) -> Value {
    let mut properties = Map::new();
    for field in Field::ALL {
        let counted = field.is_counted();
        properties.insert(field.name().into(), json!({ "type": "keyword", "doc_values": counted }));
    }
    for number in Number::ALL {
        properties.insert(number.name().into(), json!({ "type": "long" }));
    }
    properties.insert("id".into(), json!({ "type": "keyword" }));
    properties.insert("revision".into(), json!({ "type": "long" }));
    properties.insert("gone".into(), json!({ "type": "boolean" }));
    properties.insert("place".into(), json!({ "type": "geo_point" }));
    properties.insert("document".into(), json!({ "type": "object", "enabled": false }));
    json!({
        "settings": { "index": { "number_of_shards": shards, "number_of_replicas": replicas } },
        "mappings": {
            "dynamic": "strict",
            "_meta": { "schema": SCHEMA },
            // Never rebuilt from the index itself: the words need not be kept twice.
            "_source": { "includes": ["document", "revision", "id"] },
            "properties": properties,
        },
        "aliases": { alias: { "is_write_index": true } },
    })
}

/// A record as a document.
pub(super) fn document(record: &Record) -> Result<Value, FinderError> {
    let mut to = Map::new();
    to.insert("id".into(), json!(record.id));
    to.insert("revision".into(), json!(record.revision));
    let Some(document) = &record.document else {
        to.insert("gone".into(), json!(true));
        return Ok(Value::Object(to));
    };
    to.insert("gone".into(), json!(false));
    for (field, words) in &record.words {
        to.insert(field.name().into(), json!(words));
    }
    for (number, value) in &record.numbers {
        to.insert(number.name().into(), json!(value));
    }
    if let Some(place) = record.place {
        to.insert("place".into(), json!({ "lat": place.latitude, "lon": place.longitude }));
    }
    let whole = serde_json::to_value(document).map_err(|error| FinderError::Broken(error.to_string()))?;
    to.insert("document".into(), whole);
    Ok(Value::Object(to))
}
