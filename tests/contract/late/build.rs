//! Values that the plugin is built with.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-env=FROM_THE_SCRIPT=a value");
    println!("cargo::rustc-check-cfg=cfg(from_the_script)");
    println!("cargo::rustc-cfg=from_the_script");
    let folder = std::env::var("OUT_DIR").unwrap();
    std::fs::write(format!("{folder}/made.rs"), "pub const MADE: &str = \"made\";").unwrap();
}
