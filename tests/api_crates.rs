//! Which crate is the API crate, and what happens when code doesn't name it.

use crate::harness::{CALLS_F, Fixture, Kind};

#[test]
fn a_workspace_without_an_api_crate_is_an_error_that_says_how_to_have_one() {
    let fixture = Fixture::empty("no-api");
    let source = "#[dynplug::export]\npub fn f() {}\n";
    fixture
        .package("app-api", Kind::Library, &["dynplug"], "pub use dynplug;\n")
        .host(CALLS_F)
        .plugin("hello", source);
    let ran = fixture.build().go();
    ran.fails_with(2)
        .says("error[dynplug::no-api-crate]")
        .says("`app-api`")
        .says("crate-type = [\"lib\", \"dylib\"]");
}

#[test]
fn of_two_unrelated_api_crates_one_has_to_be_named() {
    let fixture = Fixture::empty("two-apis");
    for number in ["one", "two"] {
        let api = format!("api-{number}");
        fixture
            .package(&api, Kind::Api, &["dynplug"], "pub use dynplug;\n")
            .package(
                &format!("host-{number}"),
                Kind::Program,
                &[&api],
                &format!("use api_{number} as _;\nfn main() {{ println!(\"{number}\") }}\n"),
            )
            .package(
                &format!("plugin-{number}"),
                Kind::Plugin,
                &["dynplug", &api],
                &format!("use api_{number} as _;\n#[dynplug::export]\npub fn f() {{ println!() }}\n"),
            );
    }
    let ran = fixture.build().go();
    ran.fails_with(2).says("error[dynplug::several-api-crates]").says("`api-one`").says("`api-two`");
    ran.says("--api").says("host-one").says("host-two");

    fixture.build().args(["--api", "api-one"]).go().ok();
    fixture.run(&fixture.outcome("host-one")).go().ok().prints("one");
    assert!(fixture.plugin_file("plugin_one").exists() && !fixture.outcome("host-two").exists());

    fixture.build().args(["-p", "host-two"]).go().ok();
    fixture.run(&fixture.outcome("host-two")).go().ok().prints("two");

    fixture.build().args(["--api", "plugin-one"]).go().fails_with(2).says("api-one, api-two");
}

// C20
#[test]
fn a_plugin_that_names_only_dynplug_or_only_a_shared_crate_works() {
    let fixture = Fixture::empty("unnamed-by-plugin");
    let middle = "use std::sync::atomic::{AtomicU64, Ordering};\npub static N: AtomicU64 = AtomicU64::new(0);\n\
                  pub fn next() -> u64 { N.fetch_add(1, Ordering::SeqCst) }\n";
    let only_shared = "#[dynplug::export]\npub fn f() { println!(\"{}\", middle::next()) }\n";
    fixture
        .package("middle", Kind::Library, &[], middle)
        .package("app-api", Kind::Api, &["dynplug", "middle"], "pub use dynplug;\npub use middle;\n")
        .host(&format!("{CALLS_F}\n#[used]\nstatic N: fn() -> u64 = app_api::middle::next;\n"))
        .plugin("hello", "#[dynplug::export]\npub fn f() { println!(\"only dynplug\") }\n")
        .package("shared", Kind::Plugin, &["dynplug", "app-api", "middle"], only_shared);
    fixture.build().go().ok();
    fixture.app().go().ok().prints("only dynplug");
    fixture.replace("app/src/main.rs", "{DLL_PREFIX}hello", "{DLL_PREFIX}shared").replace(
        "app/src/main.rs",
        "    f();",
        "    app_api::middle::next();\n    f();",
    );
    fixture.build().go().ok();
    fixture.app().go().ok().prints("1");
}

// C20
#[test]
fn a_host_that_never_names_the_api_crate_works_or_is_told_what_to_do() {
    let fixture = Fixture::empty("unnamed-by-host");
    fixture
        .api("pub use dynplug;\n")
        .package(
            "app",
            Kind::Program,
            &["dynplug", "app-api"],
            &CALLS_F.replace("app_api::dynplug", "dynplug"),
        )
        .plugin("hello", "#[dynplug::export]\npub fn f() { println!(\"called\") }\n");
    let ran = fixture.build().go();
    if ran.stderr.contains("api-not-named") {
        ran.fails_with(1).says("never names its API crate `app_api`").says("add `use app_api as _;`");
        fixture.replace("app/src/main.rs", "use dynplug::Plugin;", "use app_api as _;\nuse dynplug::Plugin;");
        fixture.build().go().ok();
    } else {
        ran.ok();
    }
    fixture.app().go().ok().prints("called");
}

#[test]
fn a_plugin_that_uses_nothing_of_the_api_library_works() {
    let fixture = Fixture::usual("self-sufficient", "#[dynplug::export]\npub fn f() {}\n");
    fixture.build().go().ok();
    fixture.app().go().ok().prints("");
}

#[test]
fn a_member_that_is_no_plugin_by_mistake_is_told_to_be_left_out() {
    let fixture = Fixture::empty("left-out");
    let source = "#[dynplug::export]\npub fn f() {}\n";
    fixture
        .api("pub use dynplug;\n")
        .host(CALLS_F)
        .plugin("hello", source)
        .package("of-another", Kind::Plugin, &["dynplug"], source)
        .package("untyped", Kind::Library, &["dynplug", "app-api"], source)
        // Who is used by another has a purpose, and so has who knows nothing of plugins.
        .package("helper", Kind::Library, &["dynplug"], "pub use dynplug;\n")
        .package("python-extension", Kind::Plugin, &["helper"], "pub use helper;\n");
    let ran = fixture.build().go();
    ran.ok().says_in_lines(2, "is left out: it is no plugin");
    ran.says("`of-another` is left out").says("it does not depend on the API crate `app-api`");
    ran.says("`untyped` is left out").says("crate-type = [\"lib\", \"cdylib\"]");
    // Who asks for something else wants to know nothing of them.
    fixture.build().args(["-p", "hello"]).go().ok().does_not_say("left out");
}
