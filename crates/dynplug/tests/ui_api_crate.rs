//! The build tool tells the attributes the name of the API crate, and they make the code name it: rustc would
//! leave it out otherwise, and with it the one copy of everything that host and plugins share.

#[test]
fn the_api_crate_is_named_by_the_code_when_the_build_tool_says_so() {
    // SAFETY: this is the only test of its program, so no other thread looks at the environment.
    unsafe { std::env::set_var("DYNPLUG_API_EXTERN", "the_api_crate") };
    // That the crate is asked for shows most simply where there is none.
    trybuild::TestCases::new().compile_fail("tests/ui_api_crate/*.rs");
}
