//! The oldest glibc with which a file works: the highest version among those that its symbols ask for.
//!
//! A program that was linked on a new system asks for the versions of functions that this system had, and the loader of
//! an older one refuses it. This stands in the section `.gnu.version_r`; whatever bytes are there, reading them ends.

use object::elf::{FileHeader32, FileHeader64, VER_FLG_WEAK};
use object::read::elf::{FileHeader, Sym};
use object::{Endianness, FileKind};
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::fmt;

/// A version of glibc, `2.34`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version(pub Vec<u32>);

/// What a file asks of glibc.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Floor {
    /// The oldest version that has all.
    pub version: Version,
    /// What asks for it, sorted: symbols, or a name for what the loader itself must be able to do.
    pub symbols: Vec<String>,
}

/// More versions than this can't be told apart by a file's symbols: they have fifteen bits for it.
const MOST: usize = 1 << 15;

/// What the loader itself must be able to do, which files ask for as if it were a version.
const ABILITIES: [(&[u8], &[u32]); 1] = [(b"GLIBC_ABI_DT_RELR", &[2, 36])];

impl Floor {
    /// Finds it in the bytes of a file; none where it asks for no version of glibc, or is no ELF file.
    ///
    /// # Errors
    /// When the tables can't be read; in words.
    pub fn of(bytes: &[u8]) -> Result<Option<Floor>, String> {
        match FileKind::parse(bytes) {
            Ok(FileKind::Elf64) => read::<FileHeader64<Endianness>>(bytes),
            Ok(FileKind::Elf32) => read::<FileHeader32<Endianness>>(bytes),
            _ => Ok(None),
        }
    }
}

impl Version {
    /// The version in a name such as `GLIBC_2.34`.
    fn of(name: &[u8]) -> Option<Version> {
        if let Some((_, version)) = ABILITIES.iter().find(|(ability, _)| *ability == name) {
            return Some(Version(version.to_vec()));
        }
        let text = std::str::from_utf8(name.strip_prefix(b"GLIBC_")?).ok()?;
        let parts: Option<Vec<u32>> = text.split('.').map(|part| part.parse().ok()).collect();
        parts.filter(|parts| parts.len() <= 4).map(Version)
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.cmp(&other.0)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<String> = self.0.iter().map(u32::to_string).collect();
        f.write_str(&parts.join("."))
    }
}

/// Why a file can't be read, in words.
struct Damage(String);

impl From<object::read::Error> for Damage {
    fn from(error: object::read::Error) -> Self {
        Damage(error.to_string())
    }
}

fn read<Elf: FileHeader<Endian = Endianness>>(bytes: &[u8]) -> Result<Option<Floor>, String> {
    read_tables::<Elf>(bytes).map_err(|Damage(why)| format!("the table of versions can't be read: {why}"))
}

fn read_tables<Elf: FileHeader<Endian = Endianness>>(bytes: &[u8]) -> Result<Option<Floor>, Damage> {
    let header = Elf::parse(bytes)?;
    let endian = header.endian()?;
    let sections = header.sections(endian, bytes)?;
    let Some((needs, link)) = sections.gnu_verneed(endian, bytes)? else { return Ok(None) };
    let strings = sections.strings(endian, bytes, link)?;
    let mut highest: Option<Version> = None;
    // The indices by which symbols name that version, and what asks for it without a symbol.
    let (mut indices, mut symbols) = (Vec::new(), Vec::new());
    let mut left = MOST;
    for need in needs {
        let (_, entries) = need?;
        for entry in entries {
            let entry = entry?;
            // Entries may overlap, so their number isn't bounded by the file's size.
            left = left.saturating_sub(1);
            if left == 0 {
                return Err(Damage(format!("want at most {MOST} versions")));
            }
            // The loader lets it pass if nobody has one that is asked for weakly.
            if entry.vna_flags.get(endian).contains(VER_FLG_WEAK) {
                continue;
            }
            let name = entry.name(endian, strings)?;
            let Some(version) = Version::of(name) else { continue };
            match highest.as_ref().map_or(Ordering::Greater, |highest| version.cmp(highest)) {
                Ordering::Less => continue,
                Ordering::Equal => {}
                Ordering::Greater => {
                    indices.clear();
                    symbols.clear();
                    highest = Some(version);
                }
            }
            indices.push(entry.vna_other.get(endian));
            if ABILITIES.iter().any(|(ability, _)| *ability == name) {
                symbols.push(String::from_utf8_lossy(name).into_owned());
            }
        }
    }
    let Some(version) = highest else { return Ok(None) };
    if let Some((versions, link)) = sections.gnu_versym(endian, bytes)? {
        let table = sections.symbol_table_by_index(endian, bytes, link)?;
        for (symbol, of) in table.iter().zip(versions) {
            if indices.contains(&of.0.get(endian).index()) {
                symbols.push(String::from_utf8_lossy(symbol.name(endian, table.strings())?).into_owned());
            }
        }
    }
    symbols.sort();
    symbols.dedup();
    Ok(Some(Floor { version, symbols }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_ordered_by_their_numbers() {
        let version = |name: &str| Version::of(name.as_bytes());
        assert_eq!(version("GLIBC_2.34").unwrap().to_string(), "2.34");
        assert!(version("GLIBC_2.4") < version("GLIBC_2.34"));
        assert!(version("GLIBC_2.2.5") < version("GLIBC_2.3"));
        assert_eq!(version("GLIBC_ABI_DT_RELR").unwrap().to_string(), "2.36");
        for name in ["GLIBC_PRIVATE", "GCC_3.0", "GLIBC_", "GLIBC_2.x", "GLIBC_1.2.3.4.5"] {
            assert_eq!(version(name), None, "{name}");
        }
    }

    #[test]
    fn damaged_tables_end_in_an_error_or_a_version_and_never_in_a_panic() {
        let Ok(program) = std::env::current_exe().and_then(std::fs::read) else { return };
        // All that matters lies at the beginning; the rest is debug information. The headers of sections lie at the end.
        let floor = Floor::of(&program);
        let sections = match object::elf::FileHeader64::<Endianness>::parse(&*program) {
            Ok(header) => header.e_shoff(header.endian().unwrap()) as usize,
            Err(_) => return,
        };
        assert!(floor.is_ok());
        // Bytes of the section headers, each another number; the numbers of sections and of their places, too.
        let mut changed = program.clone();
        for at in (sections..program.len().min(sections + 64 * 12)).chain(0x28..0x40) {
            for value in [0, 1, 0x7f, 0xff] {
                changed[at] = value;
                let _ = Floor::of(&changed);
            }
            changed[at] = program[at];
        }
        assert_eq!(Floor::of(&changed), floor);
        for length in 0..256.min(program.len()) {
            let _ = Floor::of(&program[..length]);
        }
    }
}
