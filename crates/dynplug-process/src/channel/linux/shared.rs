//! Memory that another process has too. The only unsafe code of the channel: mapping, and access to what is mapped.
//!
//! Offsets come from [`layout`](super::super::layout), never from the other process. They are checked all the same, with `assert!`.

use super::super::{bell::Memory, layout::PAGE};
use rustix::{
    mm::{Advice, MapFlags, ProtFlags, madvise, mmap, munmap},
    thread::{Timespec, futex},
};
#[cfg(target_arch = "x86_64")]
use std::arch::asm;
use std::{
    collections::TryReserveError,
    ffi::c_void,
    io,
    os::fd::AsFd,
    ptr::{self, NonNull},
    sync::atomic::{AtomicU8, AtomicU32, AtomicUsize, Ordering::Relaxed},
    time::Duration,
};

const WORD: usize = size_of::<usize>();

/// A file in memory, mapped for reading.
#[derive(Debug)]
pub(in crate::channel) struct Mapping {
    start: NonNull<u8>,
    len: usize,
}

// SAFETY: The memory is mapped until the drop, and is accessed by atomic accesses from any thread, except for what `bytes`
// lends, which has an obligation of its own.
unsafe impl Send for Mapping {}
// SAFETY: As above.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// Maps `len` bytes for reading. The file has to be that long, and sealed so.
    pub(in crate::channel) fn new(file: impl AsFd, len: usize) -> io::Result<Self> {
        Self::map(file, len, ProtFlags::READ)
    }

    fn map(file: impl AsFd, len: usize, protection: ProtFlags) -> io::Result<Self> {
        // SAFETY: The system chooses a place where nothing is, so no memory of this program changes.
        let start = unsafe {
            mmap(ptr::null_mut(), len, protection, MapFlags::SHARED | MapFlags::NORESERVE, file, 0)
        }?;
        let start = NonNull::new(start.cast()).ok_or_else(|| io::Error::other("mapped at address 0"))?;
        Ok(Mapping { start, len })
    }

    /// The address of `len` bytes at `offset`.
    fn at(&self, offset: usize, len: usize) -> *mut u8 {
        assert!(offset.checked_add(len).is_some_and(|end| end <= self.len), "outside of the mapping");
        // SAFETY: `offset` is at most `len`, so this is in the mapping or one past its end.
        unsafe { self.start.as_ptr().add(offset) }
    }

    /// Puts a copy of `len` bytes in place of what `into` holds. Each byte is read once.
    ///
    /// # Errors
    ///
    /// There is no memory for them.
    pub(in crate::channel) fn copy_out(
        &self,
        offset: usize,
        len: usize,
        into: &mut Vec<u8>,
    ) -> Result<(), ()> {
        assert!(offset.is_multiple_of(WORD), "not aligned");
        into.clear();
        if into.capacity() < len {
            // What there was goes first.
            *into = Vec::new();
            *into = room(len).map_err(drop)?;
        }
        let from = self.at(offset, len);
        let to = into.as_mut_ptr();
        // SAFETY: `from` has `len` bytes of the mapping and begins with a word; `to` has room for them, of this process alone.
        unsafe { read(from, to, len) };
        // SAFETY: The first `len` bytes were just written.
        unsafe { into.set_len(len) };
        Ok(())
    }

    /// The bytes where they lie.
    ///
    /// # Safety
    ///
    /// Nobody writes to them as long as they are borrowed: not this process, and no other one.
    pub(in crate::channel) unsafe fn bytes(&self, offset: usize, len: usize) -> &[u8] {
        // SAFETY: They are mapped as long as `self` lives; that they don't change is the caller's word.
        unsafe { std::slice::from_raw_parts(self.at(offset, len), len) }
    }
}

impl Memory for Mapping {
    type Word = AtomicU32;

    fn word(&self, offset: usize) -> &AtomicU32 {
        assert!(offset.is_multiple_of(4), "not aligned");
        let word = self.at(offset, 4).cast();
        // SAFETY: The four bytes are mapped as long as `self` lives, aligned, and valid as any value. All access of this
        // process is atomic, whatever the other does. A load of four bytes is allowed in read-only memory.
        unsafe { AtomicU32::from_ptr(word) }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: This is what `map` got, and nothing borrows from it any more.
        let _ = unsafe { munmap(self.start.as_ptr().cast::<c_void>(), self.len) };
    }
}

/// A file in memory, mapped for reading and writing.
#[derive(Debug)]
pub(in crate::channel) struct Writable(Mapping);

impl Writable {
    pub(in crate::channel) fn new(file: impl AsFd, len: usize) -> io::Result<Self> {
        Mapping::map(file, len, ProtFlags::READ | ProtFlags::WRITE).map(Writable)
    }

    pub(in crate::channel) fn copy_in(&self, offset: usize, bytes: &[u8]) {
        let to = self.0.at(offset, bytes.len());
        // SAFETY: `at` has checked that they fit. In this process only who has the slot touches its bytes, and the other side can't
        // write there, or does so only when it isn't asked: who breaks that, reads or leaves what it likes, and nothing here reads.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), to, bytes.len()) };
    }
}

impl Memory for Writable {
    type Word = AtomicU32;

    fn word(&self, offset: usize) -> &AtomicU32 {
        self.0.word(offset)
    }
}

/// From so many bytes on, getting memory page by page takes longer than what is done with it.
const LARGE: usize = 4 << 20;

/// As [`room`](super::super::room) says it. A large page is 512 of the others, and one page fault.
pub(in crate::channel) fn room(bytes: usize) -> Result<Vec<u8>, TryReserveError> {
    let mut room: Vec<u8> = Vec::new();
    room.try_reserve_exact(bytes)?;
    if bytes >= LARGE {
        let start = room.as_mut_ptr();
        let before = start.align_offset(PAGE);
        // SAFETY: These are whole pages, but for the last, of the vector's own memory. Which pages the system takes for them changes no
        // byte, nor what may be done with them.
        let _ = unsafe {
            madvise(start.wrapping_add(before).cast::<c_void>(), bytes - before, Advice::LinuxHugepage)
        };
    }
    Ok(room)
}

/// Copies bytes that another process may write to meanwhile. Each is read once.
///
/// # Safety
///
/// `from` is that of `len` mapped bytes and aligned to a word; `to` has room for as many, which nobody else touches.
unsafe fn read(from: *mut u8, to: *mut u8, len: usize) {
    // For a compiler single loads that are atomic are not to be joined. The instruction is as fast as copying can be, and
    // whatever the memory does, for the program around it it's a number of bytes that were read, each by itself.
    #[cfg(target_arch = "x86_64")]
    if len >= 256 {
        // SAFETY: It reads and writes the bytes that the caller names, forward, as the direction flag is at all times.
        unsafe {
            asm!(
                "rep movsb",
                inout("rcx") len => _,
                inout("rsi") from => _,
                inout("rdi") to => _,
                options(nostack, preserves_flags)
            );
        }
        return;
    }
    let words = len / WORD;
    for i in 0..words {
        // SAFETY: The words lie in the `len` bytes, whose begin is aligned, and are only accessed atomically.
        unsafe {
            let word = AtomicUsize::from_ptr(from.cast::<usize>().add(i)).load(Relaxed);
            to.cast::<usize>().add(i).write_unaligned(word);
        }
    }
    for i in words * WORD..len {
        // SAFETY: As above, for the bytes that are left.
        unsafe { to.add(i).write(AtomicU8::from_ptr(from.add(i)).load(Relaxed)) };
    }
}

/// Sleeps while the word holds `value`, or until somebody wakes it, or some time has passed, or for no reason.
pub(in crate::channel) fn sleep(word: &AtomicU32, value: u32, most: Option<Duration>) {
    let most = most.map(|most| Timespec {
        tv_sec: most.as_secs().min(1 << 30) as i64,
        tv_nsec: most.subsec_nanos().into(),
    });
    // Whatever it returns for, the caller looks again.
    let _ = futex::wait(word, futex::Flags::empty(), value, most.as_ref());
}

/// Wakes as many as that, in any process.
pub(in crate::channel) fn wake(word: &AtomicU32, most: u32) {
    let _ = futex::wake(word, futex::Flags::empty(), most);
}
