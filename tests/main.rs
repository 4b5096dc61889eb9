//! End to end: workspaces that are built with the built tool, real hosts, real plugins.

mod api_crates;
mod command_line;
mod contract;
mod harness;
mod plain_cargo;
mod rebuilding;
mod refusals;
mod settings;
