//! The whole of it over sockets: the binary is started on a folder that is not there yet, and asked as anybody would.

mod apart;
mod check;
mod config;
mod fleet;
mod flow;
mod import;
mod kill;
mod matrix;
mod parts;
mod production;
mod reload;
mod server;
mod signed;
mod start;
mod traces;
