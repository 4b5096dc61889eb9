//! Calls the C code by turns with two plugins.

use app_api::bundled;
use app_api::dynplug::Plugin;

fn main() {
    println!("host: {} {}", bundled::count(), bundled::count_inline());
    println!("host: {} {}", bundled::count_as::<i64>(), bundled::of_this_thread());
    let folder = std::env::current_exe().unwrap().with_file_name("plugins");
    for name in ["first", "second"] {
        let file = folder.join(format!("lib{name}.so"));
        // SAFETY: the build made it.
        let plugin = unsafe { Plugin::open(file) }.unwrap_or_else(|error| panic!("{error}"));
        let say = plugin.lookup::<fn() -> String>("say").unwrap();
        println!("{name}: {}", say());
        println!(
            "{name}: one address {}",
            plugin.lookup::<fn() -> usize>("address").unwrap()() == bundled::address()
        );
        // SAFETY: nothing else runs.
        println!("host: {}", unsafe { bundled::store_shown });
    }
    println!("host: {} {}", bundled::store_add(1), bundled::next());
    println!("host: {} {}", bundled::count(), bundled::of_this_thread());
    println!("another thread: {}", std::thread::spawn(bundled::of_this_thread).join().unwrap());
}
