//! A hostile other side that does what some bytes tell it, in a thread of this process, while the host's side makes calls.
//!
//! The fuzz target `channel` is [`run`]; the test below does it with bytes of a seeded generator, and with the seeds in
//! `fuzz/corpus/channel`. Whatever the other side writes and whenever it does so: no call panics, none takes long beyond its
//! deadline, no answer is larger than a slot, and nothing but that slot's bytes is in it.

use super::{
    CallError, Channel, Config,
    bell::{Memories, Memory, Word},
    host::Desk,
    layout,
    system::{self, Files, Mapping, Socket, Writable},
};
use rustix::thread::futex;
use std::{
    hint,
    io::Write,
    sync::atomic::{AtomicU32, Ordering::SeqCst},
    thread,
    time::{Duration, Instant},
};

/// So much longer than any deadline that only something that hangs takes as long.
const LONG: Duration = Duration::from_secs(20);

/// The bytes that are left, each a choice.
struct Script<'a>(&'a [u8]);

impl Script<'_> {
    fn next(&mut self) -> Option<u8> {
        let (&first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(first)
    }

    /// When there is none left: the first.
    fn choose<T: Copy>(&mut self, among: &[T]) -> T {
        among[usize::from(self.next().unwrap_or(0)) % among.len()]
    }
}

/// The other side's files, mapped as it would map them.
struct Liar {
    socket: Socket,
    files: Files,
    memories: Memories<Mapping, Writable>,
    /// Where those that sleep are moved to.
    nowhere: AtomicU32,
}

impl Liar {
    fn new(socket: Socket) -> Self {
        let (files, layout, _) = socket.receive().expect("what the host has sent");
        let requests = Mapping::new(&files.requests, layout.size()).expect("memory");
        let answers = Writable::new(&files.answers, layout.size()).expect("memory");
        let memories = Memories { layout, requests, answers };
        Liar { socket, files, memories, nowhere: AtomicU32::new(0) }
    }

    fn a_slot(&self, script: &mut Script<'_>) -> u32 {
        u32::from(script.next().unwrap_or(0)) % self.memories.layout.slots
    }

    /// A value that is near what the host looks for, or any other.
    fn a_value(&self, slot: u32, script: &mut Script<'_>) -> u32 {
        let asked = self.asked(slot);
        let region = self.memories.layout.region as u32;
        let near =
            [asked, 0, region, asked.wrapping_sub(1), asked.wrapping_add(1), 1, 2, region + 1, u32::MAX];
        match usize::from(script.next().unwrap_or(0)) {
            choice if choice < 240 => near[choice % near.len()],
            _ => u32::from_ne_bytes([0; 4].map(|_: u8| script.next().unwrap_or(0))),
        }
    }

    /// The last call in a slot.
    fn asked(&self, slot: u32) -> u32 {
        self.memories.asked(slot).load(SeqCst)
    }

    fn write(&self, slot: u32, offset: usize, value: u32) {
        self.memories.answers.word(self.memories.layout.slot(slot) + offset).store(value, SeqCst);
    }

    /// Takes those that sleep on a slot's answer to a word that nobody wakes, and says how many.
    fn take_away(&self, slot: u32) -> usize {
        let word = self.memories.answered(slot);
        futex::requeue(word, futex::Flags::empty(), 0, u32::MAX >> 1, &self.nowhere).unwrap_or(0)
    }

    /// Does one thing that the script tells; false at its end.
    fn act(&self, script: &mut Script<'_>) -> bool {
        let Some(what) = script.next() else { return false };
        let slot = self.a_slot(script);
        match what % 16 {
            // What an honest one does, or nearly.
            0..=4 => {
                for offset in [layout::STATUS, layout::LENGTH] {
                    self.write(slot, offset, self.a_value(slot, script));
                }
                self.write(slot, layout::KIND, script.choose(&[0, 0, 0, 1, 2, 3, u32::MAX]));
                let call = match script.next() {
                    Some(240..) => self.a_value(slot, script),
                    _ => self.asked(slot),
                };
                self.memories.answer(slot, call);
            }
            5 => {
                let offset = script.choose(&[layout::ANSWER, layout::STATUS, layout::LENGTH, layout::KIND]);
                self.write(slot, offset, self.a_value(slot, script));
            }
            6 => {
                let offset = 4 * usize::from(script.next().unwrap_or(0));
                self.memories.answers.word(offset).store(self.a_value(slot, script), SeqCst);
            }
            7 => self.memories.answered(slot).wake(u32::MAX),
            8 => {
                self.take_away(slot);
            }
            9 => thread::sleep(Duration::from_micros(script.next().unwrap_or(0).into())),
            // What is read changes meanwhile.
            10 => {
                let values = [self.a_value(slot, script), self.a_value(slot, script)];
                let offset = script.choose(&[layout::LENGTH, layout::KIND, layout::ANSWER]);
                for i in 0..usize::from(script.next().unwrap_or(0)) {
                    self.write(slot, offset, values[i % 2]);
                }
            }
            11 => {
                let bytes = vec![slot as u8 + 1; self.memories.layout.region];
                self.memories.answers.copy_in(self.memories.layout.bytes(slot), &bytes);
            }
            12 => system::give_back(&self.files.answers, 0, self.memories.layout.size()),
            13 if script.next().unwrap_or(0) > 200 => self.socket.hang_up(),
            // Waits for the next call, not for long.
            _ => {
                let asked = self.asked(slot);
                for _ in 0..2000 {
                    if self.asked(slot) != asked {
                        break;
                    }
                    hint::spin_loop();
                }
            }
        }
        true
    }
}

/// Makes calls, and looks at what comes of each.
fn calls(channel: &Channel, region: usize, mut script: Script<'_>) {
    let mut broken = None;
    for _ in 0..4 {
        let len = script.choose(&[0, 1, region, region / 2, region + 1]);
        // The last one ends with the channel.
        let most = script.choose(&[100, 300, 1000, 2000]);
        one(channel, region, len, Some(Duration::from_micros(most)), &mut broken);
    }
    one(channel, region, 0, None, &mut broken);
}

fn one(channel: &Channel, region: usize, len: usize, most: Option<Duration>, broken: &mut Option<CallError>) {
    let begin = Instant::now();
    let mut answer = Vec::new();
    let result = channel.request(3, most.map(|most| begin + most)).and_then(|mut request| {
        request.write_all(&vec![9; len]).expect("writing takes all bytes");
        request.call(&mut answer)
    });
    assert!(begin.elapsed() < LONG, "it took {:?}", begin.elapsed());
    assert!(answer.capacity() <= region.max(8), "{} bytes for an answer", answer.capacity());
    if let Some(broken) = broken {
        assert_eq!(result.as_ref(), Err(&*broken));
    }
    match result {
        Ok(_) => {
            let tag = answer.iter().find(|byte| **byte != 0);
            assert!(answer.iter().all(|byte| *byte == 0 || Some(byte) == tag), "{answer:?}");
        }
        Err(CallError::TooLarge { .. }) => assert!(len > region),
        Err(CallError::Deadline | CallError::Busy { .. }) => {
            assert!(most.is_some_and(|most| begin.elapsed() >= most));
        }
        Err(CallError::AnswerTooLarge { room, .. }) => assert_eq!(room, region),
        Err(CallError::Panicked) => {}
        Err(error @ (CallError::Ended | CallError::Broken(_))) => {
            let end = channel.ended();
            assert!(end.is_some());
            *broken = end;
            assert!(matches!(error, CallError::Broken(_)) || *broken == Some(error));
        }
        Err(error @ CallError::Memory { .. }) => panic!("{error}"),
    }
}

/// Has the other side do what the bytes tell. Panics if the host doesn't keep what it promises.
pub fn run(bytes: &[u8]) {
    let mut script = Script(bytes);
    let mut config = Config::new();
    config.slots = script.choose(&[1, 2, 3]);
    config.region = script.choose(&[4096, 1, 5, 5000]);
    config.keep = script.choose(&[1 << 20, 0]);
    config.spin = Duration::from_micros(script.choose(&[0, 20]));
    let (mine, theirs) = (script.0.len() / 4, script.0);
    let (first, rest) = theirs.split_at(mine.min(16));
    let (second, theirs) = rest.split_at(mine.min(16));
    let (desk, socket) = Desk::new(&config, |_| Ok(())).expect("a desk");
    let channel = Channel::start(desk, None).expect("a channel");
    let liar = Liar::new(socket);
    thread::scope(|scope| {
        for script in [first, second] {
            let channel = &channel;
            scope.spawn(move || calls(channel, config.region, Script(script)));
        }
        let mut script = Script(theirs);
        while liar.act(&mut script) {}
        liar.socket.hang_up();
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn whatever_the_other_side_does_every_call_ends() {
        let mut state = 7u64;
        let mut random = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 56) as u8
        };
        for _ in 0..3000 {
            let len = 4 + usize::from(random());
            run(&(0..len).map(|_| random()).collect::<Vec<_>>());
        }
    }

    #[test]
    fn what_has_been_found_before_stays_mended() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus/channel");
        let files: Vec<_> = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
        assert!(!files.is_empty());
        for file in files {
            run(&fs::read(file).unwrap());
        }
    }

    #[test]
    fn who_is_moved_to_where_nobody_wakes_it_sees_the_end_all_the_same() {
        let (desk, socket) = Desk::new(&Config { slots: 1, region: 1, ..Config::new() }, |_| Ok(())).unwrap();
        let channel = Channel::start(desk, None).unwrap();
        let liar = Liar::new(socket);
        thread::scope(|scope| {
            let call = scope.spawn(|| channel.request(0, None).unwrap().call(&mut Vec::new()));
            while liar.take_away(0) == 0 {
                thread::yield_now();
            }
            liar.socket.hang_up();
            assert_eq!(call.join().unwrap(), Err(CallError::Ended));
        });
    }

    #[test]
    fn how_long_to_look_is_said_to_the_other_side() {
        let spin = Duration::from_nanos(123_456);
        let (_desk, socket) = Desk::new(&Config { spin, ..Config::new() }, |_| Ok(())).unwrap();
        assert_eq!(socket.receive().unwrap().2, spin);
    }
}
