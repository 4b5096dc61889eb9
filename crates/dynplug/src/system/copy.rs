//! Private copies: sealed files in memory, and the names by which the system's loader opens them.
//!
//! The loader remembers a library by the name that it was opened by, and gives it back to whoever comes with that name
//! again. A copy's name is `/proc/<process>/fd/<descriptor>`, and descriptors are used again. So each name is spelled in a
//! way of its own, with dots and slashes that mean nothing, which count the opens.
//!
//! Descriptors are few where plugins are many, so only the first copies, a quarter of what the process may have open,
//! keep theirs. Debuggers and backtraces find the files of these. All later copies are opened through one descriptor,
//! the *slot*, that each has for the time of its open; between opens it holds an empty file. So a name that the loader
//! remembers never leads to what the program opens later: reading it could give wrong lines or wait for ever.

use std::ffi::CString;
use std::fs::File;
use std::io::{self, Write};
use std::mem::ManuallyDrop;
use std::os::fd::{AsRawFd, FromRawFd, IntoRawFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What opens have left behind.
struct Copies {
    /// How many names were made.
    named: u64,
    /// How many descriptors are kept.
    kept: u64,
    slot: Option<Slot>,
}

/// The descriptor through which copies are opened that don't keep theirs.
struct Slot {
    /// Never dropped: a descriptor that somebody else has by now must not be closed.
    file: ManuallyDrop<File>,
    /// An empty file, to be put into the slot.
    empty: ManuallyDrop<File>,
    /// Device and inode of the empty file.
    nothing: (u64, u64),
    /// Device and inode of what the slot holds.
    holds: (u64, u64),
}

static COPIES: Mutex<Copies> = Mutex::new(Copies { named: 0, kept: 0, slot: None });

fn copies() -> MutexGuard<'static, Copies> {
    COPIES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A copy under a name by which it can be opened now. To be used by the thread that has the loader.
pub(super) struct Named {
    pub(super) name: CString,
    /// The copy itself, when it may keep its descriptor.
    own: Option<OwnedFd>,
}

impl Named {
    /// A copy, or a file that is none, under such a name.
    pub(super) fn of(copy: File) -> io::Result<Named> {
        let mut copies = copies();
        let own = copies.kept < limit() / 4;
        let descriptor = if own { copy.as_raw_fd() } else { copies.fill_slot(&copy)? };
        let name = spelled(std::process::id(), descriptor, copies.named);
        copies.named += 1;
        // Counted now, since the constructors that run in between may open more.
        copies.kept += u64::from(own);
        Ok(Named { name, own: own.then(|| copy.into()) })
    }

    /// The loader has what it wants.
    pub(super) fn opened(self, loaded: bool) {
        match self.own {
            // Open for as long as the process lives.
            Some(own) if loaded => {
                let _ = own.into_raw_fd();
            }
            Some(_) => copies().kept -= 1,
            None => copies().empty_slot(),
        }
    }
}

impl Copies {
    fn fill_slot(&mut self, copy: &File) -> io::Result<i32> {
        // A program that closes all descriptors closes the slot too, and it may be another file's by now. What is no
        // longer ours is left alone.
        if self.slot.as_ref().is_some_and(|slot| !slot.is_ours()) {
            self.slot = None;
        }
        let slot = match &mut self.slot {
            Some(slot) => slot,
            none => none.insert(Slot::new()?),
        };
        slot.put(copy)?;
        Ok(slot.file.as_raw_fd())
    }

    fn empty_slot(&mut self) {
        if let Some(slot) = self.slot.as_mut().filter(|slot| slot.is_ours()) {
            // If that fails, the last copy stays open a while longer, which is no harm.
            let _ = slot.clear();
        }
    }
}

impl Slot {
    fn new() -> io::Result<Slot> {
        let empty = sealed(&[], "closed")?;
        let nothing = place(&empty)?;
        let file = empty.try_clone()?;
        Ok(Slot { file: ManuallyDrop::new(file), empty: ManuallyDrop::new(empty), nothing, holds: nothing })
    }

    fn put(&mut self, file: &File) -> io::Result<()> {
        let holds = place(file)?;
        duplicate(file, &self.file)?;
        self.holds = holds;
        Ok(())
    }

    fn clear(&mut self) -> io::Result<()> {
        duplicate(&self.empty, &self.file)?;
        self.holds = self.nothing;
        Ok(())
    }

    /// Whether nobody has closed the descriptors or put something else into them.
    fn is_ours(&self) -> bool {
        place(&self.file).is_ok_and(|place| place == self.holds)
            && place(&self.empty).is_ok_and(|place| place == self.nothing)
    }
}

/// Puts what is open as `from` into the descriptor of `to`.
fn duplicate(from: &File, to: &File) -> io::Result<()> {
    // SAFETY: the call takes integers. What the second descriptor held is closed: the caller made sure that it is the
    // slot's.
    match unsafe { libc::dup3(from.as_raw_fd(), to.as_raw_fd(), libc::O_CLOEXEC) } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

fn place(file: &File) -> io::Result<(u64, u64)> {
    let metadata = file.metadata()?;
    Ok((metadata.dev(), metadata.ino()))
}

/// The name of a descriptor of a process, spelled as never before: each number has its own spelling.
///
/// The loader compares a name with all that it remembers, so what differs comes first, and of that what differs most.
///
/// By the process's number and not by `self`, so that a debugger finds the file too.
fn spelled(process: u32, descriptor: i32, number: u64) -> CString {
    let mut name = String::new();
    let mut rest = number;
    while rest != 0 {
        name.push_str(if rest & 1 == 1 { "/." } else { "/" });
        rest >>= 1;
    }
    name.push_str(&format!("/proc/{process}/fd/{descriptor}"));
    // There is no zero byte in it.
    CString::new(name).unwrap_or_default()
}

/// A sealed copy of a file's bytes.
pub(crate) struct Sealed(File);

impl Sealed {
    /// Copies the bytes. Until it is sealed the copy is a file like others, to which processes of the same user may write; so
    /// it can be compared afterwards.
    pub(super) fn new(bytes: &[u8], name: &str, compare: bool) -> io::Result<Sealed> {
        let copy = sealed(bytes, name)?;
        if compare && !holds(&copy, bytes)? {
            return Err(io::Error::other("somebody wrote to it before it was sealed"));
        }
        Ok(Sealed(copy))
    }

    pub(super) fn named(self) -> io::Result<Named> {
        Named::of(self.0)
    }
}

/// A private copy for another process: nobody can change it any more, and it holds these bytes.
#[cfg(feature = "process")]
pub(crate) fn sealed_copy(bytes: &[u8], name: &str) -> io::Result<File> {
    Sealed::new(bytes, name, true).map(|sealed| sealed.0)
}

/// Whether a sealed file holds these bytes and no others.
fn holds(file: &File, bytes: &[u8]) -> io::Result<bool> {
    if file.metadata()?.len() != bytes.len() as u64 {
        return Ok(false);
    }
    if bytes.is_empty() {
        return Ok(true);
    }
    // All its pages at once; reading it would be one more copy.
    let flags = libc::MAP_PRIVATE | libc::MAP_POPULATE;
    // SAFETY: a new mapping is in nobody's way, and the call takes integers.
    let start =
        unsafe { libc::mmap(std::ptr::null_mut(), bytes.len(), libc::PROT_READ, flags, file.as_raw_fd(), 0) };
    if start == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the mapping is that long and is readable, and nobody can shorten or change what was sealed.
    let is_same = unsafe { std::slice::from_raw_parts(start.cast::<u8>(), bytes.len()) } == bytes;
    // SAFETY: it is the mapping of above, and nothing refers to it any more.
    unsafe { libc::munmap(start, bytes.len()) };
    Ok(is_same)
}

/// How many descriptors this process may have.
fn limit() -> u64 {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the call fills the record.
    let code = unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) };
    // Of 32 bits where addresses are.
    #[allow(clippy::useless_conversion)]
    if code == 0 { limit.rlim_cur.into() } else { 0 }
}

/// A file in memory that nobody can change any more, ourselves included.
fn sealed(bytes: &[u8], name: &str) -> io::Result<File> {
    // The name is for people who look into /proc; the system allows 249 bytes.
    let end = name.char_indices().nth(60).map_or(name.len(), |(end, _)| end);
    let mut short = b"dynplug:".to_vec();
    for byte in name.as_bytes().iter().take(end).filter(|byte| **byte != 0) {
        short.push(*byte);
    }
    let name = CString::new(short).unwrap_or_default();
    let flags = libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING;
    /// From <linux/memfd.h>: allows execution where the system's default forbids it; unknown before Linux 6.3.
    const MFD_EXEC: libc::c_uint = 0x0010;
    // SAFETY: the name is a C string.
    let mut fd = unsafe { libc::memfd_create(name.as_ptr(), flags | MFD_EXEC) };
    if fd < 0 && io::Error::last_os_error().raw_os_error() == Some(libc::EINVAL) {
        // SAFETY: as above.
        fd = unsafe { libc::memfd_create(name.as_ptr(), flags) };
    }
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the descriptor is new and belongs to nobody else.
    let mut file = unsafe { File::from_raw_fd(fd) };
    file.write_all(bytes)?;
    let seals = libc::F_SEAL_SEAL | libc::F_SEAL_SHRINK | libc::F_SEAL_GROW | libc::F_SEAL_WRITE;
    // SAFETY: the descriptor is open; the call takes an integer.
    if unsafe { libc::fcntl(file.as_raw_fd(), libc::F_ADD_SEALS, seals) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;
    use std::fs;

    fn read(name: &CString) -> io::Result<Vec<u8>> {
        fs::read(name.to_str().map_err(io::Error::other)?)
    }

    #[test]
    fn each_name_is_new_and_leads_to_the_copy() {
        let file = sealed(b"bytes", "test").unwrap();
        let mut names = HashSet::new();
        for number in (0..5000).chain([u64::MAX]) {
            let name = spelled(std::process::id(), file.as_raw_fd(), number);
            assert_eq!(read(&name).unwrap(), b"bytes");
            assert!(names.insert(name), "{number}");
        }
    }

    #[test]
    fn a_copy_that_somebody_wrote_to_is_told() {
        let bytes = vec![7; 200_000];
        let copy = |bytes: &[u8]| sealed(bytes, "test").unwrap();
        assert!(holds(&copy(&bytes), &bytes).unwrap());
        for at in [0, 65_536, 199_999] {
            let mut other = bytes.clone();
            other[at] = 8;
            assert!(!holds(&copy(&other), &bytes).unwrap(), "{at}");
        }
        assert!(!holds(&copy(&bytes[1..]), &bytes).unwrap());
        assert!(!holds(&copy(&bytes), &bytes[1..]).unwrap());
        assert!(holds(&copy(&[]), &[]).unwrap());
    }

    #[test]
    fn the_slot_holds_one_copy_after_the_other_and_then_nothing() {
        let mut copies = Copies { named: 0, kept: 0, slot: None };
        let first = copies.fill_slot(&sealed(b"first", "test").unwrap()).unwrap();
        assert_eq!(read(&spelled(std::process::id(), first, 0)).unwrap(), b"first");
        // A constructor of the first opens the second.
        let second = copies.fill_slot(&sealed(b"second", "test").unwrap()).unwrap();
        assert_eq!(first, second);
        assert_eq!(read(&spelled(std::process::id(), first, 1)).unwrap(), b"second");
        copies.empty_slot();
        assert_eq!(read(&spelled(std::process::id(), first, 0)).unwrap(), b"");
        copies.empty_slot();
    }

    #[test]
    fn a_slot_that_somebody_took_is_left_alone() {
        let mut copies = Copies { named: 0, kept: 0, slot: None };
        let first = copies.fill_slot(&sealed(b"first", "test").unwrap()).unwrap();
        let foreign = sealed(b"foreign", "test").unwrap();
        // SAFETY: the slot's descriptor becomes another file's, as in a program that closes all of them.
        assert!(unsafe { libc::dup2(foreign.as_raw_fd(), first) } >= 0);
        copies.empty_slot();
        let name = spelled(std::process::id(), first, 0);
        assert_eq!(read(&name).unwrap(), b"foreign");
        let second = copies.fill_slot(&sealed(b"second", "test").unwrap()).unwrap();
        assert_ne!(first, second);
        assert_eq!(read(&name).unwrap(), b"foreign");
    }
}
