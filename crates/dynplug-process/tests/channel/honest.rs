//! A process that keeps to the protocol, and calls that end in every way that they can.

use super::play::*;
use dynplug_process::channel::{CallError, Config};
use std::{
    fs,
    os::unix::fs::MetadataExt,
    thread,
    time::{Duration, Instant},
};

const LONG: Duration = Duration::from_secs(60);

fn sequence(len: usize) -> Vec<u8> {
    (0..len).map(|i| (i * 31 + i / 256) as u8).collect()
}

#[test]
fn what_is_sent_comes_back_whatever_its_length() {
    let mut config = Config::new();
    config.region = 3_000_001;
    config.keep = 10_000;
    let pair = Pair::new("honest", &config);
    let lengths = (0..70).chain([4079, 4080, 4081, 9_999, 100_001, 3_000_000, 3_000_001, 5]);
    for len in lengths {
        let bytes = sequence(len);
        assert_eq!(pair.call(ECHO, &bytes, LONG).unwrap(), bytes, "{len}");
    }
}

#[test]
fn arguments_in_pieces_are_the_same_arguments() {
    let pair = Pair::new("honest", &small(1));
    let bytes = sequence(1000);
    for piece in [1, 3, 7, 8, 9, 64] {
        let mut request = pair.channel.request(ECHO, None).unwrap();
        for piece in bytes.chunks(piece) {
            std::io::Write::write_all(&mut request, piece).unwrap();
        }
        let mut answer = vec![1; 5000];
        assert_eq!(request.call(&mut answer), Ok(100));
        assert_eq!(answer, bytes);
    }
}

#[test]
fn what_is_too_large_says_both_sizes_and_harms_nothing() {
    let pair = Pair::new("honest", &small(1));
    assert_eq!(pair.call(ECHO, &[0; 4097], LONG), Err(CallError::TooLarge { bytes: 4097, room: 4096 }));
    let give = |n: u32| pair.call(GIVE, &n.to_le_bytes(), LONG);
    assert_eq!(give(5000), Err(CallError::AnswerTooLarge { bytes: 5000, room: 4096 }));
    assert_eq!(give(4096).unwrap(), [7; 4096]);
}

#[test]
fn a_request_that_is_dropped_gives_its_slot_back() {
    let pair = Pair::new("honest", &small(1));
    for _ in 0..3 {
        drop(pair.channel.request(ECHO, None).unwrap());
    }
    assert_eq!(pair.call(ECHO, b"still", LONG).unwrap(), b"still");
}

#[test]
fn a_panic_ends_the_call_and_no_more() {
    let pair = Pair::new("honest", &small(1));
    for _ in 0..5 {
        assert_eq!(pair.call(PANIC, b"", LONG), Err(CallError::Panicked));
    }
    assert_eq!(pair.call(ECHO, b"still", LONG).unwrap(), b"still");
}

#[test]
fn calls_run_at_once_and_many_threads_get_their_own_answers() {
    let pair = Pair::new("honest", &small(4));
    thread::scope(|scope| {
        for number in 0..8u32 {
            let pair = &pair;
            scope.spawn(move || {
                for round in 0..300u32 {
                    let bytes = [number.to_le_bytes(), round.to_le_bytes()].concat();
                    assert_eq!(pair.call(ECHO, &bytes, LONG).unwrap(), bytes);
                }
            });
        }
    });
    // One thread hangs for good, and the others go on.
    assert_eq!(pair.call(HANG, b"", Duration::from_millis(20)), Err(CallError::Deadline));
    assert_eq!(pair.call(ECHO, b"still", LONG).unwrap(), b"still");
}

#[test]
fn calls_after_a_pause_find_who_sleeps() {
    let pair = Pair::new("honest", &small(2));
    for round in 0..50u32 {
        thread::sleep(Duration::from_micros(u64::from(round) * 40));
        assert_eq!(pair.call(ECHO, &round.to_le_bytes(), LONG).unwrap(), round.to_le_bytes());
    }
}

#[test]
fn a_late_answer_reaches_nobody_and_frees_its_slot() {
    let pair = Pair::new("honest", &small(1));
    let late = pair.call(SLEEP, &200u32.to_le_bytes(), Duration::from_millis(20));
    assert_eq!(late, Err(CallError::Deadline));
    let busy = pair.call(ECHO, b"soon", Duration::from_millis(20));
    assert_eq!(busy, Err(CallError::Busy { slots: 1, stuck: 1 }));
    assert_eq!(pair.call(ECHO, b"later", LONG).unwrap(), b"later");
}

#[test]
fn a_death_ends_every_call_at_once() {
    for how in [ABORT, EXIT, FAULT] {
        let pair = Pair::new("honest", &small(4));
        let begin = Instant::now();
        thread::scope(|scope| {
            let hanging: Vec<_> = (0..2).map(|_| scope.spawn(|| pair.call(HANG, b"", LONG))).collect();
            assert_eq!(pair.call(how, b"", LONG), Err(CallError::Ended));
            for hanging in hanging {
                assert_eq!(hanging.join().unwrap(), Err(CallError::Ended));
            }
        });
        assert!(begin.elapsed() < LONG / 2);
        assert_eq!(pair.call(ECHO, b"", LONG), Err(CallError::Ended));
        assert_eq!(pair.channel.ended(), Some(CallError::Ended));
    }
}

#[test]
fn a_call_without_a_deadline_ends_with_the_process() {
    let mut pair = Pair::new("honest", &small(1));
    let channel = &pair.channel;
    let child = &mut pair.child;
    thread::scope(|scope| {
        let call = scope.spawn(|| channel.request(HANG, None)?.call(&mut Vec::new()));
        let waits = scope.spawn(|| channel.request(ECHO, None).map(drop));
        child.kill().unwrap();
        assert_eq!(call.join().unwrap(), Err(CallError::Ended));
        let _ = waits.join().unwrap();
    });
}

#[test]
fn the_other_side_ends_when_the_channel_is_dropped() {
    let (channel, mut child) =
        dynplug_process::channel::Channel::spawn(&mut command("honest"), &small(1)).unwrap();
    assert_eq!(call(&channel, ECHO, b"there", LONG).unwrap(), b"there");
    drop(channel);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn one_processor_is_enough() {
    assert!(command("one processor").status().unwrap().success());
}

pub fn on_one_processor() {
    let now = rustix::thread::sched_getaffinity(None).unwrap();
    let mut one = rustix::thread::CpuSet::new();
    one.set((0..rustix::thread::CpuSet::MAX_CPU).find(|&i| now.is_set(i)).unwrap());
    rustix::thread::sched_setaffinity(None, &one).unwrap();
    let pair = Pair::new("honest", &small(2));
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                for round in 0..300u32 {
                    assert_eq!(pair.call(ECHO, &round.to_le_bytes(), LONG).unwrap(), round.to_le_bytes());
                }
            });
        }
    });
}

#[test]
fn what_a_large_message_has_taken_is_given_back() {
    // In a process of its own, since the memory of other tests would be counted too.
    assert!(command("gives back").status().unwrap().success());
}

pub fn gives_back() {
    let mut config = Config::new();
    config.keep = 10_000;
    let pair = Pair::new("honest", &config);
    let taken = || -> u64 {
        let files = fs::read_dir("/proc/self/fd").unwrap().map(|file| file.unwrap().path());
        let shared = files.filter(|file| {
            fs::read_link(file).is_ok_and(|name| name.to_string_lossy().starts_with("/memfd:dynplug-"))
        });
        shared.map(|file| fs::metadata(file).unwrap().blocks() * 512).sum()
    };
    let bytes = sequence(5_000_000);
    let begin = Instant::now();
    assert_eq!(pair.call(ECHO, &bytes, LONG).unwrap(), bytes);
    while taken() > 100_000 {
        assert!(begin.elapsed() < LONG, "{} bytes are left", taken());
        thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(pair.call(ECHO, &bytes, LONG).unwrap(), bytes);
}
