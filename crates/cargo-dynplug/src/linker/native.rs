//! C code in shared crates: its names become names of the API library.
//!
//! rustc exports what is Rust's. A plugin that reaches C code of a shared crate through an inline or generic function
//! would miss it when it is linked. So every name that native objects define is exported, the objects are linked whether
//! the library needs them itself or not, and names that were compiled hidden are shown in a copy.

use super::arguments::{Arguments, Inputs};
use super::pe;
use crate::diagnostic::{Doing, Result};
use object::read::archive::ArchiveFile;
use object::read::elf::{ElfFile32, ElfFile64, FileHeader};
use object::{Endianness, Object, ObjectSection, ObjectSymbol, elf};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// What was found, and the copies that stand in for libraries with hidden names.
#[derive(Debug)]
pub(super) struct Native {
    names: BTreeSet<String>,
    replaced: Vec<(PathBuf, PathBuf)>,
    folder: tempfile::TempDir,
}

/// Collects what native objects define; nothing where there are none.
pub(super) fn collect(inputs: &Inputs) -> Result<Option<Native>> {
    let folder = tempfile::tempdir().doing("make a folder for copies of libraries")?;
    let mut native = Native { names: BTreeSet::new(), replaced: Vec::new(), folder };
    let files = inputs.crates.iter().map(|c| &c.file).chain(&inputs.archives);
    for (number, file) in files.enumerate() {
        native.add(file, number)?;
    }
    Ok(Some(native).filter(|n| !n.names.is_empty()))
}

/// Whether a member of a library is none of rustc's.
pub(super) fn is_native(member: &[u8]) -> bool {
    !(member.ends_with(b".rcgu.o") || member.ends_with(b".rmeta") || member == b"lib.rmeta")
}

impl Native {
    fn add(&mut self, file: &Path, number: usize) -> Result<()> {
        let what = format!("read the library {}", file.display());
        let bytes = std::fs::read(file).doing(&what)?;
        let mut patches: Vec<u64> = Vec::new();
        let archive = ArchiveFile::parse(&*bytes).doing(&what)?;
        for member in archive.members() {
            let member = member.doing(&what)?;
            if !is_native(member.name()) {
                continue;
            }
            let (Ok(data), (start, _)) = (member.data(&*bytes), member.file_range()) else { continue };
            let Ok(object) = object::File::parse(data) else { continue };
            if pe::is_import(&object) {
                continue;
            }
            for symbol in object.symbols().filter(|s| s.is_definition() && s.is_global()) {
                // A dot stands before names that the compiler makes for itself.
                if let Some(name) = symbol.name().ok().filter(|name| !name.starts_with('.')) {
                    self.names.insert(name.to_owned());
                }
            }
            patches.extend(hidden(data, &object).into_iter().map(|at| start + at));
        }
        if !patches.is_empty() {
            let mut copy = bytes.clone();
            for at in patches {
                if let Some(byte) = usize::try_from(at).ok().and_then(|at| copy.get_mut(at)) {
                    *byte = (*byte & !3) | PROTECTED;
                }
            }
            // Under its own name, since linkers tell libraries apart by it in messages.
            let to = self.folder.path().join(number.to_string());
            crate::files::make_folder(&to)?;
            let to = to.join(file.file_name().unwrap_or_default());
            std::fs::write(&to, copy).doing(format_args!("write {}", to.display()))?;
            self.replaced.push((file.to_owned(), to));
        }
        Ok(())
    }

    /// What defines these names and nothing else.
    #[cfg(test)]
    pub(super) fn of_names<const N: usize>(names: [&str; N]) -> Native {
        let folder = tempfile::tempdir().unwrap();
        Native { names: names.map(str::to_owned).into(), replaced: Vec::new(), folder }
    }

    /// What the objects define.
    pub(super) fn names(&self) -> &BTreeSet<String> {
        &self.names
    }

    /// The command line with the names exported. With `all`, every object is linked; otherwise those that are needed.
    pub(super) fn apply(&self, arguments: &Arguments, all: bool) -> Result<Vec<OsString>> {
        let mut words = arguments.words.clone();
        for word in &mut words {
            if let Some((_, to)) = self.replaced.iter().find(|(from, _)| from.as_os_str() == word.as_os_str())
            {
                *word = to.into();
            }
        }
        let option = "-Wl,--version-script=";
        for word in &mut words {
            let Some(file) = word.to_str().and_then(|w| w.strip_prefix(option)) else { continue };
            let script = std::fs::read_to_string(file).doing(format_args!("read {file}"))?;
            let to = self.folder.path().join("version-script");
            std::fs::write(&to, self.extended(&script)).doing(format_args!("write {}", to.display()))?;
            *word = format!("{option}{}", to.display()).into();
        }
        if all {
            words.extend(self.names.iter().map(|n| OsString::from(format!("-Wl,-u,{n}"))));
            // An object that is linked only because of us may want what nobody has.
            words.push("-Wl,-z,defs".into());
        } else {
            words.retain(|w| w != "-Wl,--no-undefined-version");
            words.push("-Wl,--undefined-version".into());
        }
        Ok(words)
    }

    /// rustc's version script with our names among the global ones.
    fn extended(&self, script: &str) -> String {
        let names: String = self.names.iter().map(|n| format!("    \"{n}\";\n")).collect();
        match script.find("global:") {
            Some(at) => {
                let (before, after) = script.split_at(at + "global:".len());
                format!("{before}\n{names}{after}")
            }
            None => match script.find('{') {
                Some(at) => {
                    let (before, after) = script.split_at(at + 1);
                    format!("{before}\n  global:\n{names}{after}")
                }
                None => script.to_owned(),
            },
        }
    }
}

const PROTECTED: u8 = 3;

/// Where in an object the visibility of hidden names stands.
fn hidden(data: &[u8], object: &object::File<'_>) -> Vec<u64> {
    fn of<Elf: FileHeader<Endian = Endianness>>(
        file: &object::read::elf::ElfFile<'_, Elf>,
        size: u64,
        other: u64,
    ) -> Vec<u64> {
        let Some(table) = file.sections().find(|s| s.name() == Ok(".symtab")) else { return Vec::new() };
        let Some((start, _)) = table.file_range() else { return Vec::new() };
        let is_hidden = |s: &<object::read::elf::ElfFile<'_, Elf> as Object<'_>>::Symbol<'_>| {
            let object::SymbolFlags::Elf { st_other, .. } = s.flags() else { return false };
            s.is_definition() && s.is_global() && st_other.visibility() == elf::STV_HIDDEN
        };
        file.symbols().filter(is_hidden).map(|s| start + s.index().0 as u64 * size + other).collect()
    }
    if object.format() != object::BinaryFormat::Elf {
        return Vec::new();
    }
    // The sizes and places are those of Elf64_Sym and Elf32_Sym in <elf.h>.
    if object.is_64() {
        ElfFile64::<Endianness>::parse(data).map(|f| of(&f, 24, 5)).unwrap_or_default()
    } else {
        ElfFile32::<Endianness>::parse(data).map(|f| of(&f, 16, 13)).unwrap_or_default()
    }
}
