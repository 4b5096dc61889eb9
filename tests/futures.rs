//! Functions of plugins that are awaited, on any runtime, wherever the plugin runs.

use crate::harness::{Fixture, Ran};
use std::sync::LazyLock;

static BUILT: LazyLock<(Fixture, Ran)> = LazyLock::new(|| {
    let fixture = Fixture::empty("futures");
    fixture.copy("futures");
    let ran = fixture.build().go();
    (fixture, ran)
});

/// The host of `futures/`: a runtime, a place, and what is done.
#[track_caller]
fn host(words: &str) -> Ran {
    let (fixture, build) = &*BUILT;
    build.ok();
    fixture.app().words(words).go()
}

const RUNTIMES: [&str; 3] = ["tokio", "one-thread", "bare"];

#[test]
fn many_calls_are_awaited_at_once_on_any_runtime() {
    for runtime in RUNTIMES {
        host(&format!("{runtime} own many")).ok().says("good: 300\n");
        host(&format!("{runtime} host many")).ok().says("good: 300\n");
    }
}

#[test]
fn calls_that_wait_for_each_other_do_not_block_the_one_thread_that_awaits_them() {
    for runtime in RUNTIMES {
        host(&format!("{runtime} single meet")).ok().says("met: 4\n");
    }
}

#[test]
fn deadlines_hold_for_who_is_called_and_for_who_stands_in_line() {
    for runtime in RUNTIMES {
        let ran = host(&format!("{runtime} own deadline"));
        ran.ok().says("late: the deadline passed before there was a result\n").says("then: true\n");
        let ran = host(&format!("{runtime} one line"));
        ran.ok().says("in line: the deadline passed before there was a result\n").says("ended: 2\n");
    }
}

#[test]
fn whatever_becomes_of_the_process_each_future_ends() {
    for runtime in RUNTIMES {
        let ran = host(&format!("{runtime} own kill"));
        ran.ok().says("ended: 40 of 40\n").says("died: the process was ended by signal 6 (SIGABRT)");
        ran.says("then: true\n");
        let ran = host(&format!("{runtime} single closed"));
        ran.ok().says("under way: the plugin was closed\n").says("later: the plugin was closed\n");
    }
}

#[test]
fn a_dropped_future_calls_nothing_before_it_is_polled_and_ends_nothing_later() {
    for runtime in RUNTIMES {
        host(&format!("{runtime} single drop")).ok().says("counted 15\n").says("started 1\n");
    }
}

#[test]
fn an_async_function_is_awaited_in_the_hosts_process_and_beside_it() {
    for runtime in RUNTIMES {
        host(&format!("{runtime} host async")).ok().says("the door is open\n");
        host(&format!("{runtime} single async")).ok().says("the door is open\n");
    }
}
