//! Several binaries need it: what every companion does round its work on HTTP. Knows no part of that work.
