//! Several binaries need it: originals kept under their content, and the names that point to them. Knows no records.
