//! Several binaries need it: asset records, their events, and the stores behind one trait. Knows no HTTP and no pixels.
