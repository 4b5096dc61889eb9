//! End to end: workspaces that are built with the built tool, real hosts, real plugins.

mod contract;
mod harness;
