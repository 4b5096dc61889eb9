fn main() {
    println!("cargo:rerun-if-changed=c");
    // As bundled libraries do it: all that isn't meant for others is hidden.
    cc::Build::new().files(["c/store.c", "c/unused.c"]).flag("-fvisibility=hidden").compile("bundled");
}
