//! Whatever another process does to the memory and the socket of a channel, the host's calls end within their deadlines, with
//! what a slot can hold or an error.

#![no_main]

use dynplug_process::channel::attack;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| attack::run(bytes));
