//! A program that uses the plugin's code as a library.

use app_api as _;

fn main() {
    println!("main was run, {}", with_main::INITS.load(std::sync::atomic::Ordering::SeqCst));
}
