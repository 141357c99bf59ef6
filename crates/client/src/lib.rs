//! Two binaries need it: a client of the platform's HTTP interfaces, as the command line uses it.
