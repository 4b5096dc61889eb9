//! Writes the functions.

fn main() {
    let line = |name: &str, number| {
        format!("#[dynplug::export] pub fn {name}(x: u64) -> u64 {{ x.wrapping_add({number}) }}")
    };
    let out = std::env::var("OUT_DIR").unwrap();
    std::fs::write(format!("{out}/names.rs"), bench_runner::names::source(bench_runner::names::many(), line))
        .unwrap();
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed={}", bench_runner::names::MANY);
}
