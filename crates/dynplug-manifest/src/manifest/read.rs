//! Reading a manifest, whatever the bytes are.
//!
//! Nothing is believed before it is checked: lengths are compared with what is there, lists grow by what was
//! read and never by a number that was claimed, so memory stays within a small multiple of the input.

use super::{
    CrateInfo, DecodeError, HEADER_LEN, LibraryReference, MAGIC, MAX_CRATES, MAX_LEN, MAX_LIBRARIES,
    MAX_TEXT, Manifest, Product, VERSION, crate_tag, library_tag, tag,
};
use crate::Identity;
use crate::reader::Reader;

impl Manifest {
    /// Reads a manifest.
    ///
    /// Zero bytes behind it are ignored, since linkers fill up sections with them.
    ///
    /// # Errors
    ///
    /// A [`DecodeError`] for everything that `encode` or a later version of it would not have
    /// written. It never panics and never allocates by a length that the bytes claim.
    pub fn decode(bytes: &[u8]) -> Result<Manifest, DecodeError> {
        let fields = Fields { reader: Reader::new(body(bytes)?), offset: HEADER_LEN };
        let mut once = Once { names: &MANIFEST, repeated: REPEATED, seen: 0 };
        let mut manifest = Manifest {
            product: Product::Plugin,
            package: String::new(),
            version: String::new(),
            crate_name: String::new(),
            tool: String::new(),
            rustc: String::new(),
            target: String::new(),
            profile: String::new(),
            cpu_features: Vec::new(),
            id: Identity::ZERO,
            api: no_library(),
            crates: Vec::new(),
            libraries: Vec::new(),
            with_sdk: false,
            records: 0,
        };
        for field in fields {
            let field = field?;
            let name = once.name(field.tag)?;
            match field.tag {
                tag::PRODUCT => manifest.product = product(name, field)?,
                tag::PACKAGE => text(name, field, &mut manifest.package)?,
                tag::VERSION => text(name, field, &mut manifest.version)?,
                tag::CRATE_NAME => text(name, field, &mut manifest.crate_name)?,
                tag::TOOL => text(name, field, &mut manifest.tool)?,
                tag::RUSTC => text(name, field, &mut manifest.rustc)?,
                tag::TARGET => text(name, field, &mut manifest.target)?,
                tag::PROFILE => text(name, field, &mut manifest.profile)?,
                tag::CPU_FEATURES => one_more(name, field, &mut manifest.cpu_features)?,
                tag::ID => array(name, field, &mut manifest.id.0)?,
                tag::API => read_library(field, &API, &mut manifest.api)?,
                tag::CRATES => {
                    if manifest.crates.len() == MAX_CRATES {
                        return Err(DecodeError::TooMany { field: name, limit: MAX_CRATES });
                    }
                    manifest.crates.push(CrateInfo {
                        package: String::new(),
                        version: String::new(),
                        crate_name: String::new(),
                        source: String::new(),
                        features: Vec::new(),
                        shared: false,
                        id: [0; 16],
                        content: [0; 32],
                        code: [0; 32],
                        dependencies: Vec::new(),
                        settings: Vec::new(),
                    });
                    if let Some(info) = manifest.crates.last_mut() {
                        read_crate(field, info)?;
                    }
                }
                tag::LIBRARIES => {
                    if manifest.libraries.len() == MAX_LIBRARIES {
                        return Err(DecodeError::TooMany { field: name, limit: MAX_LIBRARIES });
                    }
                    let mut library = no_library();
                    read_library(field, &LIBRARY, &mut library)?;
                    manifest.libraries.push(library);
                }
                tag::WITH_SDK => manifest.with_sdk = boolean(name, field)?,
                tag::RECORDS => {
                    let mut bytes = [0; 4];
                    array(name, field, &mut bytes)?;
                    manifest.records = u32::from_le_bytes(bytes);
                }
                _ => {}
            }
        }
        check_dependencies(&manifest.crates)?;
        once.complete()?;
        Ok(manifest)
    }
}

/// The names of the fields, each in the place of its tag, which is counted from 1.
const MANIFEST: [&str; 15] = [
    "product",
    "package",
    "version",
    "crate_name",
    "tool",
    "rustc",
    "target",
    "profile",
    "cpu_features",
    "id",
    "api",
    "crates",
    "libraries",
    "with_sdk",
    "records",
];

/// The fields of a manifest that may stand any number of times.
const REPEATED: &[u16] = &[tag::CPU_FEATURES, tag::CRATES, tag::LIBRARIES];

const API: [&str; 5] = ["api.package", "api.version", "api.crate_name", "api.soname", "api.identity"];

const LIBRARY: [&str; 5] = [
    "libraries.package",
    "libraries.version",
    "libraries.crate_name",
    "libraries.soname",
    "libraries.identity",
];

const CRATE: [&str; 11] = [
    "crates.package",
    "crates.version",
    "crates.crate_name",
    "crates.source",
    "crates.features",
    "crates.shared",
    "crates.id",
    "crates.content",
    "crates.dependencies",
    "crates.settings",
    "crates.code",
];

/// Checks the header and returns the bytes of the fields.
fn body(bytes: &[u8]) -> Result<&[u8], DecodeError> {
    let short = || DecodeError::Truncated { have: bytes.len(), want: HEADER_LEN };
    let known = bytes.len().min(MAGIC.len());
    if bytes.get(..known) != MAGIC.get(..known) {
        return Err(DecodeError::NotAManifest);
    }
    let mut header = Reader::new(bytes);
    header.skip(MAGIC.len()).ok_or_else(short)?;
    let have = header.u16().ok_or_else(short)?;
    // Before anything else: what comes after may mean something else in a later version.
    let want = header.u16().ok_or_else(short)?;
    if want > VERSION {
        return Err(DecodeError::TooNew { have: VERSION, want });
    }
    if have < VERSION {
        return Err(DecodeError::TooOld { have, want: VERSION });
    }
    let len = header.u32().ok_or_else(short)?;
    let want = usize::try_from(len).unwrap_or(usize::MAX);
    if !(HEADER_LEN..=MAX_LEN).contains(&want) {
        return Err(DecodeError::Length { len });
    }
    let (manifest, padding) =
        bytes.split_at_checked(want).ok_or(DecodeError::Truncated { have: bytes.len(), want })?;
    if padding.iter().any(|&byte| byte != 0) {
        return Err(DecodeError::Trailing { offset: want, count: padding.len() });
    }
    manifest.get(HEADER_LEN..).ok_or_else(short)
}

fn no_library() -> LibraryReference {
    LibraryReference {
        package: String::new(),
        version: String::new(),
        crate_name: String::new(),
        soname: String::new(),
        identity: Identity::ZERO,
    }
}

fn read_library(
    field: Field<'_>,
    names: &'static [&'static str],
    library: &mut LibraryReference,
) -> Result<(), DecodeError> {
    let mut once = Once { names, repeated: &[], seen: 0 };
    for field in field.fields() {
        let field = field?;
        let name = once.name(field.tag)?;
        match field.tag {
            library_tag::PACKAGE => text(name, field, &mut library.package)?,
            library_tag::VERSION => text(name, field, &mut library.version)?,
            library_tag::CRATE_NAME => text(name, field, &mut library.crate_name)?,
            library_tag::SONAME => text(name, field, &mut library.soname)?,
            library_tag::IDENTITY => array(name, field, &mut library.identity.0)?,
            _ => {}
        }
    }
    once.complete()
}

fn read_crate(field: Field<'_>, info: &mut CrateInfo) -> Result<(), DecodeError> {
    let mut once = Once { names: &CRATE, repeated: &[crate_tag::FEATURES, crate_tag::SETTINGS], seen: 0 };
    for field in field.fields() {
        let field = field?;
        let name = once.name(field.tag)?;
        match field.tag {
            crate_tag::PACKAGE => text(name, field, &mut info.package)?,
            crate_tag::VERSION => text(name, field, &mut info.version)?,
            crate_tag::CRATE_NAME => text(name, field, &mut info.crate_name)?,
            crate_tag::SOURCE => text(name, field, &mut info.source)?,
            crate_tag::FEATURES => one_more(name, field, &mut info.features)?,
            crate_tag::SHARED => info.shared = boolean(name, field)?,
            crate_tag::ID => array(name, field, &mut info.id)?,
            crate_tag::CONTENT => array(name, field, &mut info.content)?,
            crate_tag::CODE => array(name, field, &mut info.code)?,
            crate_tag::DEPENDENCIES => info.dependencies = indices(name, field)?,
            crate_tag::SETTINGS => info.settings.push(setting(name, field)?),
            _ => {}
        }
    }
    once.complete()
}

/// Every index names a crate, and following them always ends.
fn check_dependencies(crates: &[CrateInfo]) -> Result<(), DecodeError> {
    let mut dependents = vec![Vec::new(); crates.len()];
    let mut open = Vec::with_capacity(crates.len());
    for (i, info) in crates.iter().enumerate() {
        for &index in &info.dependencies {
            usize::try_from(index).ok().and_then(|index| dependents.get_mut(index)).map_or(
                Err(DecodeError::Dependency { crate_index: i, index, crates: crates.len() }),
                |list| {
                    list.push(i);
                    Ok(())
                },
            )?;
        }
        open.push(info.dependencies.len());
    }
    // Takes away the crates all of whose dependencies are taken away, until there are none.
    let mut ready: Vec<usize> = (0..crates.len()).filter(|&i| open.get(i) == Some(&0)).collect();
    while let Some(done) = ready.pop() {
        for &dependent in dependents.get(done).into_iter().flatten() {
            if let Some(count) = open.get_mut(dependent) {
                *count -= 1;
                if *count == 0 {
                    ready.push(dependent);
                }
            }
        }
    }
    // Those that are left depend on one that is left: as many steps as there are crates end within a cycle.
    let is_left = |i: &usize| open.get(*i).is_some_and(|&count| count != 0);
    let Some(mut left) = (0..crates.len()).find(is_left) else { return Ok(()) };
    for _ in 0..crates.len() {
        let below = crates.get(left).into_iter().flat_map(|info| &info.dependencies);
        left = below.filter_map(|&index| usize::try_from(index).ok()).find(is_left).unwrap_or(left);
    }
    let crate_name = crates.get(left).map(|info| info.crate_name.clone()).unwrap_or_default();
    Err(DecodeError::Cycle { crate_index: left, crate_name })
}

/// A field, and where in the manifest its bytes begin.
#[derive(Clone, Copy)]
struct Field<'a> {
    tag: u16,
    bytes: &'a [u8],
    offset: usize,
}

impl<'a> Field<'a> {
    /// The fields within this one.
    fn fields(self) -> Fields<'a> {
        Fields { reader: Reader::new(self.bytes), offset: self.offset }
    }
}

/// The fields of some bytes, one after the other; an error is the last.
struct Fields<'a> {
    reader: Reader<'a>,
    offset: usize,
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<Field<'a>, DecodeError>;

    #[inline(never)]
    fn next(&mut self) -> Option<Self::Item> {
        if self.reader.is_empty() {
            return None;
        }
        let start = self.offset;
        let mut field = || {
            let tag = self.reader.u16()?;
            let bytes = self.reader.prefixed()?;
            let offset = self.offset + 6;
            self.offset = offset + bytes.len();
            Some(Field { tag, bytes, offset })
        };
        let field = field();
        if field.is_none() {
            self.reader = Reader::new(&[]);
        }
        Some(field.ok_or(DecodeError::Overrun { offset: start }))
    }
}

/// Which fields of one level of the format were there.
struct Once {
    /// By tag, from 1 on.
    names: &'static [&'static str],
    /// The tags of the fields that may stand any number of times.
    repeated: &'static [u16],
    /// One bit for each tag.
    seen: u32,
}

impl Once {
    /// The name of the field with that tag, which is there now; empty for one that is unknown.
    #[inline(never)]
    fn name(&mut self, tag: u16) -> Result<&'static str, DecodeError> {
        let place = usize::from(tag).checked_sub(1);
        let Some(field) = place.and_then(|place| self.names.get(place).copied()) else { return Ok("") };
        let bit = 1 << tag;
        if self.seen & bit != 0 && !self.repeated.contains(&tag) {
            return Err(DecodeError::Duplicate { field });
        }
        self.seen |= bit;
        Ok(field)
    }

    /// Whether all those were there that have to be.
    #[inline(never)]
    fn complete(&self) -> Result<(), DecodeError> {
        for (tag, &field) in (1..).zip(self.names) {
            if self.seen & (1 << tag) == 0 && !self.repeated.contains(&tag) {
                return Err(DecodeError::Missing { field });
            }
        }
        Ok(())
    }
}

// What follows is called for many fields, and lies in every host: one copy of each is enough.

#[inline(never)]
fn text(name: &'static str, field: Field<'_>, to: &mut String) -> Result<(), DecodeError> {
    *to = text_of(name, field.bytes)?;
    Ok(())
}

#[inline(never)]
fn one_more(name: &'static str, field: Field<'_>, to: &mut Vec<String>) -> Result<(), DecodeError> {
    to.push(text_of(name, field.bytes)?);
    Ok(())
}

#[inline(never)]
fn text_of(name: &'static str, bytes: &[u8]) -> Result<String, DecodeError> {
    if bytes.len() > MAX_TEXT {
        return Err(DecodeError::TooLong { field: name, have: bytes.len(), limit: MAX_TEXT });
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.to_owned()),
        Err(_) => Err(DecodeError::Text { field: name }),
    }
}

#[inline(never)]
fn array(name: &'static str, field: Field<'_>, to: &mut [u8]) -> Result<(), DecodeError> {
    let (have, want) = (field.bytes.len(), to.len());
    if have != want {
        return Err(DecodeError::Size { field: name, have, want });
    }
    to.copy_from_slice(field.bytes);
    Ok(())
}

fn product(name: &'static str, field: Field<'_>) -> Result<Product, DecodeError> {
    let mut byte = [0];
    array(name, field, &mut byte)?;
    match byte {
        [0] => Ok(Product::Plugin),
        [1] => Ok(Product::ApiLibrary),
        [2] => Ok(Product::Host),
        [3] => Ok(Product::PluginLibrary),
        [value] => Err(DecodeError::Value { field: name, value }),
    }
}

fn boolean(name: &'static str, field: Field<'_>) -> Result<bool, DecodeError> {
    let mut byte = [0];
    array(name, field, &mut byte)?;
    match byte {
        [0] => Ok(false),
        [1] => Ok(true),
        [value] => Err(DecodeError::Value { field: name, value }),
    }
}

#[inline(never)]
fn indices(name: &'static str, field: Field<'_>) -> Result<Vec<u32>, DecodeError> {
    let (indices, rest) = field.bytes.as_chunks::<4>();
    if !rest.is_empty() {
        let have = field.bytes.len();
        return Err(DecodeError::Size { field: name, have, want: have - rest.len() });
    }
    Ok(indices.iter().map(|&bytes| u32::from_le_bytes(bytes)).collect())
}

#[inline(never)]
fn setting(name: &'static str, field: Field<'_>) -> Result<(String, String), DecodeError> {
    let mut reader = Reader::new(field.bytes);
    let key = reader.prefixed().ok_or(DecodeError::Overrun { offset: field.offset })?;
    Ok((text_of(name, key)?, text_of(name, reader.rest())?))
}
