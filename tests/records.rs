//! What a plugin in a process of its own tells `log` and `tracing`, and prints, told to the host's logger and subscriber.

use crate::harness::{Fixture, Ran};
use std::sync::LazyLock;

static BUILT: LazyLock<(Fixture, Ran)> = LazyLock::new(|| {
    let fixture = Fixture::empty("records");
    fixture.copy("records");
    let ran = fixture.build().go();
    (fixture, ran)
});

/// The host of `records/`, which does what the words say.
#[track_caller]
fn host(words: &str) -> Ran {
    let (fixture, build) = &*BUILT;
    build.ok();
    fixture.app().words(words).go()
}

const LOGGED: [&str; 4] = [
    "log INFO worker::app_api: the API crate starts plugin=worker [true]\n",
    "log INFO worker: the worker starts plugin=worker [true]\n",
    "log INFO worker: took an order\nof two lines plugin=worker count=3 name=\"tea\" [true]\n",
    "log WARN worker::host: \\u{1b}[2Jnot the host plugin=worker [true]\n",
];

const TRACED: [&str; 4] = [
    " INFO plugin: the worker starts to trace plugin=\"worker\" target=\"worker\" module=\"worker\" file=",
    "DEBUG plugin: took a step plugin=\"worker\" target=\"worker\" fields=items=2 name=\"milk\" \
     spans=request{id=7 user=\"me\"}:step module=\"worker\" file=",
    " WARN plugin: from a thread plugin=\"worker\" target=\"worker\" spans=request{id=7 user=\"me\"}:step module=",
    " INFO plugin: outside of spans plugin=\"worker\" target=\"worker::elsewhere\" module=\"worker\" file=",
];

const PRINTED: [&str; 2] = [
    "INFO plugin: a line plugin=\"worker\" target=\"worker::stdout\"",
    "WARN plugin: an error plugin=\"worker\" target=\"worker::stderr\"",
];

#[test]
fn what_a_plugin_tells_in_its_own_process_reaches_the_hosts_logger_and_subscriber_with_its_name() {
    for confined in ["", "compute "] {
        let ran = host(&format!(
            "{confined}log debug trace warn,worker=debug,worker::dynplug=off start worker work end"
        ));
        ran.ok().says_in_order(LOGGED).says_in_order(TRACED).says("done: work\n").says("ended\n");
        PRINTED.iter().for_each(|line| {
            ran.says(line);
        });
        ran.does_not_say("nobody hears").does_not_say("too fine").does_not_say("\na line\n");
        // The host's filter is for targets with the plugin's name before them.
        ran.does_not_say("plugin opened");
    }
}

#[test]
fn in_the_hosts_process_the_same_is_told_by_the_plugin_itself() {
    let ran = host("log debug trace warn,worker=debug host start worker work");
    ran.ok().says("log INFO worker: the worker starts [true]\n").says("\na line\n");
    ran.says("DEBUG request{id=7 user=\"me\"}:step: worker: took a step items=2 name=\"milk\"\n");
}

#[test]
fn without_a_subscriber_or_with_a_closure_for_lines_these_go_there() {
    let ran = host("log info start worker work end");
    ran.ok().says_in_order(LOGGED).does_not_say("took a step");
    ran.says("log INFO worker::stdout: a line plugin=worker")
        .says("log WARN worker::stderr: an error plugin=worker");
    let ran = host("start worker work end");
    ran.ok().says("a line\n").says("an error\n").does_not_say("took").does_not_say("worker::");
    let ran = host("lines log info start worker work end");
    ran.ok().says_in_order(LOGGED).says("\nOutput: a line\n").says("\nError: an error\n");
}

#[test]
fn what_nobody_wants_is_not_sent_and_what_is_wanted_is_renewed_with_each_call() {
    let ran = host("log info start worker debug log debug debug heard wants log off debug end");
    ran.ok().says_in_order(["done: debug\n", "done: debug\n", "done: debug\n"]);
    // The process itself knows: the host would leave out what is sent all the same.
    ran.says_in_order(["debug is wanted: false", "debug is wanted: true", "debug is wanted: false"]);
    assert_eq!(ran.stdout.matches("log DEBUG worker: for who wants it plugin=worker").count(), 1, "{ran}");
}

#[test]
fn more_than_a_pipe_holds_arrives_whole_and_in_order() {
    let ran = host("log info start worker flood end");
    ran.ok().says("done: flood\n");
    for thread in 0..4 {
        let mut rest = &*ran.stdout;
        for number in 0..500 {
            let text = format!(": {thread}.{number} {} plugin=worker", "x".repeat(1000));
            rest = rest.split_once(&text).unwrap_or_else(|| panic!("{thread}.{number} is missing")).1;
        }
    }
    // What is too long is cut.
    ran.says("éé… plugin=worker");
}

#[test]
fn what_was_told_last_arrives_whatever_becomes_of_the_process() {
    let ran = host("log info start worker abort abort end");
    ran.ok().says("failed: the process was ended by signal 6 (SIGABRT)");
    assert_eq!(ran.stdout.matches("log ERROR worker: about to abort plugin=worker").count(), 2, "{ran}");
}

#[test]
fn a_process_that_sends_no_records_where_records_belong_is_not_read_from_any_more() {
    let ran = host("log info start worker garbage work abort work end");
    let error = "log ERROR dynplug: the process of the plugin `worker` sent a record of 4294967295 bytes, where 65536 are \
                 allowed; nothing more of its log is read plugin=worker";
    ran.ok().says(error).says_in_order(["done: garbage\n", "done: work\n", "failed: ", "done: work\n"]);
    // The first process is mute from then on, and the next one speaks.
    assert_eq!(ran.stdout.matches("took an order").count(), 1, "{ran}");
}

#[test]
fn a_plugin_that_sets_a_logger_learns_that_there_is_one() {
    host("log info start worker own work end").ok().says("own: false").says_in_order(LOGGED);
}
