//! The same sources under plain cargo: everything static, and neither side taken for what it isn't.

use crate::contract::contract;
use crate::harness::{CALLS_F, Fixture, Kind, shared_target};
use std::path::Path;

#[test]
fn plain_cargo_checks_tests_and_builds_statically_and_its_products_say_what_they_are() {
    let fixture = Fixture::empty("plain");
    let plugin = r#"
        use std::sync::atomic::{AtomicU32, Ordering};
        #[dynplug::export]
        pub static N: AtomicU32 = AtomicU32::new(0);
        #[dynplug::export]
        pub fn f() { println!("{}", N.fetch_add(1, Ordering::SeqCst) + app_api::start()) }
        #[test]
        fn it_counts() { f(); assert_eq!(N.load(Ordering::SeqCst), 1); }
    "#;
    let static_host = "fn main() { plain_hello::f(); plain_hello::N.store(5, std::sync::atomic::Ordering::SeqCst); \
                       plain_hello::f(); }";
    fixture
        .api("pub use dynplug;\npub fn start() -> u32 { 10 }\n")
        .package("plain-host", Kind::Program, &["app-api"], CALLS_F)
        .plugin("plain-hello", plugin)
        .package("static-host", Kind::Program, &["plain-hello"], static_host);
    let ran = fixture.cargo("check").arg("--workspace").go();
    ran.ok();
    for name in ["app-api", "plain-host", "plain-hello", "static-host"] {
        ran.says(&format!("Checking {name} ")).does_not_say(&format!("warning: `{name}`"));
    }
    fixture.cargo("test").arg("--workspace").go().ok().says("test it_counts ... ok");
    fixture.cargo("build").arg("--workspace").go().ok();
    let made = shared_target().join("plain/debug");
    fixture.run(&made.join("static-host")).empty_environment().go().ok().prints("10\n15");

    let plugin = made.join("libplain_hello.so");
    let ran = contract().app().arg("open-argument").arg(&plugin).go();
    ran.ok().says("is not a plugin: it was built by plain cargo").says("`cargo dynplug build`");

    // A host is told from any other program, stripped too, and a plugin can't be compared with it.
    let host = made.join("plain-host");
    let inspect = |file: &Path| fixture.bare_tool().arg("inspect").arg(file).go();
    inspect(&host)
        .fails_with(1)
        .says("a host that plain cargo built")
        .says("[plain-host] `cargo dynplug build`");
    let check =
        fixture.bare_tool().arg("check").arg(contract().plugin_file("hello")).arg("--host").arg(&host);
    check.go().fails_with(2).says("plain cargo built it").says("`cargo dynplug build`");
    inspect(Path::new(env!("CARGO_BIN_EXE_cargo-dynplug")))
        .fails_with(1)
        .says("that has nothing to do with dynplug");

    std::fs::create_dir_all(made.join("plugins")).unwrap();
    std::fs::copy(contract().plugin_file("hello"), made.join("plugins/libhello.so")).unwrap();
    let ran = fixture.run(&made.join("plain-host")).go();
    ran.fails_with(1)
        .says("this program was built by plain cargo and shares nothing with plugins")
        .says("`cargo dynplug build`");
}
