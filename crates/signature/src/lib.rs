//! Pure: two binaries need it (auth signs, the edge verifies). Signs and verifies the raw request target.
