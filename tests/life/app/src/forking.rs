//! Processes that are made while plugins are loaded.

use crate::{Scenario, open};
use app_api::dynplug::{OpenError, Plugin};
use std::ffi::{CString, c_char, c_int};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

pub const SCENARIOS: &[Scenario] = &[
    ("fork", fork_a_hundred_times),
    ("fork-amid-opens", fork_amid_opens),
    ("exec", exec_a_hundred_times),
];

unsafe extern "C" {
    fn fork() -> c_int;
    fn waitpid(child: c_int, status: *mut c_int, options: c_int) -> c_int;
    fn _exit(code: c_int) -> !;
    fn execv(path: *const c_char, arguments: *const *const c_char) -> c_int;
}

/// What `child` returns is the exit code of a child of this process.
pub fn in_a_child(child: impl FnOnce() -> c_int) -> c_int {
    // SAFETY: the child runs on in this thread alone, and ends here.
    let id = unsafe { fork() };
    assert!(id >= 0, "fork failed");
    if id == 0 {
        let code = std::panic::catch_unwind(std::panic::AssertUnwindSafe(child)).unwrap_or(99);
        // SAFETY: nothing of the parent's is to run twice.
        unsafe { _exit(code) };
    }
    let mut status = 0;
    // SAFETY: the child is this process's, and `status` is there.
    assert_eq!(unsafe { waitpid(id, &mut status, 0) }, id);
    assert_eq!(status & 0x7f, 0, "a signal ended the child");
    (status >> 8) & 0xff
}

/// Becomes another program.
pub fn become_true() -> c_int {
    let path = CString::new("/bin/true").unwrap();
    let arguments = [path.as_ptr(), std::ptr::null()];
    // SAFETY: the strings end with zero, and so does the list.
    unsafe { execv(path.as_ptr(), arguments.as_ptr()) };
    98
}

fn fork_a_hundred_times() {
    let plugin = open("copy0");
    let count: &AtomicU64 = plugin.lookup("COUNT").unwrap();
    for round in 0..100 {
        let code = in_a_child(|| {
            assert!(std::ptr::eq(open("copy0"), plugin), "the child has the same plugins");
            count.fetch_add(1, Ordering::Relaxed);
            let more: fn(&str) -> Result<&'static Plugin, OpenError> = plugin.lookup("open").unwrap();
            let more = more("copy1").unwrap();
            let theirs: &AtomicU64 = more.lookup("COUNT").unwrap();
            assert_eq!(theirs.load(Ordering::Relaxed), 1, "and opens more");
            in_a_child(become_true)
        });
        assert_eq!(code, 0, "round {round}");
    }
    assert_eq!(count.load(Ordering::Relaxed), 1, "what children do stays with them");
    assert_eq!(app_api::script::played("copy1"), 0);
    open("copy1");
    assert_eq!(app_api::script::played("copy1"), 1);
}

/// Forks while another thread opens one plugin after the other, and looks into each child.
fn fork_amid_opens() {
    const PLUGINS: u32 = 400;
    let plugin = open("copy0");
    let ended = Arc::new(AtomicBool::new(false));
    let opening = thread::spawn({
        let ended = ended.clone();
        move || {
            for number in 1..PLUGINS {
                open(&format!("copy{number}"));
            }
            ended.store(true, Ordering::Relaxed);
        }
    });
    let (mut opened, mut interrupted) = (0, 0);
    while !ended.load(Ordering::Relaxed) || opened == 0 {
        let code = in_a_child(|| {
            assert!(std::ptr::eq(open("copy0"), plugin), "the child has the same plugins");
            // As if the parent's thread had never begun with it, or as one that it left behind.
            match app_api::open("first") {
                Ok(_) => 1,
                Err(OpenError::Interrupted { .. }) => 2,
                Err(_) => 3,
            }
        });
        match code {
            1 => opened += 1,
            2 => interrupted += 1,
            code => panic!("{code}"),
        }
    }
    opening.join().unwrap();
    println!("{opened} children opened it, {interrupted} were told that they can't");
    open("first");
}

fn exec_a_hundred_times() {
    open("copy0");
    for _ in 0..100 {
        assert!(Command::new("/bin/true").status().unwrap().success());
    }
}
