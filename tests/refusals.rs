//! What the build refuses, and what it says then: one workspace in which nearly every member is wrong.

use crate::harness::{Fixture, Kind, Ran};
use std::sync::LazyLock;

const ALLOCATOR: &str = "\
#[global_allocator]\nstatic ALLOCATOR: std::alloc::System = std::alloc::System;\n";

const SHARED_NAME: &str = "#[unsafe(no_mangle)]\npub extern \"C\" fn the_shared_name() {}\n";

static WRONG: LazyLock<Fixture> = LazyLock::new(|| {
    let fixture = Fixture::empty("wrong");
    let api = format!("pub use dynplug;\npub use middle;\n{SHARED_NAME}");
    fixture
        .package("app-api", Kind::Api, &["dynplug", "middle"], &api)
        .package(
            "middle",
            Kind::Library,
            &["", "[features]", "some = []", "more = []"],
            "pub fn more() -> bool { cfg!(feature = \"more\") }\n",
        )
        .host("use app_api as _;\nfn main() {}\n")
        .host_named("allocating-host", &format!("use app_api as _;\n{ALLOCATOR}fn main() {{}}\n"))
        .host_named("naming-host", &format!("use app_api as _;\n{SHARED_NAME}fn main() {{}}\n"))
        .package("allocating-crate", Kind::Library, &[], &format!("{ALLOCATOR}pub fn f() {{}}\n"))
        .plugin("good", "#[dynplug::export]\npub fn f() { println!(\"good\") }\n")
        .plugin("allocating", &format!("{ALLOCATOR}#[dynplug::export]\npub fn f() {{ println!() }}\n"))
        .package(
            "allocating-below",
            Kind::Plugin,
            &["dynplug", "app-api", "allocating-crate"],
            "#[dynplug::export]\npub fn f() { allocating_crate::f(); println!() }\n",
        )
        .plugin("naming", &format!("{SHARED_NAME}#[dynplug::export]\npub fn f() {{ println!() }}\n"))
        .plugin("twice", "mod other;\n\n#[dynplug::export(name = \"same\")]\npub fn first() { println!() }\n")
        .file("twice/src/other.rs", "#[dynplug::export]\npub fn same() { println!() }\n")
        .package(
            "wanting",
            Kind::Plugin,
            &["dynplug", "app-api", "middle = { path = \"../middle\", features = [\"more\"] }"],
            "#[dynplug::export]\npub fn f() { println!(\"{}\", middle::more()) }\n",
        );
    fixture
});

/// Builds one member.
#[track_caller]
fn build(package: &str) -> Ran {
    WRONG.build().args(["-p", package]).go()
}

#[test]
fn the_members_that_are_right_are_built() {
    build("good").ok();
    build("app").ok();
}

// C17
#[test]
fn an_allocator_in_a_host_is_an_error() {
    build("allocating-host")
        .fails_with(1)
        .says("error[dynplug::second-allocator]")
        .says("put the `#[global_allocator]` into the API crate");
    assert!(!WRONG.outcome("allocating-host").exists());
}

// C17
#[test]
fn an_allocator_in_a_plugin_is_an_error() {
    build("allocating")
        .fails_with(1)
        .says("error[dynplug::second-allocator]")
        .says("put the `#[global_allocator]` into the API crate");
    assert!(!WRONG.plugin_file("allocating").exists());
}

// C17
#[test]
fn an_allocator_in_a_private_crate_of_a_plugin_is_an_error() {
    build("allocating-below")
        .fails_with(1)
        .says("error[dynplug::second-allocator]")
        .says("allocating_crate")
        .says("put the `#[global_allocator]` into the API crate");
    assert!(!WRONG.plugin_file("allocating_below").exists());
}

// C19
#[test]
fn a_plugin_that_defines_a_name_of_the_api_library_is_an_error() {
    build("naming")
        .fails_with(1)
        .says("error[dynplug::shared-name]")
        .says("`the_shared_name`")
        .says("naming");
    assert!(!WRONG.plugin_file("naming").exists());
}

// C19
#[test]
fn a_host_that_defines_a_name_of_the_api_library_is_an_error() {
    build("naming-host")
        .fails_with(1)
        .says("error[dynplug::shared-name]")
        .says("`the_shared_name`")
        .says("naming-host");
    assert!(!WRONG.outcome("naming-host").exists());
}

#[test]
fn a_name_that_is_exported_twice_is_an_error_with_both_places() {
    build("twice")
        .fails_with(1)
        .says("the plugin `twice` exports the name `same` twice")
        .says("twice/src/lib.rs:")
        .says("twice/src/other.rs:");
    assert!(!WRONG.plugin_file("twice").exists());
}

#[test]
fn a_feature_that_the_api_library_lacks_is_an_error_that_says_where_to_enable_it() {
    build("wanting")
        .fails_with(1)
        .says("the plugin `wanting` wants `middle` with the feature `more`")
        .says("features = [\"more\"]");
    assert!(!WRONG.plugin_file("wanting").exists());
}

// B23
#[test]
fn a_package_that_is_no_plugin_is_one_clear_error() {
    build("middle")
        .fails_with(2)
        .says_in_lines(1, "error")
        .says("`middle` is neither a plugin nor a host nor the API crate")
        .says("crate-type = [\"lib\", \"cdylib\"]");
    build("nothing-of-this-name").fails_with(2).says("the workspace has no package `nothing-of-this-name`");
}
