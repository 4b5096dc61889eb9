//! Compiles the C code.

fn main() {
    println!("cargo::rerun-if-changed=src/c.c");
    cc::Build::new().file("src/c.c").compile("inner_c");
}
