//! End to end: workspaces that are built with the built tool, real hosts, real plugins.

mod apart;
mod api_crates;
mod changed_api;
mod changed_files;
mod command_line;
mod contract;
mod copies;
mod harmless_changes;
mod harness;
mod hostile;
mod life;
mod malformed;
mod names;
mod new;
mod plain_cargo;
mod plugin_libraries;
mod processor;
mod promises;
mod rebuilding;
mod refusals;
mod second_compiler;
mod settings;
mod tasks;
mod wrong_library;
