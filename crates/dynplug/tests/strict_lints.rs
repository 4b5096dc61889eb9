//! A crate that forbids everything it can gets no warning, let alone an error, for what the attributes
//! generate. Clippy has its say in this file too.

#![forbid(unsafe_code)]
#![deny(
    warnings,
    missing_docs,
    unused,
    future_incompatible,
    nonstandard_style,
    rust_2018_idioms,
    rust_2021_compatibility,
    rust_2024_compatibility,
    clippy::all,
    clippy::pedantic,
    clippy::nursery,
    clippy::undocumented_unsafe_blocks,
    clippy::allow_attributes,
    clippy::as_conversions,
    clippy::items_after_statements,
    clippy::pub_use,
    clippy::renamed_function_params,
    clippy::single_call_fn,
    clippy::min_ident_chars,
    clippy::std_instead_of_core,
    clippy::absolute_paths
)]
#![deny(
    elided_lifetimes_in_paths,
    explicit_outlives_requirements,
    let_underscore_drop,
    missing_copy_implementations,
    missing_debug_implementations,
    single_use_lifetimes,
    trivial_casts,
    trivial_numeric_casts,
    unit_bindings,
    unnameable_types,
    unreachable_pub,
    unused_crate_dependencies,
    unused_extern_crates,
    unused_lifetimes,
    unused_qualifications,
    unused_results,
    variant_size_differences
)]
// What this package depends on is no concern of this file.
#![allow(unused_crate_dependencies, clippy::single_call_fn, clippy::absolute_paths)]

use core::sync::atomic::{AtomicU32, Ordering};

/// Is counted up.
#[dynplug::export]
pub static COUNT: AtomicU32 = AtomicU32::new(0);

/// Counts up.
#[dynplug::export]
#[must_use]
pub fn count(by: &u32) -> u32 {
    COUNT.fetch_add(*by, Ordering::Relaxed)
}

/// Counts up for two.
#[dynplug::export(name = "both")]
pub async fn count_for_two<'one>(first: &'one u32, second: &u32) -> &'one u32 {
    core::future::ready(()).await;
    let _: u32 = count(second);
    first
}

#[dynplug::export]
fn unused_but_exported(argument: fn(&str) -> &str) -> Box<dyn Fn(&str) -> &str + Send> {
    Box::new(argument)
}

/// Is not used any more.
#[deprecated]
#[dynplug::export]
pub const fn old() {}

#[dynplug::export]
extern "C" fn gone(_: u32) -> ! {
    panic!()
}

#[dynplug::init]
fn start() -> Result<(), String> {
    if count(&1) == 0 { Ok(()) } else { Err("started twice".into()) }
}

#[test]
fn nothing_generated_is_linted() {
    assert_eq!(COUNT.load(Ordering::Relaxed), 0);
    #[dynplug::export]
    #[expect(clippy::items_after_statements)]
    fn inside(value: u32) -> u32 {
        value
    }
    assert_eq!(inside(1), 1);
}
