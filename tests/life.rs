//! The life of plugins: opened once, initialised in order, from any thread, and never a hang. `life/` is the workspace,
//! whose host plays the scenario that its first argument names. Many plugins are copies of one, `scripted`, each with an
//! id of its own.

use crate::harness::{Call, Fixture, Ran, skipped, target};
use dynplug_manifest::Image;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

static BUILT: LazyLock<(Fixture, Ran)> = LazyLock::new(|| {
    let fixture = Fixture::empty("life");
    // Small, so that many of it have room.
    fixture.root_manifest("[profile.dev.package.scripted]\nopt-level = \"s\"\ndebug = false\n");
    let ran = fixture.copy("life").build().go();
    (fixture, ran)
});

#[track_caller]
fn life() -> &'static Fixture {
    let (fixture, build) = &*BUILT;
    build.ok();
    fixture
}

#[track_caller]
fn play(scenario: &str) -> Ran {
    let ran = life().app().arg(scenario).go();
    ran.ok().says(&format!("{scenario}: done"));
    ran
}

/// A scenario that has copies of `scripted` by the names `copy0` and so on.
#[track_caller]
fn play_with_copies(scenario: &str, count: u32) -> Ran {
    let folder = copies(scenario, count);
    let ran = with_copies(scenario, &folder).go();
    ran.ok().says(&format!("{scenario}: done"));
    std::fs::remove_dir_all(folder).expect("the copies can be removed");
    ran
}

fn with_copies(scenario: &str, folder: &Path) -> Call {
    life().app().arg(scenario).env("LIFE_FOLDER", folder)
}

/// A folder with copies of the plugin `scripted`. To the runtime each is a plugin of its own.
fn copies(name: &str, count: u32) -> PathBuf {
    let mut bytes = std::fs::read(life().plugin_file("scripted")).expect("the plugin is built");
    let id = {
        let image = Image::parse(&bytes).expect("it is an image");
        image.manifest().expect("its manifest is good").expect("it has one").id.0
    };
    let places: Vec<usize> = (0..bytes.len() - id.len()).filter(|&at| bytes[at..].starts_with(&id)).collect();
    assert!(!places.is_empty(), "the manifest is somewhere in the file");
    let folder = life().root().join(format!("copies for {name}"));
    std::fs::create_dir(&folder).expect("no other test has a folder of this name");
    for number in 0..count {
        for &at in &places {
            bytes[at..at + 4].copy_from_slice(&number.to_le_bytes());
        }
        let name = target().library(&format!("copy{number}"));
        std::fs::write(folder.join(name), &bytes).expect("the copy can be written");
    }
    folder
}

// A3
#[test]
fn what_is_new_is_initialised_in_order_before_open_returns() {
    play("order");
}

// A3
#[test]
fn shared_crates_are_initialised_earlier_where_the_host_asks_for_it() {
    play("early");
}

// A3, C4
#[test]
fn a_shared_crate_whose_init_fails_keeps_every_plugin_out() {
    life().app().arg("shared-fails").env("LIFE_API_FAILS", "not today").go().ok().says("shared-fails: done");
}

// A3
#[test]
fn inspect_shows_the_order_without_running_anything() {
    let ran = life().bare_tool().arg("inspect").arg(life().plugin_file("first")).go();
    ran.ok().says_in_order(["deep", "late", "alpha", "upper", "lower", "zeta"]);
}

// A5
#[test]
fn two_hundred_threads_that_open_one_file_get_one_plugin() {
    play("two-hundred-threads");
}

// A6
#[test]
fn two_hundred_threads_open_twenty_plugins_and_look_into_them() {
    play_with_copies("many-by-many", 20);
}

// B5
#[test]
fn stacks_of_plugin_frames_may_be_deep_and_frames_large() {
    play("deep-stacks");
}

// B5
#[test]
fn a_stack_that_ends_in_a_plugin_is_told_as_in_any_program() {
    let ran = life().app().arg("overflow").go();
    ran.says("thread 'climber'").says("has overflowed its stack");
    assert!(ran.signal().is_some(), "{ran}");
}

// B5
#[test]
fn a_captured_backtrace_has_file_and_line_of_the_plugin() {
    play("backtrace");
}

// B5
#[test]
fn the_backtrace_of_a_panic_has_file_and_line_of_the_plugin() {
    let ran = life().app().arg("panic").env("RUST_BACKTRACE", "1").go();
    let line: u32 = (ran.stdout.trim().strip_prefix("panics in line ").and_then(|n| n.parse().ok()))
        .unwrap_or_else(|| panic!("{ran}"));
    ran.fails_with(101).says("it was asked for").says("stack::panics");
    ran.says_in_lines(2, &format!("stack/src/lib.rs:{line}")).says("app/src/main.rs:");
}

// B6
#[test]
fn c_code_calls_back_from_its_own_threads_in_twenty_processes_at_once() {
    std::thread::scope(|scope| {
        for _ in 0..20 {
            scope.spawn(|| play("callbacks"));
        }
    });
}

// B10
#[test]
fn a_plugin_that_a_plugin_opens_is_the_one_that_the_host_opens() {
    play_with_copies("by-a-plugin", 2);
}

// B16
#[test]
fn a_crate_that_two_plugins_have_and_the_host_lacks_is_two_crates() {
    play("private-copies");
}

// B18
#[test]
fn a_forked_child_has_the_plugins_and_opens_more_a_hundred_times() {
    if target().is_windows() {
        return skipped("Windows makes no process of another");
    }
    play_with_copies("fork", 2);
}

// B18
#[test]
fn a_child_that_is_forked_while_plugins_are_opened_never_hangs() {
    if target().is_windows() {
        return skipped("Windows makes no process of another");
    }
    play_with_copies("fork-amid-opens", 400);
}

// B18
#[test]
fn other_programs_are_started_a_hundred_times_with_plugins_loaded() {
    if target().is_windows() {
        return skipped("Windows makes no process of another");
    }
    play_with_copies("exec", 1);
}

// B20
#[test]
fn after_each_of_fifty_plugins_all_that_came_before_is_as_it_was() {
    play_with_copies("fifty", 50);
}

// C4
#[test]
fn an_init_that_fails_is_the_same_error_for_ever_and_names_function_and_place() {
    play_with_copies("init-fails", 5);
}

// C4
#[test]
fn an_init_of_a_private_crate_that_fails_is_named() {
    let ran = life().app().arg("private-init-fails").env("LIFE_LATE_FAILS", "too late").go();
    ran.ok().says("private-init-fails: done");
}

// C4
#[test]
fn a_file_that_failed_and_was_mended_opens() {
    play_with_copies("mended", 2);
}

// C5
#[test]
fn a_plugin_that_opens_itself_is_told_so() {
    play_with_copies("itself", 2);
}

// C5
#[test]
fn two_plugins_that_open_each_other_are_told_so_in_one_thread() {
    play_with_copies("each-other", 2);
}

// C5
#[test]
fn two_plugins_that_open_each_other_are_told_so_in_two_threads() {
    play_with_copies("each-other-in-two-threads", 2);
}

// C5
#[test]
fn a_circle_of_three_is_shown_whole() {
    play_with_copies("three", 6);
}

// C6
#[test]
fn two_plugins_with_one_late_crate_open_at_once_in_twenty_processes() {
    for _ in 0..20 {
        play("late-crate");
    }
}

// C21
#[test]
fn a_plugin_that_left_traces_and_failed_does_no_harm() {
    for how in ["error", "panic"] {
        let ran = life().app().arg("traces").env("LIFE_TRACES", how).go();
        ran.ok()
            .says_in_lines(1, "the constructor of traces ran")
            .says_in_lines(1, "the exit handler of traces ran");
        ran.says_in_lines(1, "the thread-local of traces was dropped")
            .says(&format!("traces {how}").replace("error", "fails"));
    }
}

/// How often the stress test runs: `DYNPLUG_STRESS`, else three times.
fn rounds() -> u32 {
    std::env::var("DYNPLUG_STRESS").ok().and_then(|n| n.parse().ok()).unwrap_or(3)
}

// A5, A6, B18, C4, C5
#[test]
fn two_hundred_threads_over_fifty_plugins_that_fail_and_wait_for_each_other() {
    let folder = copies("stress", 50);
    for _ in 0..rounds() {
        with_copies("stress", &folder).go().ok().says("stress: done");
    }
    std::fs::remove_dir_all(folder).expect("the copies can be removed");
}

// A6
#[test]
fn ten_thousand_plugins_in_one_process_with_room_for_a_thousand_open_files() {
    if !Path::new("/proc/self/limits").exists() || target().is_windows() {
        return skipped("this system doesn't say how many files may be open");
    }
    let folder = copies("ten thousand", 10_000);
    let host = life().program("app");
    let shell = life().system(Path::new("/bin/sh")).args(["-c", "ulimit -n 1024 && exec \"$@\"", "sh"]);
    let call = target().runner().iter().fold(shell, Call::arg).arg(host).arg("ten-thousand");
    let ran = call.env("LIFE_FOLDER", &folder).takes_long().go();
    ran.ok().says("ten-thousand: done");
    std::fs::remove_dir_all(folder).expect("the copies can be removed");
}
