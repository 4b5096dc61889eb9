//! The documented contract, with plugins of all kinds in one workspace: `contract/`, whose host plays the scenario that
//! its first argument names.

use crate::harness::{Fixture, Ran};
use std::sync::LazyLock;

/// The workspace. What its build said is kept, so that each test shows why it failed.
static BUILT: LazyLock<(Fixture, Ran)> = LazyLock::new(|| {
    let fixture = Fixture::empty("contract");
    let ran = fixture.copy("contract").build().go();
    (fixture, ran)
});

#[track_caller]
pub fn contract() -> &'static Fixture {
    let (fixture, build) = &*BUILT;
    build.ok();
    fixture
}

#[track_caller]
fn play(scenario: &str) -> Ran {
    let ran = contract().app().arg(scenario).go();
    ran.ok().says(&format!("{scenario}: done"));
    ran
}

// A1
#[test]
fn exported_functions_and_variables_are_found_by_name() {
    play("found");
}

// A1
#[test]
fn a_name_that_is_not_there_is_an_error_with_the_nearest_names() {
    play("not-found").says("the plugin `hello` exports no symbol `gret`").says("`greet`");
}

// A2
#[test]
fn a_variable_is_live_in_both_directions() {
    play("live-variable");
}

// A4
#[test]
fn init_runs_once_and_main_of_the_package_never() {
    play("initialised-once").says_in_lines(1, "init was run").does_not_say("main was run");
    // It can say so.
    contract().run(&contract().program("with-main")).go().ok().says("main was run, 0");
}

// A6
#[test]
fn open_and_lookup_work_from_many_threads() {
    play("many-threads").says_in_lines(1, "init was run");
}

// A7
#[test]
fn a_wrong_type_is_an_error_that_prints_both_types() {
    play("wrong-type")
        .says("the symbol `greet` of the plugin `hello` has the type `")
        .says("str) -> alloc::string::String`, not `fn(alloc::string::String) -> alloc::string::String`")
        .says("the symbol `V` of the plugin `hello` has the type `&");
}

// A7
#[test]
fn a_function_for_any_lifetime_is_not_one_for_static_text() {
    let text = play("lifetimes").stdout;
    let types: Vec<&str> = text.split('`').skip(5).step_by(2).collect();
    let [have, want] = types[..] else { panic!("it does not print two types: {text}") };
    assert!(have.starts_with("fn(&") && want.starts_with("fn(&") && have != want, "{text}");
}

// A8
#[test]
fn a_relative_path_is_relative_to_the_working_directory() {
    play("relative-path");
}

// A8
#[test]
fn nothing_is_searched_in_ld_library_path() {
    let ran = contract().app().arg("bare-name").env("LD_LIBRARY_PATH", contract().outcome("plugins")).go();
    ran.ok().says("cannot read the plugin libhello.so").says("bare-name: done");
}

// B1
#[test]
fn one_static_is_seen_by_host_and_plugins() {
    play("one-static");
}

// B2
#[test]
fn two_plugins_of_one_file_name_both_load() {
    let folder = contract().root().join("other folder");
    std::fs::create_dir_all(&folder).unwrap();
    let ran = contract().app().arg("same-file-name").arg(&folder).go();
    ran.ok().says("same-file-name: done");
}

// B3
#[test]
fn equal_names_in_two_plugins_stay_apart() {
    play("same-names");
}

// B4
#[test]
fn host_and_plugin_call_closures_of_each_other() {
    play("closures");
}

// B8
#[test]
fn types_of_the_api_crate_are_the_same_for_host_and_plugins() {
    play("types");
}

// B8, B7
#[test]
fn types_of_the_api_crate_are_the_same_between_plugins_and_private_ones_are_not() {
    play("between-plugins");
}

// B9
#[test]
fn a_host_type_boxed_in_a_plugin_is_called_and_dropped_in_the_host() {
    play("boxed-guest");
}

// B13
#[test]
fn build_time_values_reach_the_plugin() {
    let values = "env = late\nscript env = a value\nscript cfg = true\nscript file = made\nusual = true\n\
                  unusual = false\ndebug_assertions = true\nbuild-values: done\n";
    play("build-values").prints(values);
}

// B15
#[test]
fn what_the_host_never_uses_works_in_plugins_and_is_one() {
    play("unused-by-host");
}

// C17
#[test]
fn an_allocator_in_the_api_crate_serves_host_and_plugins() {
    play("allocations");
}

#[test]
fn symbols_are_listed_with_signatures_and_docs() {
    play("list")
        .says("Static V | static V: AtomicI64 | The number to greet with.")
        .says("Function greet | fn greet(name: &str) -> String | Greets `name`.")
        .says("Function later | async fn later(n: u32) -> u32 | One more, later.")
        .says("Function another-name | fn renamed() -> u32 | ")
        .says("Function first | unsafe fn first(bytes: *const u8) -> u8 | The first byte.");
}

#[test]
fn an_exported_async_function_is_awaited() {
    play("await");
}

#[test]
fn what_a_dependency_exports_is_not_the_plugins() {
    play("own-symbols-only");
}
