//! A plugin with as many functions as its package says.

include!(concat!(env!("OUT_DIR"), "/names.rs"));
