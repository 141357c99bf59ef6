//! One generation: an index of tantivy in a folder of its own, with its one writer.
//!
//! Knows nothing of other generations. Invariant: of all writes of an asset the highest revision holds, also among those
//! that are not committed yet; what [`Generation::commit`] returned for is on disk, and found.

use super::gather::{Gather, Gathered};
use super::schema::{Fields, GONE, ID_HIGH, ID_LOW, REVISION};
use super::translate;
use crate::document::Document;
use crate::error::FinderError;
use crate::hits::{Bucket, Total};
use crate::plan::{Found, Plan, most_frequent};
use crate::record::Record;
use crate::write::Outcome;
use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tantivy::directory::MmapDirectory;
use tantivy::schema::Value as _;
use tantivy::{DocSet as _, Index, IndexReader, IndexWriter, ReloadPolicy, Searcher, TERMINATED, TantivyDocument};
use uuid::Uuid;

/// Says that a generation began empty in place of one that could not be used.
const INCOMPLETE: &str = "incomplete";

/// What is searched: cheap to clone, good on any thread.
#[derive(Clone)]
pub(super) struct Searching {
    pub(super) name: String,
    folder: PathBuf,
    fields: Arc<Fields>,
    reader: IndexReader,
}

/// What is written: by one thread.
pub(super) struct Generation {
    pub(super) searching: Searching,
    writer: IndexWriter,
    /// Revisions written since the last commit.
    pending: HashMap<Uuid, u64>,
}

pub(super) fn broken(error: impl std::fmt::Display) -> FinderError {
    FinderError::Broken(error.to_string())
}

impl Generation {
    /// Opens the index in `folder`, or makes one. `None` where there is one of another schema: of another version of this
    /// software.
    pub(super) fn open(folder: &Path, memory: usize) -> Result<Option<Self>, FinderError> {
        let fields = Arc::new(Fields::new());
        fs::create_dir_all(folder).map_err(broken)?;
        let directory = MmapDirectory::open(folder).map_err(broken)?;
        let exists = Index::exists(&directory).map_err(broken)?;
        let index = if exists {
            let index = Index::open(directory).map_err(broken)?;
            if index.schema() != fields.schema {
                return Ok(None);
            }
            index
        } else {
            Index::builder().schema(fields.schema.clone()).create_in_dir(folder).map_err(broken)?
        };
        let writer = index.writer_with_num_threads(1, memory).map_err(broken)?;
        let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into().map_err(broken)?;
        let name = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let searching = Searching { name, folder: folder.to_owned(), fields, reader };
        Ok(Some(Self { searching, writer, pending: HashMap::new() }))
    }

    /// Marks it as begun empty.
    pub(super) fn mark_incomplete(&self) -> Result<(), FinderError> {
        File::create(self.searching.folder.join(INCOMPLETE)).and_then(|file| file.sync_all()).map_err(broken)
    }

    /// Takes records in, in their order. They hold after [`Generation::commit`].
    pub(super) fn write(&mut self, records: &[Record]) -> Result<Vec<Outcome>, FinderError> {
        let searcher = self.searching.reader.searcher();
        let mut outcomes = Vec::with_capacity(records.len());
        for record in records {
            let known = match self.pending.get(&record.id) {
                Some(revision) => Some(*revision),
                None => self.searching.revision(&searcher, record.id)?,
            };
            if known.is_some_and(|known| known >= record.revision) {
                outcomes.push(Outcome::Older);
                continue;
            }
            let document = self.searching.fields.document(record).map_err(broken)?;
            self.writer.delete_term(self.searching.fields.id_term(record.id));
            self.writer.add_document(document).map_err(broken)?;
            self.pending.insert(record.id, record.revision);
            outcomes.push(Outcome::Written);
        }
        Ok(outcomes)
    }

    /// How many writes wait for a commit.
    pub(super) fn waiting(&self) -> usize {
        self.pending.len()
    }

    /// Puts all writes on disk and shows them to searches that begin now.
    pub(super) fn commit(&mut self) -> Result<(), FinderError> {
        if self.pending.is_empty() {
            return Ok(());
        }
        self.writer.commit().map_err(broken)?;
        // The rename of the list of segments: kept through a loss of power only when the folder is, too.
        File::open(&self.searching.folder).and_then(|folder| folder.sync_all()).map_err(broken)?;
        self.pending.clear();
        self.searching.reader.reload().map_err(broken)
    }

    /// Forgets what was not committed, with a new writer.
    pub(super) fn roll_back(&mut self) -> Result<(), FinderError> {
        self.pending.clear();
        self.writer.rollback().map_err(broken).map(|_| ())
    }
}

impl Searching {
    /// Answers a plan. When `stop` is set it ends soon, with anything.
    pub(super) fn run(&self, plan: &Plan, stop: &Arc<AtomicBool>) -> Result<Found, FinderError> {
        let searcher = self.reader.searcher();
        let query = translate::query(plan, &self.fields)?;
        let gather = Gather::of(plan, stop);
        let Gathered { total, best, counts } = searcher.search(&query, &gather).map_err(broken)?;
        if stop.load(Ordering::Relaxed) {
            return Err(FinderError::TimedOut);
        }
        let mut documents = Vec::with_capacity(best.len());
        for (position, address) in best {
            documents.push((position, self.document(&searcher, address)?));
        }
        let buckets = |(counts, limit): (HashMap<String, u64>, usize)| {
            most_frequent(counts.into_iter().map(|(value, count)| Bucket { value, count }).collect(), limit)
        };
        let limits = plan.count.iter().map(|counting| counting.limit);
        Ok(Found {
            documents,
            total: Total { value: total, exact: true },
            counts: counts.into_iter().zip(limits).map(buckets).collect(),
        })
    }

    /// The document of an id, whoever may see it.
    pub(super) fn get(&self, id: Uuid) -> Result<Option<Document>, FinderError> {
        let searcher = self.reader.searcher();
        let Some((segment, doc)) = self.place(&searcher, id)? else { return Ok(None) };
        let gone =
            searcher.segment_reader(segment).fast_fields().column_first_or_default::<u64>(GONE).map_err(broken)?;
        if gone.get_val(doc) == 1 {
            return Ok(None);
        }
        self.document(&searcher, tantivy::DocAddress::new(segment, doc)).map(Some)
    }

    /// Ids and revisions after `after`, ascending.
    pub(super) fn scan(&self, after: Option<Uuid>, limit: usize) -> Result<Vec<(Uuid, u64)>, FinderError> {
        let searcher = self.reader.searcher();
        let mut first: BTreeMap<Uuid, u64> = BTreeMap::new();
        for segment in searcher.segment_readers() {
            let fast = segment.fast_fields();
            let column = |name| fast.column_first_or_default::<u64>(name).map_err(broken);
            let (high, low) = (column(ID_HIGH)?, column(ID_LOW)?);
            let (gone, revision) = (column(GONE)?, column(REVISION)?);
            for doc in segment.doc_ids_alive() {
                let id = Uuid::from_u64_pair(high.get_val(doc), low.get_val(doc));
                let late = first.len() >= limit && first.last_key_value().is_some_and(|(last, _)| id > *last);
                if late || after.is_some_and(|after| id <= after) || gone.get_val(doc) == 1 {
                    continue;
                }
                first.insert(id, revision.get_val(doc));
                if first.len() > limit {
                    first.pop_last();
                }
            }
        }
        Ok(first.into_iter().collect())
    }

    /// Documents that can be found, tombstones, bytes on disk.
    pub(super) fn size(&self) -> Result<(u64, u64, u64), FinderError> {
        let searcher = self.reader.searcher();
        let mut gone = 0;
        for segment in searcher.segment_readers() {
            let column = segment.fast_fields().column_first_or_default::<u64>(GONE).map_err(broken)?;
            gone += segment.doc_ids_alive().filter(|doc| column.get_val(*doc) == 1).count() as u64;
        }
        let bytes = searcher.space_usage().map_err(broken)?.total().get_bytes();
        Ok((searcher.num_docs() - gone, gone, bytes))
    }

    /// Whether it began empty in place of one that could not be used.
    pub(super) fn is_incomplete(&self) -> bool {
        self.folder.join(INCOMPLETE).exists()
    }

    fn revision(&self, searcher: &Searcher, id: Uuid) -> Result<Option<u64>, FinderError> {
        let Some((segment, doc)) = self.place(searcher, id)? else { return Ok(None) };
        let reader = searcher.segment_reader(segment);
        let column = reader.fast_fields().column_first_or_default::<u64>(REVISION).map_err(broken)?;
        Ok(Some(column.get_val(doc)))
    }

    /// Where an id's only living document is.
    fn place(&self, searcher: &Searcher, id: Uuid) -> Result<Option<(u32, u32)>, FinderError> {
        let term = self.fields.id_term(id);
        for (ordinal, segment) in (0..).zip(searcher.segment_readers()) {
            let index = segment.inverted_index(self.fields.id).map_err(broken)?;
            let option = tantivy::schema::IndexRecordOption::Basic;
            let Some(mut postings) = index.read_postings(&term, option).map_err(broken)? else { continue };
            let mut doc = postings.doc();
            while doc != TERMINATED {
                if !segment.is_deleted(doc) {
                    return Ok(Some((ordinal, doc)));
                }
                doc = postings.advance();
            }
        }
        Ok(None)
    }

    fn document(&self, searcher: &Searcher, address: tantivy::DocAddress) -> Result<Document, FinderError> {
        let kept: TantivyDocument = searcher.doc(address).map_err(broken)?;
        let bytes = kept.get_first(self.fields.document).and_then(|value| value.as_bytes());
        let bytes = bytes.ok_or_else(|| broken("a document was kept without its content"))?;
        serde_json::from_slice(bytes).map_err(broken)
    }
}
