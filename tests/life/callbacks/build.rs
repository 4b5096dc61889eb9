//! Compiles C code that calls back.

fn main() {
    println!("cargo::rerun-if-changed=src/calls.c");
    cc::Build::new().file("src/calls.c").compile("calls");
}
