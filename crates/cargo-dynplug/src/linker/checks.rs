//! What is inspected before and after a link. Whatever is found here would otherwise be found by a crash.

use super::arguments::Inputs;
use super::{Link, Role, macho, pe};
use crate::context::Context;
use crate::diagnostic::{Diagnostic, Doing, Result, Span};
use dynplug_manifest::image::Image;
use dynplug_manifest::manifest::{Manifest, Product};
use dynplug_manifest::record::{Kind, Records};
use dynplug_manifest::tables::{RECORDS, Tables};
use object::read::archive::ArchiveFile;
use object::{Object, ObjectComdat, ObjectSection, ObjectSymbol};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::{Path, PathBuf};

/// The code never names the API crate, so rustc links a std of its own.
pub(super) fn api_not_named(inputs: &Inputs, link: &Link, context: &Context) -> Diagnostic {
    let (what, whose) = match link.role {
        Role::Plugin => ("plugin", "src/lib.rs"),
        Role::PluginLibrary => ("library", "src/lib.rs"),
        _ => ("host", "src/main.rs"),
    };
    let api = &context.api;
    let (package, library) = (&link.unit.package, &api.crate_name);
    let why = "rustc does not link a crate that the code never names: this one would get a std, an allocator and statics of its own";
    let naming = format!("add `use {library} as _;` to {whose} of `{package}`");
    if link.role == Role::Plugin && exports(inputs, link).is_ok_and(|count| count == 0) {
        // The attribute names the API crate by itself, so it is what was forgotten.
        let message =
            format!("the plugin `{package}` exports nothing, and never names its API crate `{library}`");
        return Diagnostic::error("api-not-named", message)
            .help("mark what hosts are to find with `#[dynplug::export]`: that names the API crate too")
            .help(format!("or {naming}"))
            .note(why);
    }
    Diagnostic::error(
        "api-not-named",
        format!("the {what} `{package}` never names its API crate `{library}`"),
    )
    .span(own_manifest().and_then(|manifest| {
        Some(Span::of_dependency(&manifest, &api.name)?.labelled("the code never names this"))
    }))
    .note(why)
    .help(naming)
}

/// The `Cargo.toml` of what is compiled.
pub(super) fn own_manifest() -> Option<PathBuf> {
    // cargo tells rustc, and rustc us.
    Some(PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR")?).join("Cargo.toml"))
}

/// std comes from the API library, never a second time from the sysroot.
pub(super) fn no_second_std(inputs: &Inputs, link: &Link, context: &Context) -> Result<()> {
    let is_std =
        |p: &&std::path::PathBuf| p.file_name().is_some_and(|n| n.to_string_lossy().starts_with("libstd-"));
    match inputs.sysroot.iter().find(is_std) {
        Some(_) => Err(api_not_named(inputs, link, context).into()),
        None => Ok(()),
    }
}

/// Checks the names that a plugin's own crate exports, and counts its records.
pub(super) fn exports(inputs: &Inputs, link: &Link) -> Result<usize> {
    let mut seen: BTreeMap<String, (String, Option<Span>)> = BTreeMap::new();
    let mut count = 0;
    for path in &inputs.objects {
        let bytes = std::fs::read(path).doing(format_args!("read {}", path.display()))?;
        let object = object::File::parse(&*bytes).doing(format_args!("read {}", path.display()))?;
        for section in object.sections().filter(|section| section.name() == Ok(RECORDS)) {
            let data = section.data().doing(format_args!("read {}", path.display()))?;
            for record in Records::new(data) {
                let record = record.doing(format_args!("read the exports in {}", path.display()))?;
                count += 1;
                if record.kind == Kind::Init {
                    continue;
                }
                let span = Span::at(Path::new(record.file), record.line as usize, record.column as usize);
                let place = (format!("{}:{}", record.file, record.line), span);
                if let Some(other) = seen.insert(record.name.to_owned(), place.clone()) {
                    let mut places = [other, place];
                    places.sort_by(|(a, _), (b, _)| a.cmp(b));
                    let [(first, first_span), (second, second_span)] = places;
                    return Err(Diagnostic::error(
                        "exported-twice",
                        format!(
                            "the plugin `{}` exports the name `{}` twice",
                            link.unit.package, record.name
                        ),
                    )
                    .span(second_span.map(|span| span.labelled("exported again here")))
                    .span(first_span.map(|span| span.labelled("first exported here").secondary()))
                    .note(format!("at {first} and at {second}"))
                    .help("give one of them another name: `#[export(name = \"…\")]`")
                    .into());
                }
            }
        }
    }
    Ok(count)
}

/// A library with names that others must not define: what it is, and its package.
pub(super) struct Owner<'a>(pub(super) Product, pub(super) &'a str);

impl std::fmt::Display for Owner<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            // There is only one.
            Product::ApiLibrary => write!(f, "{}", self.0),
            product => write!(f, "{product} `{}`", self.1),
        }
    }
}

/// Nothing that goes into a host or plugin may define a name that the API library exports: it would bind to either,
/// and differently from one build to the next. An allocator of one's own is such a name.
pub(super) fn no_shared_names(
    inputs: &Inputs,
    library: &Path,
    owner: &Owner<'_>,
    link: &Link,
    context: &Context,
) -> Result<()> {
    let bytes = std::fs::read(library).doing(format_args!("read the library {}", library.display()))?;
    let image = Image::parse(&bytes).doing(format_args!("read {}", library.display()))?;
    let exported: BTreeSet<&[u8]> = image.defined_symbols().flatten().map(|s| s.name.as_bytes()).collect();
    let whole = format!("the crate `{}`", link.unit.crate_name);
    for path in &inputs.objects {
        let bytes = std::fs::read(path).doing(format_args!("read {}", path.display()))?;
        object_is_apart(&bytes, &exported, owner, &whole, link, context)?;
    }
    let crates = inputs.crates.iter().map(|c| (&c.file, format!("the crate `{}`", c.unit.crate_name)));
    let archives = inputs.archives.iter().map(|a| (a, format!("the library {}", a.display())));
    for (path, name) in crates.chain(archives) {
        let bytes = std::fs::read(path).doing(format_args!("read {}", path.display()))?;
        let archive = ArchiveFile::parse(&*bytes).doing(format_args!("read {}", path.display()))?;
        for member in archive.members() {
            let member = member.doing(format_args!("read {}", path.display()))?;
            let data = member.data(&*bytes).doing(format_args!("read {}", path.display()))?;
            object_is_apart(data, &exported, owner, &name, link, context)?;
        }
    }
    Ok(())
}

fn object_is_apart(
    data: &[u8],
    exported: &BTreeSet<&[u8]>,
    owner: &Owner<'_>,
    place: &str,
    link: &Link,
    context: &Context,
) -> Result<()> {
    // Members that are no objects (metadata) define nothing.
    let Ok(object) = object::File::parse(data) else { return Ok(()) };
    if pe::is_import(&object) {
        return Ok(());
    }
    // On Windows a name that may be defined more than once is in a section that may.
    let is_coff = object.format() == object::BinaryFormat::Coff;
    let repeated: HashSet<_> =
        object.comdats().filter(|_| is_coff).flat_map(|comdat| comdat.sections()).collect();
    for symbol in object.symbols() {
        let Ok(name) = symbol.name_bytes() else { continue };
        // rustc hides the allocator's functions in the crate that has it; they are used all the same.
        let of_the_allocator = name.windows(ALLOCATOR.len()).any(|w| w == ALLOCATOR);
        let seen = !is_hidden(&symbol) || of_the_allocator;
        let repeats = symbol.section_index().is_some_and(|section| repeated.contains(&section));
        let counts = symbol.is_definition() && symbol.is_global() && !symbol.is_weak() && seen && !repeats;
        if !counts || !exported.contains(name) {
            continue;
        }
        let name = String::from_utf8_lossy(name);
        if of_the_allocator {
            if name.contains("rust_alloc") || name.contains("rust_dealloc") || name.contains("rust_realloc") {
                let own = place == format!("the crate `{}`", link.unit.crate_name);
                let span = || Span::of_text(own_manifest()?.parent()?, "#[global_allocator]");
                let span = span().filter(|_| own);
                return Err(own_allocator(place, link, context).span(span).into());
            }
        } else if name.starts_with("_R") || name.starts_with("_ZN") {
            // Names of Rust items carry a hash of their crate: what is equal was instantiated from one source.
            continue;
        }
        let title = &name;
        return Err(Diagnostic::error(
            "shared-name",
            format!("{place} of `{}` defines `{title}`, which the {owner} exports too", link.unit.package),
        )
        .note("one process has one meaning for a C name: which of the two is called would depend on how it was compiled")
        .help(format!("rename it, make it `static` or hidden, or use the one in the {} of `{}`", owner.0, owner.1))
        .into());
    }
    Ok(())
}

/// What the names of rustc's own functions have in common, those of the allocator among them.
const ALLOCATOR: &[u8] = b"7___rustc";

fn is_hidden<'a>(symbol: &impl ObjectSymbol<'a>) -> bool {
    match symbol.flags() {
        object::SymbolFlags::Elf { st_other, .. } => {
            matches!(st_other.visibility(), object::elf::STV_HIDDEN | object::elf::STV_INTERNAL)
        }
        // What an object for Windows defines, others see.
        object::SymbolFlags::CoffSection { .. } | object::SymbolFlags::Coff { .. } => false,
        _ => symbol.scope() != object::SymbolScope::Dynamic,
    }
}

fn own_allocator(place: &str, link: &Link, context: &Context) -> Diagnostic {
    Diagnostic::error(
        "second-allocator",
        format!("{place} of `{}` has a `#[global_allocator]`", link.unit.package),
    )
    .note("one process has one allocator, and the API library has it: memory would be taken from one and given back to the other")
    .help(format!(
        "put the `#[global_allocator]` into the API crate `{}`: there it serves the host and every plugin",
        context.api.name
    ))
}

/// Inspects what was linked: it says who it is, has the soname that it has to have, needs what it has to
/// need, and has lost none of its tables.
pub(super) fn product(output: &Path, manifest: &Manifest, soname: Option<&str>) -> Result<()> {
    let bytes = std::fs::read(output).doing(format_args!("read {}", output.display()))?;
    let image = Image::parse(&bytes).doing(format_args!("inspect {}", output.display()))?;
    let broken = |what: String| broken(output, what);
    match image.manifest() {
        Ok(Some(found)) if found == *manifest => {}
        Ok(Some(_)) => return Err(broken("it carries another manifest than its own".to_owned())),
        Ok(None) => return Err(broken("the linker dropped the manifest".to_owned())),
        Err(e) => return Err(broken(format!("its manifest can't be read: {e}"))),
    }
    if let Some(want) = soname
        && image.soname().map(macho::file_name) != soname
    {
        return Err(broken(format!("its soname is {:?}, want {want}", image.soname())));
    }
    let api = &manifest.api.soname;
    if manifest.product != Product::ApiLibrary && !image.needed().iter().any(|n| macho::file_name(n) == api) {
        return Err(broken(format!("it does not need {api}")));
    }
    Tables::of(&image, manifest).map(drop).map_err(|error| broken(error.to_string()))
}

/// The error of a product that the linker has not made as it was told, which must not look as if it were done.
pub(super) fn broken(output: &Path, what: String) -> Box<Diagnostic> {
    let _ = std::fs::remove_file(output);
    Diagnostic::error("bad-product", format!("{} was not linked as it should be", output.display()))
        .note(what)
        .help("look for linker options (`-C link-arg`, `-C linker`, a linker script) that drop or change sections")
        .into()
}
