//! C code of the plugin's own that needs the headers of C code that the host shares.

fn main() {
    let told = |key: &str| std::env::var(format!("DEP_BUNDLED_{key}")).unwrap_or_else(|_| panic!("no {key}"));
    assert_eq!(told("LEVEL"), "3");
    println!("cargo:rerun-if-changed=own.c");
    cc::Build::new().file("own.c").include(told("INCLUDE")).include(told("HEADERS")).compile("own");
}
