//! Two binaries need it: the documents that can be found, and queries over them, in tantivy or OpenSearch.
