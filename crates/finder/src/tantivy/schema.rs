//! tantivy's schema, and a record as a document of it.
//!
//! Invariant: words are kept as they come, each as one term; what is counted or ordered by is kept in columns.

use crate::record::{Field, Number, Record};
use std::collections::BTreeMap;
use tantivy::schema::{
    Field as Column, IndexRecordOption, NumericOptions, STORED, Schema, SchemaBuilder, TextFieldIndexing, TextOptions,
};
use tantivy::{TantivyDocument, Term};
use uuid::Uuid;

/// Names of columns that no word or number has.
pub(super) const ID_HIGH: &str = "id_high";
pub(super) const ID_LOW: &str = "id_low";
pub(super) const REVISION: &str = "revision";
pub(super) const GONE: &str = "gone";
pub(super) const HASH: &str = "hash";
pub(super) const LATITUDE: &str = "latitude";
pub(super) const LONGITUDE: &str = "longitude";

/// The fields of an index.
#[derive(Clone, Debug)]
pub(super) struct Fields {
    pub(super) schema: Schema,
    pub(super) id: Column,
    pub(super) document: Column,
    pub(super) revision: Column,
    words: BTreeMap<Field, Column>,
    numbers: BTreeMap<Number, Column>,
    id_high: Column,
    id_low: Column,
    gone: Column,
    hash: Column,
    latitude: Column,
    longitude: Column,
}

/// Words that this engine has no use for: it compares hashes themselves.
fn is_kept(field: Field) -> bool {
    !matches!(field, Field::Bits | Field::Quarters)
}

impl Fields {
    pub(super) fn new() -> Self {
        let mut builder = Schema::builder();
        let fast = || NumericOptions::default().set_fast();
        let id = builder.add_bytes_field("id", tantivy::schema::BytesOptions::default().set_indexed());
        let document = builder.add_bytes_field("document", STORED);
        let kept = Field::ALL.into_iter().filter(|field| is_kept(*field));
        let words = kept.map(|field| (field, add_words(&mut builder, field))).collect();
        let numbers = Number::ALL.map(|number| (number, builder.add_i64_field(number.name(), fast()))).into();
        Self {
            id,
            document,
            words,
            numbers,
            revision: builder.add_u64_field(REVISION, fast()),
            id_high: builder.add_u64_field(ID_HIGH, fast()),
            id_low: builder.add_u64_field(ID_LOW, fast()),
            gone: builder.add_u64_field(GONE, fast()),
            hash: builder.add_u64_field(HASH, fast()),
            latitude: builder.add_f64_field(LATITUDE, fast()),
            longitude: builder.add_f64_field(LONGITUDE, fast()),
            schema: builder.build(),
        }
    }

    /// Where a field's words are kept; `None` of those that this engine does without.
    pub(super) fn words(&self, field: Field) -> Option<Column> {
        self.words.get(&field).copied()
    }

    pub(super) fn number(&self, number: Number) -> Column {
        *self.numbers.get(&number).expect("every number has its column")
    }

    pub(super) fn id_term(&self, id: Uuid) -> Term {
        Term::from_field_bytes(self.id, id.as_bytes())
    }

    /// # Errors
    /// Where the document cannot be written as JSON.
    pub(super) fn document(&self, record: &Record) -> Result<TantivyDocument, serde_json::Error> {
        let mut to = TantivyDocument::new();
        let (high, low) = record.id.as_u64_pair();
        to.add_bytes(self.id, record.id.as_bytes());
        to.add_u64(self.id_high, high);
        to.add_u64(self.id_low, low);
        to.add_u64(self.revision, record.revision);
        to.add_u64(self.gone, u64::from(record.document.is_none()));
        for (field, words) in &record.words {
            let Some(column) = self.words(*field) else { continue };
            words.iter().for_each(|word| to.add_text(column, word));
        }
        for (number, value) in &record.numbers {
            to.add_i64(self.number(*number), *value);
        }
        if let Some(place) = record.place {
            to.add_f64(self.latitude, place.latitude);
            to.add_f64(self.longitude, place.longitude);
        }
        if let Some(document) = &record.document {
            document.phash.into_iter().for_each(|hash| to.add_u64(self.hash, hash));
            to.add_bytes(self.document, &serde_json::to_vec(document)?);
        }
        Ok(to)
    }
}

fn add_words(builder: &mut SchemaBuilder, field: Field) -> Column {
    let terms = TextFieldIndexing::default().set_tokenizer("raw").set_fieldnorms(false);
    let options = TextOptions::default().set_indexing_options(terms.set_index_option(IndexRecordOption::Basic));
    let options = if field.is_counted() { options.set_fast("raw") } else { options };
    builder.add_text_field(field.name(), options)
}
