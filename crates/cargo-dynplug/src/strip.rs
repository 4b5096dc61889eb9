//! ELF files without what only debuggers read, and that in a file of its own.
//!
//! All that the system's loader maps stays where it is, byte for byte: what is dropped lies behind it, and only the table
//! of sections is written anew. So no tool of the system is needed, files for other machines can be stripped too, and the
//! outcome is the same everywhere.

use object::elf::{
    FileHeader32, FileHeader64, PT_LOAD, PT_PHDR, SHF_ALLOC, SHF_INFO_LINK, SHT_NOBITS, SHT_REL, SHT_RELA,
    SHT_STRTAB, SHT_SYMTAB, SHT_SYMTAB_SHNDX, SectionFlags, SectionType,
};
use object::read::elf::{FileHeader, ProgramHeader, SectionHeader};
use object::{Endian, Endianness, FileKind};
use std::borrow::Cow;

/// How much is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Debug information: what relates code to source.
    DebugInfo,
    /// That, and the names of functions that the file doesn't export.
    Symbols,
}

/// A file, and what was taken out of it.
#[derive(Debug)]
pub struct Apart {
    /// The file without it.
    pub file: Vec<u8>,
    /// What was taken out, as a file in which debuggers look for it; none where there was nothing.
    pub debug: Option<Vec<u8>>,
}

/// Where a file with debug information is looked for.
const BUILD_ID: &[u8] = b".note.gnu.build-id";
/// The section with the name of that file.
const LINK: &[u8] = b".gnu_debuglink";
/// The table of the sections' names.
const NAMES: &[u8] = b".shstrtab";
/// From this number on, numbers of sections stand elsewhere.
const RESERVED: usize = 0xff00;

/// Takes a file apart. With `link`, what is left says that its debug information is in a file of this name.
///
/// # Errors
/// When it is no ELF file, or one of a form that this isn't done for; in words.
pub fn apart(bytes: &[u8], level: Level, link: Option<&str>) -> Result<Apart, String> {
    let file = Elf::read(bytes)?;
    let has_debug = file.sections.iter().any(|s| s.is_dropped(Level::Symbols));
    let debug = has_debug.then(|| file.only_debug()).transpose()?;
    let link = link.filter(|_| has_debug).zip(debug.as_deref());
    let link = link.map(|(name, debug)| file.link_section(name, debug));
    Ok(Apart { file: file.without(level, link)?, debug })
}

/// The build id of a file, as hexadecimal digits: what the linker made of its contents.
pub fn build_id(bytes: &[u8]) -> Option<String> {
    let file = Elf::read(bytes).ok()?;
    let note = file.sections.iter().find(|s| s.name == BUILD_ID)?.data;
    let number = |at: usize| usize::try_from(file.number(note.get(at..at + 4)?)).ok();
    let (name, length) = (number(0)?, number(4)?);
    let start = 12 + name.checked_next_multiple_of(4)?;
    let id = note.get(start..start.checked_add(length)?)?;
    (id.len() > 1).then(|| crate::files::hex(id))
}

/// A file, as far as it matters here.
struct Elf<'a> {
    bytes: &'a [u8],
    wide: bool,
    endian: Endianness,
    /// Where the program headers lie, how large one is, how many there are.
    segments: (usize, usize, usize),
    /// The end of all that is mapped.
    mapped: usize,
    sections: Vec<Section<'a>>,
    /// The index of the table of their names.
    names: usize,
}

#[derive(Clone)]
struct Section<'a> {
    name: &'a [u8],
    kind: SectionType,
    flags: SectionFlags,
    address: u64,
    offset: u64,
    size: u64,
    link: u32,
    info: u32,
    align: u64,
    entry: u64,
    /// None is in the file of those that are only made when it is loaded.
    data: &'a [u8],
}

impl Section<'_> {
    fn is_mapped(&self) -> bool {
        self.flags.contains(SHF_ALLOC)
    }

    fn is_dropped(&self, level: Level) -> bool {
        if self.is_mapped() {
            return false;
        }
        let starts: [&[u8]; 4] = [b".debug_", b".zdebug_", b".stab", b".gdb_index"];
        let is_debug = starts.iter().any(|start| self.name.starts_with(start));
        let is_names = matches!(self.kind, SHT_SYMTAB | SHT_SYMTAB_SHNDX) || self.name == b".strtab";
        // What is moved when the file is linked once more speaks of symbols.
        let is_moves = matches!(self.kind, SHT_REL | SHT_RELA);
        is_debug || (level == Level::Symbols && (is_names || is_moves))
    }
}

impl<'a> Elf<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self, String> {
        match FileKind::parse(bytes) {
            Ok(FileKind::Elf64) => Self::read_as::<FileHeader64<Endianness>>(bytes),
            Ok(FileKind::Elf32) => Self::read_as::<FileHeader32<Endianness>>(bytes),
            _ => Err("it is no ELF file".to_owned()),
        }
    }

    fn read_as<H: FileHeader<Endian = Endianness>>(bytes: &'a [u8]) -> Result<Self, String> {
        let told = |e: object::read::Error| e.to_string();
        let header = H::parse(bytes).map_err(told)?;
        let endian = header.endian().map_err(told)?;
        let table = header.sections(endian, bytes).map_err(told)?;
        let size = |value: u64| usize::try_from(value).map_err(|_| "it is too large".to_owned());
        let mut mapped = usize::from(header.e_ehsize(endian));
        let mut include = |offset: u64, length: u64| {
            mapped = mapped.max(size(offset.checked_add(length).ok_or("it is damaged")?)?);
            Ok::<(), String>(())
        };
        for segment in header.program_headers(endian, bytes).map_err(told)? {
            include(segment.p_offset(endian).into(), segment.p_filesz(endian).into())?;
        }
        let one = usize::from(header.e_phentsize(endian));
        let segments = (size(header.e_phoff(endian).into())?, one, usize::from(header.e_phnum(endian)));
        include(segments.0 as u64, (one * segments.2) as u64)?;
        let mut sections = Vec::new();
        for section in table.iter() {
            let flags = section.sh_flags(endian);
            let kind = section.sh_type(endian);
            let (offset, length) = (section.sh_offset(endian).into(), section.sh_size(endian).into());
            if flags.contains(SHF_ALLOC) && kind != SHT_NOBITS {
                include(offset, length)?;
            }
            sections.push(Section {
                name: table.section_name(endian, section).map_err(told)?,
                kind,
                flags,
                address: section.sh_addr(endian).into(),
                offset,
                size: length,
                link: section.sh_link(endian),
                info: section.sh_info(endian),
                align: section.sh_addralign(endian).into(),
                entry: section.sh_entsize(endian).into(),
                data: section.data(endian, bytes).map_err(told)?,
            });
        }
        if mapped > bytes.len() {
            return Err("it ends early".to_owned());
        }
        if sections.is_empty() || sections.len() >= RESERVED - 2 {
            return Err(format!("it has {} sections", sections.len()));
        }
        if let Some(odd) = sections.iter().find(|s| s.align > 4096) {
            return Err(format!("a section is aligned to {} bytes", odd.align));
        }
        let names = usize::from(header.e_shstrndx(endian).0);
        let wide = header.is_type_64();
        Ok(Elf { bytes, wide, endian, segments, mapped, sections, names })
    }

    /// The section that names the file with the debug information: its name, padded, and a sum over what is in it.
    fn link_section(&self, name: &str, debug: &[u8]) -> Vec<u8> {
        let mut data = name.as_bytes().to_vec();
        data.push(0);
        data.resize(data.len().next_multiple_of(4), 0);
        self.put(&mut data, 4, crc32(debug).into());
        data
    }

    /// The file without what is dropped.
    fn without(&self, level: Level, link: Option<Vec<u8>>) -> Result<Vec<u8>, String> {
        // Each section's new index.
        let mut moved = vec![0u32; self.sections.len()];
        let mut kept: Vec<Section<'_>> = Vec::new();
        for (at, section) in self.sections.iter().enumerate() {
            let goes = section.is_dropped(level) || at == self.names || section.name == LINK;
            if goes && at != 0 {
                continue;
            }
            moved[at] = u32::try_from(kept.len()).map_err(|e| e.to_string())?;
            kept.push(section.clone());
        }
        let of = |old: u32| usize::try_from(old).ok().and_then(|old| moved.get(old)).copied().unwrap_or(0);
        let mut out = self.bytes[..self.mapped].to_vec();
        for section in kept.iter_mut().skip(1) {
            section.link = of(section.link);
            let names_a_section =
                section.flags.contains(SHF_INFO_LINK) || matches!(section.kind, SHT_REL | SHT_RELA);
            if names_a_section {
                section.info = of(section.info);
            }
            if section.is_mapped() {
                continue;
            }
            let data = match section.kind {
                SHT_SYMTAB => Cow::Owned(self.renumbered(section.data, &of)),
                SHT_SYMTAB_SHNDX => return Err("it has too many sections".to_owned()),
                _ => Cow::Borrowed(section.data),
            };
            section.offset = append(&mut out, &data, section.align);
        }
        if let Some(data) = &link {
            let offset = append(&mut out, data, 4);
            let (kind, size) = (object::elf::SHT_PROGBITS, data.len() as u64);
            kept.push(Section { name: LINK, kind, offset, size, align: 4, ..Section::empty() });
        }
        kept.push(Section { name: NAMES, kind: SHT_STRTAB, align: 1, ..Section::empty() });
        let names = kept.len() - 1;
        self.finish(out, kept, names)
    }

    /// The debug information alone: each section and segment is described, and sections have their contents where nothing
    /// of them is mapped.
    fn only_debug(&self) -> Result<Vec<u8>, String> {
        let (at, one, count) = self.segments;
        let end = at + one * count;
        // The file's header lies there even if no segments do.
        let head = self.bytes.get(..end.max(if self.wide { 0x40 } else { 0x34 })).ok_or("it ends early")?;
        let mut out = head.to_vec();
        // Where in an entry stands where in the file the segment begins, and how many bytes it has there.
        let (place, length) = if self.wide { (8..16, 0x20..0x28) } else { (4..8, 0x10..0x14) };
        for segment in out[at..end].chunks_exact_mut(one.max(1)) {
            let field = |range: std::ops::Range<usize>| Some(self.number(segment.get(range)?));
            let kind = field(0..4).ok_or("it is damaged")?;
            // Nothing but the headers is in this file.
            let has = match kind {
                kind if kind == u64::from(PT_PHDR.0) => continue,
                kind if kind == u64::from(PT_LOAD.0) && field(place.clone()) == Some(0) => head.len() as u64,
                _ => 0,
            };
            let mut bytes = Vec::new();
            self.put(&mut bytes, self.word(), has);
            segment.get_mut(length.clone()).ok_or("it is damaged")?.copy_from_slice(&bytes);
        }
        let mut sections = self.sections.clone();
        for (index, section) in sections.iter_mut().enumerate().skip(1) {
            if section.is_mapped() && section.name != BUILD_ID {
                section.kind = SHT_NOBITS;
                section.offset = out.len() as u64;
            } else if index != self.names {
                section.offset = append(&mut out, section.data, section.align);
            }
        }
        self.finish(out, sections, self.names)
    }

    /// Appends the sections' names and the table of sections, and says in the header where it is.
    fn finish(
        &self,
        mut out: Vec<u8>,
        mut sections: Vec<Section<'_>>,
        names: usize,
    ) -> Result<Vec<u8>, String> {
        let (mut text, mut places) = (vec![0], Vec::new());
        for section in &sections {
            places.push(if section.name.is_empty() { 0 } else { text.len() as u64 });
            if !section.name.is_empty() {
                text.extend(section.name);
                text.push(0);
            }
        }
        let offset = append(&mut out, &text, 1);
        let table = sections.get_mut(names).ok_or("its names are not in a section")?;
        (table.offset, table.size) = (offset, text.len() as u64);
        let start = append(&mut out, &[], 8);
        for (section, name) in sections.iter().zip(places) {
            self.put(&mut out, 4, name);
            self.put(&mut out, 4, section.kind.0.into());
            for value in [section.flags.0, section.address, section.offset, section.size] {
                self.put(&mut out, self.word(), value);
            }
            self.put(&mut out, 4, section.link.into());
            self.put(&mut out, 4, section.info.into());
            self.put(&mut out, self.word(), section.align);
            self.put(&mut out, self.word(), section.entry);
        }
        let (place, count, index) = if self.wide { (0x28, 0x3c, 0x3e) } else { (0x20, 0x30, 0x32) };
        for (at, size, value) in
            [(place, self.word(), start), (count, 2, sections.len() as u64), (index, 2, names as u64)]
        {
            let mut field = Vec::new();
            self.put(&mut field, size, value);
            out.get_mut(at..at + size).ok_or("it ends early")?.copy_from_slice(&field);
        }
        Ok(out)
    }

    /// A table of symbols with other numbers for their sections.
    fn renumbered(&self, table: &[u8], of: &impl Fn(u32) -> u32) -> Vec<u8> {
        let (size, place) = if self.wide { (24, 6) } else { (16, 14) };
        let mut out = table.to_vec();
        for symbol in out.chunks_exact_mut(size) {
            let field = &mut symbol[place..place + 2];
            let old = self.number(field);
            // What is reserved means something else than a section.
            if let Some(old) = u32::try_from(old).ok().filter(|old| (*old as usize) < RESERVED) {
                let mut new = Vec::new();
                self.put(&mut new, 2, of(old).into());
                field.copy_from_slice(&new);
            }
        }
        out
    }

    fn word(&self) -> usize {
        if self.wide { 8 } else { 4 }
    }

    /// Reads a number of up to eight bytes.
    fn number(&self, bytes: &[u8]) -> u64 {
        let add = |value: u64, byte: &u8| value << 8 | u64::from(*byte);
        if self.endian.is_big_endian() { bytes.iter().fold(0, add) } else { bytes.iter().rev().fold(0, add) }
    }

    /// Writes a number of two, four or eight bytes.
    fn put(&self, out: &mut Vec<u8>, size: usize, value: u64) {
        let bytes = value.to_le_bytes();
        let bytes = bytes[..size].iter().copied();
        if self.endian.is_big_endian() { out.extend(bytes.rev()) } else { out.extend(bytes) }
    }
}

impl Section<'_> {
    fn empty() -> Self {
        Section {
            name: b"",
            kind: object::elf::SHT_NULL,
            flags: SectionFlags(0),
            address: 0,
            offset: 0,
            size: 0,
            link: 0,
            info: 0,
            align: 0,
            entry: 0,
            data: b"",
        }
    }
}

/// Appends some bytes, aligned. Returns their place.
fn append(out: &mut Vec<u8>, data: &[u8], align: u64) -> u64 {
    let align = usize::try_from(align).unwrap_or(1).max(1);
    out.resize(out.len().next_multiple_of(align), 0);
    let place = out.len() as u64;
    out.extend(data);
    place
}

/// The sum by which debuggers know a file again: that of Ethernet and zip.
fn crc32(bytes: &[u8]) -> u32 {
    let mut table = [0u32; 256];
    for (byte, value) in (0u32..).zip(&mut table) {
        *value = (0..8).fold(byte, |value, _| (value >> 1) ^ (0xedb8_8320 & 0u32.wrapping_sub(value & 1)));
    }
    !bytes.iter().fold(!0u32, |sum, byte| (sum >> 8) ^ table[((sum ^ u32::from(*byte)) & 0xff) as usize])
}

#[cfg(test)]
mod tests {
    use super::*;
    use object::{Object, ObjectSection, ObjectSymbol};

    #[test]
    fn the_sum_is_the_usual_one() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn what_is_mapped_stays_and_the_rest_goes_aside() {
        let Ok(bytes) = std::env::current_exe().and_then(std::fs::read) else { return };
        let Ok(whole) = Elf::read(&bytes) else { return };
        for level in [Level::DebugInfo, Level::Symbols] {
            let Apart { file, debug } = apart(&bytes, level, Some("name.debug")).unwrap();
            let debug = debug.unwrap();
            assert!(file.len() < bytes.len() && file.len() > whole.mapped);
            // But for the three fields of the header.
            assert_eq!(file[0x40..whole.mapped], bytes[0x40..whole.mapped]);
            let (before, after) =
                (object::File::parse(&*bytes).unwrap(), object::File::parse(&*file).unwrap());
            assert!(after.section_by_name(".debug_info").is_none());
            assert_eq!(after.symbols().next().is_some(), level == Level::DebugInfo);
            let (name, sum) = after.gnu_debuglink().unwrap().unwrap();
            assert_eq!((name, sum), (&b"name.debug"[..], crc32(&debug)));
            let debug = object::File::parse(&*debug).unwrap();
            for section in [".debug_info", ".debug_line", ".symtab"] {
                let data =
                    |file: &object::File<'_>| file.section_by_name(section).unwrap().data().unwrap().to_vec();
                assert!(data(&before) == data(&debug), "{section}");
            }
            assert_eq!(debug.section_by_name(".text").unwrap().data().unwrap(), b"");
            assert_eq!(debug.build_id().unwrap(), before.build_id().unwrap());
            assert_eq!(before.build_id().unwrap().map(crate::files::hex), build_id(&bytes));
            if level == Level::DebugInfo {
                let names = |file: &object::File<'_>| -> Vec<(String, u64, Option<String>)> {
                    let section = |s: object::SectionIndex| {
                        file.section_by_index(s).unwrap().name().unwrap().to_owned()
                    };
                    let named = |s: object::Symbol<'_, '_>| {
                        (s.name().unwrap().to_owned(), s.address(), s.section_index().map(section))
                    };
                    file.symbols().map(named).collect()
                };
                assert!(names(&before) == names(&after));
            }
            // Once more changes nothing: there is nothing to take out any more.
            if level == Level::Symbols {
                assert!(apart(&file, level, None).unwrap().debug.is_none());
            }
        }
    }

    #[test]
    fn damaged_files_end_in_an_error_or_a_file_and_never_in_a_panic() {
        for bytes in [&b""[..], b"\x7fELF", b"text"] {
            assert!(apart(bytes, Level::Symbols, None).is_err());
        }
        let Ok(bytes) = std::env::current_exe().and_then(std::fs::read) else { return };
        let Ok(whole) = Elf::read(&bytes) else { return };
        // A small file of the same kind: without what is mapped behind the headers.
        let mut small = whole.only_debug().unwrap();
        for at in 0..0x40 + 56 * 4 {
            let old = small[at];
            for value in [0, 1, 0x7f, 0x80, 0xff] {
                small[at] = value;
                if at % 8 == 0 || at < 0x40 {
                    let _ = apart(&small, Level::Symbols, None);
                    let _ = build_id(&small);
                }
            }
            small[at] = old;
        }
    }
}
