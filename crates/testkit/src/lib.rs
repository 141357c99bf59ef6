//! Every crate's tests need it (a dev-dependency only): images of known content, ports, real servers.
