//! The guide and the README, read by somebody who does all that they say: each page is a session, in which its code blocks
//! are written to files and its commands are run (`book::page` says what a block may be).
//!
//! To renew what pages show of the commands' output, and then to read what changed:
//!
//! ```console
//! $ DYNPLUG_RENEW=1 cargo test -p cargo-dynplug --test end_to_end book::
//! ```

mod links;
mod output;
mod page;
mod session;

use session::Session;

/// A page that is begun in an empty folder.
fn page(path: &str) {
    Session::new(path).read();
}

#[test]
fn every_page_is_read_by_a_test() {
    let tests = include_str!("book.rs");
    let unread: Vec<String> =
        links::of_the_book().into_iter().filter(|p| !tests.contains(&format!("\"{p}\""))).collect();
    assert!(unread.is_empty(), "no test reads {unread:?}");
}

#[test]
fn the_readme_is_true() {
    Session::new("README.md").in_the_clone().read();
}

#[test]
fn the_guide_names_limits() {
    page("docs/src/limits.md");
}

#[test]
fn the_tutorial_leads_to_a_host_with_plugins() {
    page("docs/src/tutorial.md");
}

#[test]
fn plugins_are_signed_and_trusted_as_the_guide_says() {
    page("docs/src/trust.md");
}

#[test]
fn plugins_run_in_processes_of_their_own_as_the_guide_says() {
    page("docs/src/processes.md");
}

#[test]
fn the_guide_says_what_a_confined_process_may_do() {
    page("docs/src/confinement.md");
}

#[test]
fn hosts_are_tested_as_the_guide_says() {
    page("docs/src/working.md");
}

#[test]
fn the_tool_is_in_the_shell_as_the_guide_says() {
    page("docs/src/tool.md");
}

#[test]
fn messages_for_programs_are_listed() {
    page("docs/src/json.md");
}

#[test]
fn mistakes_are_told_as_the_guide_shows() {
    page("docs/src/mistakes.md");
}

#[test]
fn both_forms_are_as_the_guide_says() {
    page("docs/src/forms.md");
}

#[test]
fn plugins_are_found_as_the_guide_says() {
    page("docs/src/finding.md");
}

#[test]
fn a_host_collects_as_the_guide_says() {
    page("docs/src/collecting.md");
}

#[test]
fn an_sdk_is_used_as_the_guide_says() {
    page("docs/src/sdk.md");
}

#[test]
fn files_are_looked_at_as_the_guide_says() {
    page("docs/src/files.md");
}

#[test]
fn the_guide_lists_what_is_checked() {
    page("docs/src/checks.md");
}

#[test]
fn what_may_cross_the_boundary_does() {
    page("docs/src/boundary.md");
}

#[test]
fn versions_of_an_api_crate_are_told_apart_as_the_guide_says() {
    page("docs/src/versions.md");
}

#[test]
fn the_guide_shows_how_it_works() {
    page("docs/src/how-it-works.md");
}

// B21
#[test]
fn debuggers_and_profilers_find_plugins_as_the_guide_says() {
    page("docs/src/debugging.md");
}

#[test]
fn a_program_moves_from_libloading() {
    page("docs/src/from-libloading.md");
}

#[test]
fn a_program_moves_from_abi_stable() {
    page("docs/src/from-abi-stable.md");
}

#[test]
fn a_program_moves_from_go() {
    page("docs/src/from-go.md");
}

#[test]
fn plugins_are_packaged_as_the_guide_says() {
    page("docs/src/packages.md");
}

#[test]
fn what_it_costs_is_as_the_guide_says() {
    page("docs/src/cost.md");
}

#[test]
fn a_host_is_shipped_as_the_guide_says() {
    page("docs/src/shipping.md");
}
