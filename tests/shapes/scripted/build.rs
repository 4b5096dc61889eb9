//! Makes code, and sets what the compiler is asked for.

fn main() {
    let out = std::path::PathBuf::from(std::env::var_os("OUT_DIR").unwrap());
    std::fs::write(out.join("made.rs"), "/// Made by the build script.\npub const MADE: u32 = 17;\n")
        .unwrap();
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(scripted)");
    println!("cargo:rustc-cfg=scripted");
    println!("cargo:rustc-env=SCRIPTED=by the script");
}
