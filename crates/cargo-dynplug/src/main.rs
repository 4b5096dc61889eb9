//! Which of its roles this program has, and nothing more.

use cargo_dynplug::context::{Context, LINK_VARIABLE};
use cargo_dynplug::wrapper::{replay, rustdoc};
use cargo_dynplug::{runner, watch};
use std::path::Path;

fn main() {
    let words: Vec<_> = std::env::args_os().collect();
    let name = words.first().and_then(|w| Path::new(w).file_stem()?.to_str().map(str::to_owned));
    let rest = words.get(1..).unwrap_or_default().to_vec();
    let code = if words.get(1).is_some_and(|word| word == watch::KEEPER) {
        watch::keep(words.get(2..).unwrap_or_default().to_vec())
    } else if name.as_deref() == Some("dynplug-cc") {
        cargo_dynplug::linker::main(rest, &std::env::var(LINK_VARIABLE).unwrap_or_default())
    } else if name.as_deref() == Some("dynplug-rustdoc") {
        rustdoc::main(rest, Context::from_environment())
    } else if name.as_deref() == Some("dynplug-test-runner") {
        runner::main(rest, Context::from_environment())
    } else if replay::is_asked_for(name.as_deref()) {
        replay::main(Context::from_environment())
    } else if let Some(context) = Context::from_environment() {
        cargo_dynplug::wrapper::main(rest, context)
    } else {
        cargo_dynplug::run(words)
    };
    std::process::exit(code);
}
