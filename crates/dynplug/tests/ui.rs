//! What cannot be exported is a compile error at the place that has to change, which says what to write
//! instead (row B17).
//!
//! Each file under `ui` is a theme with many errors; its `.stderr` holds what the compiler says. To renew
//! them after a change: `TRYBUILD=overwrite cargo test -p dynplug --test ui`. Their text is the compiler's in
//! part, and so belongs to the version that the workspace names.

// B17
// With `process` the compiler says once more what is wrong with a type, since it's written once more.
#[cfg(not(feature = "process"))]
#[test]
fn what_cannot_be_exported_is_an_error_that_says_what_to_write_instead() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
