//! What is particular about Windows. For other targets there is nothing to prove.

use crate::harness::{Fixture, target};
use std::path::Path;

const PLUGIN: &str = r#"
#[link(name = "helper", kind = "raw-dylib")]
unsafe extern "C" {
    safe fn helper() -> u32;
}

#[dynplug::export]
pub fn f() { println!("the helper says {}", helper()) }
"#;

/// Compiles a library of C that a plugin needs.
fn helper(fixture: &Fixture, folder: &Path, number: u32) {
    std::fs::create_dir_all(folder).expect("the folder can be made");
    let source = folder.join("helper.c");
    let text = format!("__declspec(dllexport) unsigned helper(void) {{ return {number}; }}\n");
    std::fs::write(&source, text).expect("the source can be written");
    let compiler = fixture.system(&target().c_compiler()).args(["-shared", "-o"]);
    compiler.arg(folder.join("helper.dll")).arg(&source).go().ok();
}

#[test]
fn what_a_plugin_needs_is_looked_for_beside_it_and_not_where_the_host_stands() {
    if !target().is_windows() {
        return;
    }
    let fixture = Fixture::usual("planted", PLUGIN);
    fixture.build().go().ok();
    let planted = fixture.root().join("where the host stands");
    helper(&fixture, &planted, 666);
    let run = || fixture.app().folder(&planted).go();
    run().fails_with(1).says("helper.dll").does_not_say("the helper says");
    helper(&fixture, &fixture.outcome("plugins"), 1);
    run().ok().prints("the helper says 1");
}
