//! How many exports and init functions a product has: its manifest says so, by which whoever opens it sees whether it has lost
//! any. They are counted before the link in what comes in. Whether the linker leaves out some of that is known only
//! afterwards, and then the product is linked a second time, with a manifest that says what is there.

use super::arguments::{Arguments, Inputs};
use super::{checks, note};
use crate::diagnostic::{Doing, Result};
use dynplug_manifest::image::Image;
use dynplug_manifest::manifest::Manifest;
use dynplug_manifest::record::Records;
use dynplug_manifest::tables::{self, RECORDS};
use object::read::archive::ArchiveFile;
use object::{Object, ObjectSection};
use std::path::Path;

/// Links a product with its manifest, which gets the number of records. `call` is one call of the linker. Returns the
/// linker's exit code.
pub(super) fn link(
    manifest: &mut Manifest,
    arguments: &mut Arguments,
    inputs: &Inputs,
    call: impl Fn(&Arguments) -> Result<i32>,
) -> Result<i32> {
    let own = of_objects(inputs)?;
    manifest.records = own + of_crates(inputs)?;
    let note = note::object(manifest, inputs)?;
    arguments.words.push(note.path().into());
    let code = call(arguments)?;
    if code != 0 {
        return Ok(code);
    }
    let output = arguments.output().unwrap_or_default();
    let linked = of_product(&output)?;
    if linked == manifest.records {
        return Ok(0);
    }
    if linked < own {
        let lost = format!("of the crate's {own} exports and init functions it has {linked}");
        return Err(checks::broken(&output, lost));
    }
    manifest.records = linked;
    note::write(note.path(), manifest, inputs)?;
    call(arguments)
}

/// The records in the objects of the crate that is linked.
fn of_objects(inputs: &Inputs) -> Result<u32> {
    let mut count = 0;
    for file in &inputs.objects {
        let bytes = std::fs::read(file).doing(format_args!("read {}", file.display()))?;
        count += of_object(&bytes);
    }
    Ok(count)
}

/// The records in the crates that are linked into it.
fn of_crates(inputs: &Inputs) -> Result<u32> {
    let mut count = 0;
    for file in inputs.crates.iter().map(|c| &c.file) {
        let what = format!("read {}", file.display());
        let bytes = std::fs::read(file).doing(&what)?;
        let archive = ArchiveFile::parse(&*bytes).doing(&what)?;
        for member in archive.members() {
            count += of_object(member.doing(&what)?.data(&*bytes).doing(&what)?);
        }
    }
    Ok(count)
}

/// Those of one object; a member of a library that is none has none.
fn of_object(bytes: &[u8]) -> u32 {
    let Ok(object) = object::File::parse(bytes) else { return 0 };
    let sections = object.sections().filter(|section| section.name() == Ok(RECORDS));
    sections.map(|section| count(Records::new(section.data().unwrap_or_default()))).sum()
}

fn of_product(file: &Path) -> Result<u32> {
    let bytes = std::fs::read(file).doing(format_args!("read {}", file.display()))?;
    let image = Image::parse(&bytes).doing(format_args!("inspect {}", file.display()))?;
    Ok(count(tables::records(&image)))
}

/// As many as can be read; one that can't be is told where the product is inspected.
fn count(records: Records<'_>) -> u32 {
    u32::try_from(records.map_while(std::result::Result::ok).count()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use dynplug_manifest::record::{Fields, Kind, encode, encoded_len};
    use object::write::Object as Written;
    use object::{Architecture, BinaryFormat, Endianness, SectionKind};
    use std::cell::RefCell;

    const FIELDS: Fields<'static> = Fields {
        kind: Kind::Function,
        flags: 0,
        line: 1,
        column: 1,
        obstacles: 0,
        name: "f",
        signature: "fn f()",
        docs: "",
        package: "hello",
        version: "0.1.0",
        module: "hello",
        file: "src/lib.rs",
        below: "",
    };

    /// An object with so many records.
    fn object(records: usize) -> Vec<u8> {
        let mut object = Written::new(BinaryFormat::Elf, Architecture::X86_64, Endianness::Little);
        let section = object.add_section(Vec::new(), RECORDS.into(), SectionKind::ReadOnlyData);
        let record: [u8; encoded_len(&FIELDS)] = encode(&FIELDS);
        object.append_section_data(section, &record.repeat(records), 1);
        object.write().unwrap()
    }

    /// Links what has one record of its own to products with so many, one for each call of the linker; the manifests that
    /// it is given say so many.
    fn linked(products: &[usize]) -> (Result<i32>, Vec<u32>) {
        let folder = tempfile::tempdir().unwrap();
        let (input, output) = (folder.path().join("own.o"), folder.path().join("product"));
        std::fs::write(&input, object(1)).unwrap();
        let inputs = Inputs { objects: vec![input], ..Inputs::default() };
        let mut arguments = Arguments { words: vec!["-o".into(), output.clone().into()] };
        let told = RefCell::new(Vec::new());
        let outcome = link(&mut note::tests::manifest(), &mut arguments, &inputs, |arguments| {
            let note = std::fs::read(arguments.words.last().unwrap()).unwrap();
            let manifest = Image::parse(&note).unwrap().manifest().unwrap().unwrap();
            let mut told = told.borrow_mut();
            std::fs::write(&output, object(products[told.len()])).unwrap();
            told.push(manifest.records);
            Ok(0)
        });
        assert_eq!(output.exists(), outcome.is_ok());
        (outcome, told.into_inner())
    }

    // C15
    #[test]
    fn the_manifest_says_how_many_records_were_linked() {
        let (outcome, told) = linked(&[1]);
        assert_eq!((outcome.ok(), told), (Some(0), vec![1]));
        let (outcome, told) = linked(&[3, 3]);
        assert_eq!((outcome.ok(), told), (Some(0), vec![1, 3]));
    }

    // C15
    #[test]
    fn a_linker_that_drops_a_crates_own_exports_is_an_error() {
        let (outcome, told) = linked(&[0]);
        assert_eq!(told, [1]);
        assert_eq!(outcome.unwrap_err().code, "bad-product");
    }
}
