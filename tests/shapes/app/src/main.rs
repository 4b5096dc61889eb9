//! Compares what it finds with what the plugins find that its arguments name.

use app_api::another_name::optional;
use app_api::dynplug::Plugin;
use app_api::{Record, bare, bundled, fetched, itoa, json, old_twice, scripted, twice};

fn main() {
    let own = app_api::facts!(bare fetched itoa json old_twice optional scripted twice);
    for file in std::env::args_os().skip(1) {
        // SAFETY: the build made it.
        let plugin = unsafe { Plugin::open(file) }.unwrap_or_else(|error| panic!("{error}"));
        let facts = plugin.lookup::<fn() -> Vec<String>>("facts").unwrap()();
        assert_eq!(facts.len(), own.len());
        for (theirs, own) in facts.iter().zip(&own) {
            let (what, _) = own.split_once(':').unwrap();
            println!("{what} is {}", if own == theirs { "one" } else { "two" });
        }
        // One sum of the C code, one count without std, one of what was fetched, one of what was patched.
        println!("bundled: {}", bundled::add(1));
        println!("from the plugin: {}", plugin.lookup::<fn() -> i32>("add").unwrap()());
        println!("bundled: {}", bundled::add(1));
        let counts = (bare::count(), plugin.lookup::<fn() -> u32>("count").unwrap()(), optional::extra());
        println!("counts: {counts:?}");
        let record = plugin.lookup::<fn(&json::Value) -> Record>("record").unwrap();
        println!("record: {:?}", record(&json::json!({ "number": 42 })));
        println!("written: {}", itoa::WRITTEN.load(std::sync::atomic::Ordering::SeqCst));
    }
}
