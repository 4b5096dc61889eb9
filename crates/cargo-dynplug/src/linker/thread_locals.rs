//! Thread-locals of shared crates, reached as fast as in a program without plugins.
//!
//! A shared library may come into a process at any time, so its code asks the system by a call where a thread-local of this thread
//! is (the *general dynamic* model); tokio does so sixteen times for each task. The API library is there when the program
//! starts, and for such a library the place is a fixed distance that the loader knows (*initial exec*). rustc has no
//! stable setting for that. But the linker may put the one in the place of the other, as it does by itself where a program is linked
//! statically: the ABI gives both the same sixteen bytes. So this is done to copies of what is linked.
//!
//! See "Linker optimizations" in [ELF handling for thread-local storage](https://www.uclibc.org/docs/tls.pdf). What isn't exactly
//! of that form is left as it is, and works as well.

use crate::diagnostic::{Doing, Result};
use object::elf::{FileHeader64, R_X86_64_GOTTPOFF, R_X86_64_NONE, R_X86_64_TLSGD, RelocationType};
use object::read::archive::ArchiveFile;
use object::read::elf::{FileHeader, Rela as _, SectionHeader};
use object::{LittleEndian, elf};
use std::ffi::OsString;
use std::path::Path;

/// Puts copies in the place of the objects and libraries in which something can be done. They last as long as the folder.
pub(super) fn bind(words: &mut [OsString]) -> Result<tempfile::TempDir> {
    let folder = tempfile::tempdir().doing("make a folder for copies of objects")?;
    for (number, word) in words.iter_mut().enumerate() {
        let file = Path::new(word.as_os_str());
        let ending = file.extension().and_then(|ending| ending.to_str());
        if !matches!(ending, Some("o" | "rlib" | "a")) || !file.is_file() {
            continue;
        }
        let mut bytes = std::fs::read(file).doing(format_args!("read {}", file.display()))?;
        if !patch(&mut bytes) {
            continue;
        }
        // Under its own name, since linkers tell libraries apart by it in messages.
        let to = folder.path().join(number.to_string());
        crate::files::make_folder(&to)?;
        let to = to.join(file.file_name().unwrap_or_default());
        std::fs::write(&to, bytes).doing(format_args!("write {}", to.display()))?;
        *word = to.into();
    }
    Ok(folder)
}

/// Patches an object, or all objects in a library; whether there was something to do.
fn patch(bytes: &mut [u8]) -> bool {
    let mut members = Vec::new();
    match ArchiveFile::parse(&*bytes) {
        Ok(archive) => members.extend(archive.members().flatten().map(|member| member.file_range())),
        Err(_) => members.push((0, bytes.len() as u64)),
    }
    let mut patches = Vec::new();
    for (start, size) in members {
        let range = usize::try_from(start).ok().zip(usize::try_from(size).ok());
        let Some((start, member)) =
            range.and_then(|(start, size)| Some((start, bytes.get(start..)?.get(..size)?)))
        else {
            continue;
        };
        patches.extend(
            accesses(member).unwrap_or_default().into_iter().map(|of| Patch { at: start + of.at, ..of }),
        );
    }
    for of in &patches {
        if let Some(place) = bytes.get_mut(of.at..of.at + of.bytes.len()) {
            place.copy_from_slice(&of.bytes);
        }
    }
    !patches.is_empty()
}

/// Bytes that are to stand at a place.
struct Patch {
    at: usize,
    bytes: Vec<u8>,
}

/// `lea x@tlsgd(%rip), %rdi`, with a prefix that makes it as long as it has to be; without its last four bytes, which are x.
const ASK: [u8; 4] = [0x66, 0x48, 0x8d, 0x3d];

/// The call that follows it, directly or through a table; without its last four bytes.
const CALLS: [[u8; 4]; 2] = [[0x66, 0x66, 0x48, 0xe8], [0x66, 0x48, 0xff, 0x15]];

/// `mov %fs:0, %rax; add x@gottpoff(%rip), %rax`, whose last four bytes are x.
const KNOW: [u8; 16] = [0x64, 0x48, 0x8b, 0x04, 0x25, 0, 0, 0, 0, 0x48, 0x03, 0x05, 0, 0, 0, 0];

/// What is to be done in an object of x86_64.
fn accesses(data: &[u8]) -> Option<Vec<Patch>> {
    let header = FileHeader64::<LittleEndian>::parse(data).ok()?;
    let endian = header.endian().ok()?;
    if header.e_machine(endian) != elf::EM_X86_64 || header.e_type(endian) != elf::ET_REL {
        return None;
    }
    let sections = header.sections(endian, data).ok()?;
    let mut patches = Vec::new();
    for section in sections.iter() {
        let Ok(Some((entries, _))) = section.rela(endian, data) else { continue };
        let Ok(code) = sections.section(section.info_link(endian)) else { continue };
        let (table, code) = (section.sh_offset(endian), code.file_range(endian));
        let Some((start, size)) = code else { continue };
        for (place, pair) in entries.array_windows::<2>().enumerate() {
            let [of, call] = pair;
            let at = of.r_offset(endian);
            let is_pair = of.r_type(endian, false) == R_X86_64_TLSGD
                && of.r_addend(endian) == -4
                && call.r_offset(endian) == at.checked_add(8)?;
            // The call follows: what it calls, the ABI says.
            let Some(first) = at.checked_sub(4).filter(|first| is_pair && first + 16 <= size) else {
                continue;
            };
            let place_of_code = usize::try_from(start + first).ok()?;
            let now = data.get(place_of_code..)?.first_chunk::<16>()?;
            if now[..4] != ASK || !CALLS.iter().any(|bytes| now[8..12] == *bytes) {
                continue;
            }
            patches.push(Patch { at: place_of_code, bytes: KNOW.to_vec() });
            let symbol = of.r_sym(endian, false);
            let mut both = entry(at + 8, symbol, R_X86_64_GOTTPOFF, -4);
            both.extend(entry(at + 8, 0, R_X86_64_NONE, 0));
            patches.push(Patch { at: usize::try_from(table).ok()? + place * ENTRY, bytes: both });
        }
    }
    Some(patches)
}

/// The size of an `Elf64_Rela`.
const ENTRY: usize = 24;

/// An `Elf64_Rela`.
fn entry(offset: u64, symbol: u32, kind: RelocationType, addend: i64) -> Vec<u8> {
    let info = u64::from(symbol) << 32 | u64::from(kind.0);
    [offset.to_le_bytes(), info.to_le_bytes(), addend.to_le_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    /// An object of a crate with a thread-local that its dependents may use, as rustc makes it for a library.
    #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
    fn object(folder: &Path) -> Vec<u8> {
        let source = folder.join("counter.rs");
        let text = "use std::cell::Cell;\nthread_local! { pub static N: Cell<u64> = const { Cell::new(7) }; }\n\
                    pub fn next() -> u64 { N.with(|n| { n.set(n.get() + 1); n.get() }) }\n\
                    #[inline] pub fn now() -> u64 { N.with(|n| n.get()) }\n";
        std::fs::write(&source, text).expect("the source can be written");
        let object = folder.join("counter.o");
        let mut rustc = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
        rustc.args(["--edition=2024", "--crate-type=lib", "--emit=obj", "-Copt-level=0", "-o"]);
        let made = rustc.arg(&object).arg(&source).output().expect("rustc runs");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        std::fs::read(object).expect("the object is there")
    }

    #[test]
    #[cfg(all(target_arch = "x86_64", target_os = "linux"))]
    fn an_access_by_a_call_becomes_one_by_distance_and_nothing_else_is_touched() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let before = object(folder.path());
        let mut after = before.clone();
        assert!(patch(&mut after), "the object asks for its thread-local");
        assert_eq!(before.len(), after.len());
        assert!(after.windows(12).any(|bytes| *bytes == KNOW[..12]));
        let touched = before.iter().zip(&after).filter(|(a, b)| a != b).count();
        let accesses = accesses(&before).expect("it is an object").len() / 2;
        assert!(touched <= accesses * (KNOW.len() + 2 * ENTRY), "{touched} bytes for {accesses}");
        // There is nothing left to do.
        assert!(!patch(&mut after));
    }

    #[test]
    fn what_is_no_object_is_left_alone() {
        for bytes in [&b""[..], b"!<arch>\n", b"\x7fELF", b"text", &[0; 100]] {
            let mut copy = bytes.to_vec();
            assert!(!patch(&mut copy));
            assert_eq!(copy, bytes);
        }
    }
}
