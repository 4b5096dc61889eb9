//! Compiles the C code, and tells the scripts of dependents where its headers are: one as it is, and one that it makes.

use std::path::PathBuf;

fn main() {
    let out = PathBuf::from(std::env::var_os("OUT_DIR").unwrap());
    let include = out.join("include");
    std::fs::create_dir_all(&include).unwrap();
    std::fs::write(include.join("bundled_made.h"), "#define BUNDLED_MADE 5\n").unwrap();
    println!("cargo:rerun-if-changed=c");
    cc::Build::new().file("c/bundled.c").include("c").include(&include).compile("bundled");
    println!("cargo:include={}", include.display());
    println!("cargo::metadata=HEADERS={}/c", std::env::var("CARGO_MANIFEST_DIR").unwrap());
    println!("cargo:level=3");
}
