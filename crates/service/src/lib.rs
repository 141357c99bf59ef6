//! Every binary needs it: config loading, telemetry, the admin listener, drain. Knows nothing of pictures.

pub mod config;
