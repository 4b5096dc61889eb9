//! Reading a manifest, whatever the bytes are.
//!
//! Nothing is believed before it is checked: lengths are compared with what is there, lists grow by what was
//! read and never by a number that was claimed, so memory stays within a small multiple of the input.

use super::{
    ApiReference, CrateInfo, DecodeError, HEADER_LEN, MAGIC, MAX_CRATES, MAX_LEN, MAX_TEXT, Manifest,
    Product, VERSION, api_tag, crate_tag, tag,
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
    /// A [`DecodeError`] for everything that [`encode`](Self::encode) or a later version of it would not have
    /// written. It never panics and never allocates by a length that the bytes claim.
    pub fn decode(bytes: &[u8]) -> Result<Manifest, DecodeError> {
        let fields = Fields { reader: Reader::new(body(bytes)?), offset: HEADER_LEN };

        let mut product = Slot::new("product");
        let mut package = Slot::new("package");
        let mut version = Slot::new("version");
        let mut crate_name = Slot::new("crate_name");
        let mut tool = Slot::new("tool");
        let mut rustc = Slot::new("rustc");
        let mut target = Slot::new("target");
        let mut profile = Slot::new("profile");
        let mut cpu_features = Vec::new();
        let mut id = Slot::new("id");
        let mut api = Slot::new("api");
        let mut crates = Vec::new();
        for field in fields {
            let field = field?;
            match field.tag {
                tag::PRODUCT => product.fill(field, read_product)?,
                tag::PACKAGE => package.fill(field, text)?,
                tag::VERSION => version.fill(field, text)?,
                tag::CRATE_NAME => crate_name.fill(field, text)?,
                tag::TOOL => tool.fill(field, text)?,
                tag::RUSTC => rustc.fill(field, text)?,
                tag::TARGET => target.fill(field, text)?,
                tag::PROFILE => profile.fill(field, text)?,
                tag::CPU_FEATURES => cpu_features.push(text("cpu_features", field)?),
                tag::ID => id.fill(field, identity)?,
                tag::API => api.fill(field, read_api)?,
                tag::CRATES => {
                    if crates.len() == MAX_CRATES {
                        return Err(DecodeError::TooMany { field: "crates", limit: MAX_CRATES });
                    }
                    crates.push(read_crate(field)?);
                }
                _ => {}
            }
        }
        check_dependencies(&crates)?;
        Ok(Manifest {
            product: product.take()?,
            package: package.take()?,
            version: version.take()?,
            crate_name: crate_name.take()?,
            tool: tool.take()?,
            rustc: rustc.take()?,
            target: target.take()?,
            profile: profile.take()?,
            cpu_features,
            id: id.take()?,
            api: api.take()?,
            crates,
        })
    }
}

/// Checks the header and returns the bytes of the fields.
fn body(bytes: &[u8]) -> Result<&[u8], DecodeError> {
    let short = || DecodeError::Truncated { have: bytes.len(), want: HEADER_LEN };
    let known = bytes.len().min(MAGIC.len());
    if bytes.get(..known) != MAGIC.get(..known) {
        return Err(DecodeError::NotAManifest);
    }
    let mut header = Reader::new(bytes);
    header.skip(MAGIC.len()).ok_or_else(short)?;
    let _version = header.u16().ok_or_else(short)?;
    // Before anything else: what comes after may mean something else in a later version.
    let want = header.u16().ok_or_else(short)?;
    if want > VERSION {
        return Err(DecodeError::TooNew { have: VERSION, want });
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

fn read_product(name: &'static str, field: Field<'_>) -> Result<Product, DecodeError> {
    match array(name, field)? {
        [0] => Ok(Product::Plugin),
        [1] => Ok(Product::ApiLibrary),
        [2] => Ok(Product::Host),
        [value] => Err(DecodeError::Value { field: name, value }),
    }
}

fn read_api(_name: &'static str, field: Field<'_>) -> Result<ApiReference, DecodeError> {
    let mut package = Slot::new("api.package");
    let mut version = Slot::new("api.version");
    let mut crate_name = Slot::new("api.crate_name");
    let mut soname = Slot::new("api.soname");
    let mut api_identity = Slot::new("api.identity");
    for field in field.fields() {
        let field = field?;
        match field.tag {
            api_tag::PACKAGE => package.fill(field, text)?,
            api_tag::VERSION => version.fill(field, text)?,
            api_tag::CRATE_NAME => crate_name.fill(field, text)?,
            api_tag::SONAME => soname.fill(field, text)?,
            api_tag::IDENTITY => api_identity.fill(field, identity)?,
            _ => {}
        }
    }
    Ok(ApiReference {
        package: package.take()?,
        version: version.take()?,
        crate_name: crate_name.take()?,
        soname: soname.take()?,
        identity: api_identity.take()?,
    })
}

fn read_crate(field: Field<'_>) -> Result<CrateInfo, DecodeError> {
    let mut package = Slot::new("crates.package");
    let mut version = Slot::new("crates.version");
    let mut crate_name = Slot::new("crates.crate_name");
    let mut source = Slot::new("crates.source");
    let mut features = Vec::new();
    let mut shared = Slot::new("crates.shared");
    let mut id = Slot::new("crates.id");
    let mut content = Slot::new("crates.content");
    let mut dependencies = Slot::new("crates.dependencies");
    let mut settings = Vec::new();
    for field in field.fields() {
        let field = field?;
        match field.tag {
            crate_tag::PACKAGE => package.fill(field, text)?,
            crate_tag::VERSION => version.fill(field, text)?,
            crate_tag::CRATE_NAME => crate_name.fill(field, text)?,
            crate_tag::SOURCE => source.fill(field, text)?,
            crate_tag::FEATURES => features.push(text("crates.features", field)?),
            crate_tag::SHARED => shared.fill(field, boolean)?,
            crate_tag::ID => id.fill(field, array)?,
            crate_tag::CONTENT => content.fill(field, array)?,
            crate_tag::DEPENDENCIES => dependencies.fill(field, indices)?,
            crate_tag::SETTINGS => settings.push(setting("crates.settings", field)?),
            _ => {}
        }
    }
    Ok(CrateInfo {
        package: package.take()?,
        version: version.take()?,
        crate_name: crate_name.take()?,
        source: source.take()?,
        features,
        shared: shared.take()?,
        id: id.take()?,
        content: content.take()?,
        dependencies: dependencies.take()?,
        settings,
    })
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

/// The place of a field that stands once.
struct Slot<T> {
    name: &'static str,
    value: Option<T>,
}

impl<T> Slot<T> {
    fn new(name: &'static str) -> Slot<T> {
        Slot { name, value: None }
    }

    fn fill<'a>(
        &mut self,
        field: Field<'a>,
        read: impl FnOnce(&'static str, Field<'a>) -> Result<T, DecodeError>,
    ) -> Result<(), DecodeError> {
        if self.value.is_some() {
            return Err(DecodeError::Duplicate { field: self.name });
        }
        self.value = Some(read(self.name, field)?);
        Ok(())
    }

    fn take(self) -> Result<T, DecodeError> {
        self.value.ok_or(DecodeError::Missing { field: self.name })
    }
}

fn text(name: &'static str, field: Field<'_>) -> Result<String, DecodeError> {
    text_of(name, field.bytes)
}

fn text_of(name: &'static str, bytes: &[u8]) -> Result<String, DecodeError> {
    if bytes.len() > MAX_TEXT {
        return Err(DecodeError::TooLong { field: name, have: bytes.len(), limit: MAX_TEXT });
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.to_owned()),
        Err(_) => Err(DecodeError::Text { field: name }),
    }
}

fn array<const N: usize>(name: &'static str, field: Field<'_>) -> Result<[u8; N], DecodeError> {
    let size = |_| DecodeError::Size { field: name, have: field.bytes.len(), want: N };
    <[u8; N]>::try_from(field.bytes).map_err(size)
}

fn identity(name: &'static str, field: Field<'_>) -> Result<Identity, DecodeError> {
    array(name, field).map(Identity)
}

fn boolean(name: &'static str, field: Field<'_>) -> Result<bool, DecodeError> {
    match array(name, field)? {
        [0] => Ok(false),
        [1] => Ok(true),
        [value] => Err(DecodeError::Value { field: name, value }),
    }
}

fn indices(name: &'static str, field: Field<'_>) -> Result<Vec<u32>, DecodeError> {
    let (indices, rest) = field.bytes.as_chunks::<4>();
    if !rest.is_empty() {
        let have = field.bytes.len();
        return Err(DecodeError::Size { field: name, have, want: have - rest.len() });
    }
    Ok(indices.iter().map(|&bytes| u32::from_le_bytes(bytes)).collect())
}

fn setting(name: &'static str, field: Field<'_>) -> Result<(String, String), DecodeError> {
    let mut reader = Reader::new(field.bytes);
    let key = reader.prefixed().ok_or(DecodeError::Overrun { offset: field.offset })?;
    Ok((text_of(name, key)?, text_of(name, reader.rest())?))
}
