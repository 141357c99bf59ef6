//! Several binaries need it: queues, and the one runner of background work. Does not know what the work is.
