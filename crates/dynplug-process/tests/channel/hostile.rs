//! A process that speaks by hand, and lies. It reads and writes the shared memory as files.
//!
//! The places are those that `src/channel/layout.rs` tells, written down once more: a change there is to be noticed here.

use super::play::*;
use dynplug_process::channel::{CallError, Lie};
use rustix::{
    fs::{fstat, ftruncate},
    io::{Errno, fcntl_dupfd_cloexec, pread, pwrite},
    mm::{MapFlags, ProtFlags, mmap},
    net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendFlags, recvmsg, send},
    stdio::{dup2_stdin, stdin},
};
use std::{
    fs::File,
    io::IoSliceMut,
    mem::MaybeUninit,
    os::fd::OwnedFd,
    process, ptr, thread,
    time::{Duration, Instant},
};

const SLOT: u64 = 4096;
const ROOM: u32 = 4096;
const STRIDE: u64 = 8192;
const SOON: Duration = Duration::from_millis(150);
const LONG: Duration = Duration::from_secs(30);

struct Liar {
    socket: OwnedFd,
    requests: OwnedFd,
    answers: OwnedFd,
}

impl Liar {
    fn new() -> Liar {
        let socket = fcntl_dupfd_cloexec(stdin(), 3).unwrap();
        dup2_stdin(File::open("/dev/null").unwrap()).unwrap();
        let mut message = [0; 32];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        recvmsg(&socket, &mut [IoSliceMut::new(&mut message)], &mut control, RecvFlags::empty()).unwrap();
        let mut files = control.drain().flat_map(|part| match part {
            RecvAncillaryMessage::ScmRights(files) => files.collect(),
            _ => Vec::new(),
        });
        let (requests, answers) = (files.next().unwrap(), files.next().unwrap());
        drop(files);
        Liar { socket, requests, answers }
    }

    fn wait_for(&self, slot: u64, call: u32) {
        let mut word = [0; 4];
        while u32::from_ne_bytes(word) != call {
            pread(&self.requests, &mut word, 64 + 4 * slot).unwrap();
            thread::yield_now();
        }
    }

    fn write(&self, at: u64, word: u32) {
        pwrite(&self.answers, &word.to_ne_bytes(), at).unwrap();
    }

    fn answer(&self, slot: u64, call: u32, status: u32, len: u32, kind: u32) {
        let at = SLOT + slot * STRIDE;
        self.write(at + 4, status);
        self.write(at + 8, len);
        self.write(at + 12, kind);
        self.write(at, call);
    }
}

pub fn play(role: &str) {
    let liar = Liar::new();
    match role {
        "never answers" => {}
        "answers late" => {
            liar.wait_for(0, 1);
            thread::sleep(SOON * 2);
            liar.answer(0, 1, 111, 0, 0);
            liar.wait_for(0, 2);
            liar.answer(0, 2, 100, 3, 0);
        }
        "too long" => {
            liar.wait_for(0, 1);
            liar.answer(0, 1, 100, ROOM + 1, 0);
        }
        "much too long" => {
            liar.wait_for(0, 1);
            liar.answer(0, 1, 100, u32::MAX, 0);
        }
        "unknown kind" => {
            liar.wait_for(0, 1);
            liar.answer(0, 1, 100, 0, 99);
        }
        "too large without end" => {
            liar.wait_for(0, 1);
            liar.answer(0, 1, 100, u32::MAX, 1);
        }
        "the call before" => {
            liar.wait_for(0, 1);
            liar.answer(0, 0u32.wrapping_sub(1), 100, 0, 0);
        }
        "the call after" => {
            liar.wait_for(0, 1);
            liar.answer(0, 2, 100, 0, 0);
        }
        "answers twice" => {
            liar.wait_for(0, 1);
            liar.answer(0, 1, 100, 0, 0);
            liar.wait_for(0, 2);
            liar.answer(0, 2, 100, 0, 0);
            // Not before the host has the answer: until it writes the arguments of the next call.
            let mut byte = [0];
            while byte != *b"!" {
                pread(&liar.requests, &mut byte, SLOT + 16).unwrap();
                thread::yield_now();
            }
            liar.answer(0, 7, 100, 0, 0);
        }
        "answers what nobody asked" => {
            for slot in 0..2 {
                liar.answer(slot, 5, 100, 0, 0);
            }
            liar.wait_for(0, u32::MAX);
        }
        "writes all over" => {
            let mut noise = 1u64;
            let mut call = 1;
            let page: Vec<u8> = (0..SLOT).map(|i| i as u8).collect();
            loop {
                noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                pwrite(&liar.answers, &page[..(noise >> 40) as usize % 4000], SLOT + 16).unwrap();
                liar.write(SLOT + 4, (noise >> 32) as u32);
                liar.write(SLOT + 8, (noise >> 33) as u32 % (ROOM + 1));
                liar.write((noise >> 61) & 4, noise as u32);
                let mut word = [0; 4];
                pread(&liar.requests, &mut word, 64).unwrap();
                if u32::from_ne_bytes(word) == call {
                    liar.write(SLOT, call);
                    call += 1;
                }
            }
        }
        "fills everything" => {
            let size = fstat(&liar.answers).unwrap().st_size as u64;
            let page = [0xff; 4096];
            for at in (0..size).step_by(4096) {
                pwrite(&liar.answers, &page, at).unwrap();
            }
        }
        "hangs up" => drop(liar.socket),
        "talks" => {
            for _ in 0..100_000 {
                if send(&liar.socket, &[0xff; 1000], SendFlags::DONTWAIT | SendFlags::NOSIGNAL).is_err() {
                    break;
                }
            }
            liar.wait_for(0, 1);
            liar.answer(0, 1, 100, 0, 0);
        }
        "changes sizes" => {
            for file in [&liar.requests, &liar.answers] {
                for size in [0, 4096, 1 << 40] {
                    assert!(ftruncate(file, size).is_err());
                }
                assert!(rustix::fs::fcntl_add_seals(file, rustix::fs::SealFlags::WRITE).is_err());
            }
            assert_eq!(pwrite(&liar.requests, b"x", 0), Err(Errno::BADF));
            let protection = ProtFlags::READ | ProtFlags::WRITE;
            // SAFETY: The system chooses the place, and nothing is done with the memory.
            let map = unsafe { mmap(ptr::null_mut(), 4096, protection, MapFlags::SHARED, &liar.requests, 0) };
            assert_eq!(map, Err(Errno::ACCESS));
            process::exit(42);
        }
        role => panic!("no role {role}"),
    }
    loop {
        thread::park();
    }
}

/// A lie that the first call meets is what the second one is told too.
fn lies(role: &str, lie: Lie) {
    let pair = Pair::new(role, &small(1));
    let broken = Err(CallError::Broken(lie));
    // Who lies wakes nobody: it is seen when the host looks again by itself.
    assert_eq!(pair.call(ECHO, b"1", Duration::from_secs(1)), broken, "{role}");
    assert_eq!(pair.call(ECHO, b"2", LONG), broken, "{role}");
    assert_eq!(pair.channel.ended(), Some(CallError::Broken(lie)));
}

#[test]
fn who_never_answers_takes_the_slots_and_no_more_time() {
    let pair = Pair::new("never answers", &small(3));
    for _ in 0..3 {
        assert_eq!(pair.call(ECHO, b"", SOON), Err(CallError::Deadline));
    }
    let begin = Instant::now();
    assert_eq!(pair.call(ECHO, b"", SOON), Err(CallError::Busy { slots: 3, stuck: 3 }));
    assert!(begin.elapsed() < LONG);
}

#[test]
fn who_answers_late_gives_the_slot_back() {
    let pair = Pair::new("answers late", &small(1));
    assert_eq!(pair.call(ECHO, b"1", SOON), Err(CallError::Deadline));
    // It wakes nobody, so the answer is found when the host looks again by itself.
    assert_eq!(pair.call(ECHO, b"2", Duration::from_secs(2)).unwrap(), [0, 0, 0]);
}

#[test]
fn lengths_and_kinds_that_cannot_be_end_the_channel() {
    lies("too long", Lie::Length { slot: 0, bytes: ROOM + 1, room: 4096 });
    lies("much too long", Lie::Length { slot: 0, bytes: u32::MAX, room: 4096 });
    lies("unknown kind", Lie::Kind { slot: 0, have: 99 });
}

#[test]
fn answers_to_calls_that_nobody_made_end_the_channel() {
    lies("the call before", Lie::Answer { slot: 0, have: u32::MAX, want: 1 });
    lies("the call after", Lie::Answer { slot: 0, have: 2, want: 1 });
}

#[test]
fn an_answer_before_the_call_ends_the_channel() {
    let pair = Pair::new("answers what nobody asked", &small(1));
    let error = loop {
        // Until the process has started and lied.
        match pair.call(ECHO, b"", Duration::from_millis(20)) {
            Err(CallError::Deadline | CallError::Busy { .. }) => {}
            other => break other.unwrap_err(),
        }
    };
    assert!(matches!(error, CallError::Broken(Lie::Answer { slot: 0, have: 5, .. })), "{error}");
}

#[test]
fn a_second_answer_ends_the_channel() {
    let pair = Pair::new("answers twice", &small(1));
    for _ in 0..2 {
        assert_eq!(pair.call(ECHO, b"", Duration::from_secs(1)).unwrap(), b"");
    }
    let error = pair.call(ECHO, b"!", Duration::from_secs(1)).unwrap_err();
    assert!(matches!(error, CallError::Broken(Lie::Answer { slot: 0, have: 7, .. })), "{error}");
}

#[test]
fn an_answer_that_is_too_large_is_a_number_and_nothing_is_allocated() {
    let pair = Pair::new("too large without end", &small(1));
    let first = pair.call(ECHO, b"", Duration::from_secs(1));
    assert_eq!(first, Err(CallError::AnswerTooLarge { bytes: u32::MAX.into(), room: 4096 }));
}

#[test]
fn what_changes_while_it_is_read_is_some_bytes() {
    let pair = Pair::new("writes all over", &small(1));
    let mut answer = Vec::new();
    for _ in 0..300 {
        let request = pair.channel.request(ECHO, Some(Instant::now() + Duration::from_millis(100))).unwrap();
        request.call(&mut answer).unwrap();
        assert!(answer.len() <= 4096);
    }
}

#[test]
fn who_fills_everything_breaks_its_own_channel_alone() {
    let pair = Pair::new("fills everything", &small(2));
    let error = loop {
        match pair.call(ECHO, b"", SOON) {
            Err(CallError::Deadline | CallError::Busy { .. }) => {}
            other => break other.unwrap_err(),
        }
    };
    assert!(matches!(error, CallError::Broken(Lie::Answer { have: u32::MAX, .. })), "{error}");
    assert_eq!(Pair::new("honest", &small(2)).call(ECHO, b"x", LONG).unwrap(), b"x");
}

#[test]
fn who_hangs_up_has_ended_even_if_it_lives() {
    let mut pair = Pair::new("hangs up", &small(1));
    assert_eq!(pair.call(ECHO, b"", LONG), Err(CallError::Ended));
    assert!(pair.child.try_wait().unwrap().is_none());
}

#[test]
fn what_is_said_over_the_socket_is_not_heard() {
    let pair = Pair::new("talks", &small(1));
    assert_eq!(pair.call(ECHO, b"", Duration::from_secs(3)).unwrap(), b"");
}

#[test]
fn nobody_can_change_the_sizes_or_write_to_the_requests() {
    let mut pair = Pair::new("changes sizes", &small(1));
    assert_eq!(pair.child.wait().unwrap().code(), Some(42));
}
