//! An integration test: it has the API crate's statics in common with the plugin.

use runtime_api::CALLS;
use std::sync::atomic::Ordering;

#[test]
fn the_plugin_counts_where_this_test_reads() {
    assert_eq!(CALLS.load(Ordering::Relaxed), 0);
    assert_eq!(summary::counted(), 1);
    assert_eq!(CALLS.load(Ordering::Relaxed), 1);
}
