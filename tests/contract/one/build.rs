//! Compiles a C file whose names both plugins have.

fn main() {
    println!("cargo::rerun-if-changed=src/c.c");
    cc::Build::new().file("src/c.c").compile("c_names");
}
