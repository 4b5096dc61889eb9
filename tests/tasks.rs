//! Threads and tasks of plugins, the end of the program while they are at work, and what is told to `tracing`. `tasks/` is
//! the workspace, whose host plays the scenario that its first argument names.

use crate::harness::{Fixture, Ran, repository};
use std::sync::LazyLock;

static BUILT: LazyLock<(Fixture, Ran)> = LazyLock::new(|| {
    let fixture = Fixture::empty("tasks");
    // It has tokio, in the versions of the example.
    let lock = std::fs::read_to_string(repository().join("examples/runtime/Cargo.lock"));
    fixture.root_file("Cargo.lock", &lock.expect("the example has a lock file"));
    let ran = fixture.copy("tasks").build().go();
    (fixture, ran)
});

#[track_caller]
fn tasks() -> &'static Fixture {
    let (fixture, build) = &*BUILT;
    build.ok();
    fixture
}

#[track_caller]
fn play(scenario: &str) -> Ran {
    let ran = tasks().app().arg(scenario).go();
    ran.ok().says(&format!("{scenario}: done"));
    ran
}

// B12
#[test]
fn threads_channels_output_and_thread_locals_of_a_plugin_are_joined_by_the_host() {
    let ran = play("threads");
    ran.says_in_lines(20, " has worked").says_in_lines(21, "the thread-local of ");
    ran.says("the host's words: borrowed from here");
}

// B12
#[test]
fn tasks_of_a_plugin_run_on_the_hosts_runtime_and_are_awaited() {
    play("tasks").says_in_lines(50, "the thread-local of blocking task");
}

/// What the plugin does when the program ends, however it does.
#[track_caller]
fn ends_well(ran: &Ran) {
    ran.says_in_lines(1, "at exit the plugin has words").does_not_say("a thread without end");
    ran.says_in_lines(1, "the thread-local of the main thread was dropped").says("the last words");
    assert_eq!(ran.signal(), None, "{ran}");
}

// B12
#[test]
fn the_program_ends_while_threads_of_a_plugin_run_and_nothing_is_lost() {
    // Often, since it depends on where the threads are.
    for _ in 0..20 {
        for how in ["return", "exit"] {
            let ran = tasks().app().arg(how).go();
            ends_well(ran.ok());
        }
    }
    let ran = tasks().app().arg("panic").go();
    ends_well(ran.fails_with(101));
}

// B12
#[test]
fn a_runtime_that_ends_drops_the_tasks_of_plugins_and_one_that_does_not_is_no_harm() {
    for _ in 0..20 {
        let ran = tasks().app().arg("tasks-at-exit").go();
        ends_well(ran.ok().says_in_lines(2, "a task without end was dropped"));
        let ran = tasks().app().arg("runtime-left-running").go();
        ends_well(ran.ok().does_not_say("a task without end was dropped"));
    }
}

#[test]
fn a_subscriber_of_tracing_is_told_of_opens_with_the_time_of_each_step_and_of_refusals_with_their_reason() {
    play("events");
}

#[test]
fn a_subscriber_of_tracing_is_told_which_init_function_failed() {
    for (scenario, which) in [("events-of-a-failure", "worker"), ("events-of-shared-crates", "shared")] {
        let ran = tasks().app().arg(scenario).env("TASKS_FAILS", which).go();
        ran.ok().says(&format!("{scenario}: done"));
    }
}
