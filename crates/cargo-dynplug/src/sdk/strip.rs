//! Libraries without what only debuggers read. An SDK is sent around, and its libraries are linked against; hosts keep
//! their own, with all that they were built with.

use object::build::elf::Builder;
use object::{Object, ObjectSection, ObjectSymbol, elf};

/// The library without debug information and without the names of what it doesn't export; none where it is of a format
/// that this isn't done for.
pub(super) fn stripped(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut builder = Builder::read(bytes).ok()?;
    for section in &mut builder.sections {
        let name = section.name.to_string();
        let is_debug = name.starts_with(".debug_") || name.starts_with(".zdebug_");
        let is_loaded = section.sh_flags.contains(elf::SHF_ALLOC);
        let is_names = section.sh_type == elf::SHT_SYMTAB || name == ".strtab";
        section.delete = !is_loaded && (is_debug || is_names);
    }
    builder.symbols.iter_mut().for_each(|symbol| symbol.delete = true);
    builder.delete_orphans();
    let mut out = Vec::new();
    builder.write(&mut out).ok()?;
    // What was only meant to become smaller must not become something else.
    (kept(&out)? == kept(bytes)? && out.len() < bytes.len()).then_some(out)
}

/// What those who link and load a library see of it: the names that it exports, and what is in its sections.
#[derive(PartialEq)]
struct Kept {
    exported: Vec<(Vec<u8>, u64)>,
    loaded: Vec<(u64, u64)>,
    metadata: Option<Vec<u8>>,
}

fn kept(bytes: &[u8]) -> Option<Kept> {
    let file = object::File::parse(bytes).ok()?;
    let symbols = file.dynamic_symbols().filter(|s| !s.is_undefined());
    let mut exported: Vec<_> =
        symbols.map(|s| Some((s.name_bytes().ok()?.to_vec(), s.address()))).collect::<Option<_>>()?;
    exported.sort();
    // The names of what is exported may be stored in fewer bytes.
    let is_loaded = |s: &object::Section<'_, '_>| s.address() != 0 && s.name() != Ok(".dynstr");
    let loaded = file.sections().filter(is_loaded).map(|s| (s.address(), s.size())).collect();
    let metadata = file.section_by_name(".rustc").and_then(|s| s.data().ok()).map(<[u8]>::to_vec);
    Some(Kept { exported, loaded, metadata })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_library_is_left_alone() {
        assert!(stripped(b"").is_none());
        assert!(stripped(b"\x7fELF").is_none());
    }
}
