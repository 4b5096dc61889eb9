//! `cargo dynplug bundle`: a host with its API library, its plugins and the licences of all that is inside, in a folder or
//! one file that runs elsewhere; or plugins alone, with the API library that they were built with.
//!
//! With `--message-format json` the last line is an object with the `reason` `dynplug-bundle`: `name`, `version`, `target`,
//! `profile`, `layout`, `strip`, `identity`, `filename`, `files` (how many), `size` (of all files, in bytes), `glibc` and
//! `needs` as in `bundle.json`, `debug_files` (the files that were written for debuggers).

pub mod arguments;
mod contents;
mod description;
mod licences;
mod pack;
mod pieces;
mod place;
mod proof;
mod readme;
mod runner;
mod sbom;

use crate::builder::{Builder, Parts, Prepared};
use crate::diagnostic::{Diagnostic, Doing, Result};
use crate::files;
use crate::terminal::line;
use crate::trust::Signer;
use arguments::{BundleArguments, Strip};
use contents::{Contents, Entry, Places};
use description::Description;
use dynplug_manifest::image::Image;
use dynplug_manifest::manifest::Product;
use licences::{Component, Within};
use pieces::Piece;
use place::{Output, Staging};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Makes a bundle. Returns the exit code.
///
/// # Errors
/// When it isn't clear what goes in, something else is in its place, a compilation fails (cargo has said why), something
/// doesn't fit, or a file can't be read or written.
pub fn run(arguments: &BundleArguments) -> Result<i32> {
    let named = arguments.output.as_deref().map(Output::of).transpose()?;
    // Before minutes are spent on what couldn't be kept.
    named.as_ref().map_or(Ok(()), Output::check)?;
    let debug_folder = debug_folder(arguments, named.as_ref())?;
    let time = pack::time()?;
    let signer = arguments.secret_key().map(|key| Signer::new(&key)).transpose()?;
    let builder = match arguments.plugins {
        true => match Builder::prepare_for(&arguments.build)? {
            Prepared::Ready(builder) => *builder,
            Prepared::Done(code) => return Ok(code),
        },
        false => Builder::of_host(&arguments.build)?,
    };
    let parts = builder.parts(arguments.plugins)?;

    let name = name(&parts);
    let version = parts.main.version.to_string();
    let title = format!("{name}-{version}-{}", parts.target);
    let output = named.unwrap_or_else(|| Output::Folder(parts.folder.join(&title)));
    output.check()?;
    builder.status("Bundling", &title);

    let places = match arguments.plugins {
        true => Places::of_plugins(),
        false => Places::of(arguments.layout, &name),
    };
    let runner = pieces::runner(&parts.outcome, &places, arguments.strip())?;
    let mut products = pieces::read(&parts.outcome, &places, arguments.strip(), debug_folder.as_deref())?;
    let debug: Vec<_> = products.iter_mut().filter_map(|piece| piece.debug.take()).collect();
    let components = components(&parts, &products, runner.as_ref().map(|(path, _)| &**path));
    complain(&components, arguments.deny_unlicensed, &builder)?;
    let how = How { arguments, places: &places, signer: signer.as_ref(), runner };
    let (contents, description) = assemble(&parts, how, name, version, products, &components)?;
    for need in description.needs.iter().filter(|need| !need.usual) {
        builder.say(&needs_library(need));
    }

    put(&contents, &description, &places, parts.work, &output, &title, time)?;
    drop(parts.lock);
    for (path, bytes) in &debug {
        if let Some(folder) = path.parent() {
            files::make_folder(folder)?;
        }
        files::write_whole(path, bytes)?;
    }
    let debug: Vec<PathBuf> = debug.into_iter().map(|(path, _)| path).collect();
    report(arguments, &builder, &contents, &description, &output, &debug);
    Ok(0)
}

/// What the bundle is called: as the host's executable is, if there is one, or else the package.
fn name(parts: &Parts<'_>) -> String {
    let hosts = &parts.outcome.hosts;
    let the_host = match &hosts[..] {
        [one] => Some(one),
        several => several.iter().find(|h| h.default.as_ref() == Some(&h.name)),
    };
    the_host.map_or_else(|| parts.main.name.to_string(), |host| host.name.clone())
}

/// Where debug information goes.
fn debug_folder(arguments: &BundleArguments, output: Option<&Output>) -> Result<Option<PathBuf>> {
    let Some(folder) = &arguments.debug_files else { return Ok(None) };
    let wrong = |why: &str, help: &str| {
        let error = Diagnostic::error("debug-files", "the debug information can't be put there");
        error.note(why).help(help).usage()
    };
    if arguments.strip() == Strip::None {
        let help = "leave `--strip` away, or give `debuginfo` or `symbols`";
        return Err(wrong("with `--strip none` nothing is taken out of the files", help).into());
    }
    let folder = std::path::absolute(folder).doing("find the folder for debug information")?;
    if output.is_some_and(|output| folder.starts_with(output.path())) {
        let why = format!("{} is inside of the bundle", folder.display());
        return Err(wrong(&why, "name a folder beside it").into());
    }
    Ok(Some(folder))
}

/// What the products are compiled from, std among it.
fn components(parts: &Parts<'_>, products: &[Piece], runner: Option<&str>) -> Vec<Component> {
    let within: Vec<Within<'_>> =
        products.iter().map(|piece| Within { path: &piece.path, manifest: &piece.manifest }).collect();
    let mut components = licences::collect(&within, &parts.packages);
    if let Some(library) = products.first() {
        let mut std = licences::of_std(parts.rustc, parts.sysroot, &library.path);
        std.within.extend(runner.map(str::to_owned));
        components.push(std);
    }
    components.extend(runner.map(runner::component));
    components
}

/// Says which crates say nothing of their licence, and which have no text of it.
fn complain(components: &[Component], deny: bool, builder: &Builder<'_>) -> Result<()> {
    let titles = |wanted: &dyn Fn(&Component) -> bool| {
        let titles: Vec<String> = components.iter().filter(|c| wanted(c)).map(Component::title).collect();
        titles.join(", ")
    };
    let silent = titles(&|component| component.is_unlicensed());
    let textless = titles(&|component| !component.is_unlicensed() && component.texts.is_empty());
    if !silent.is_empty() {
        let message = "crates in the bundle say nothing of their licence";
        let error = match deny {
            true => Diagnostic::error("no-licence", message),
            false => Diagnostic::warning("no-licence", message),
        };
        let error = error.note(silent).help(
            "in the crate's Cargo.toml: `license = \"…\"`, an SPDX expression, or `license-file`; or put the text beside it",
        );
        if deny {
            return Err(error.into());
        }
        builder.say(&error);
    }
    if !textless.is_empty() {
        let note = "crates in the bundle name their licence, but have no text of it in their package";
        builder.say(
            &Diagnostic::note_only("no-licence-text", note)
                .note(textless)
                .help("many licences ask for their text to come along: see THIRD-PARTY.md in the bundle"),
        );
    }
    Ok(())
}

fn needs_library(need: &description::Need) -> Diagnostic {
    let message = format!("the bundle needs {}, which not every system has", need.library);
    Diagnostic::warning("system-library", message)
        .note(format!("needed by {}", need.files.join(", ")))
        .help("say so to those who install it; a distribution's package depends on the package with that library")
        .help("or link it statically, as many `-sys` crates can with a feature such as `vendored` or `bundled`")
}

/// How it is put together.
struct How<'a> {
    arguments: &'a BundleArguments,
    places: &'a Places,
    /// Who signs the plugins.
    signer: Option<&'a Signer>,
    /// The program in which plugins run in processes of their own: its path, and what is in it.
    runner: Option<(String, Vec<u8>)>,
}

/// Puts all together, and describes it.
fn assemble(
    parts: &Parts<'_>,
    how: How<'_>,
    name: String,
    version: String,
    products: Vec<Piece>,
    components: &[Component],
) -> Result<(Contents, Description)> {
    let How { arguments, places, signer, runner } = how;
    let with_code = || {
        let products = products.iter().map(|piece| (&*piece.path, &*piece.bytes));
        products.chain(runner.iter().map(|(path, bytes)| (&**path, &**bytes)))
    };
    let images: Vec<(&str, Image<'_>)> = with_code()
        .map(|(path, bytes)| Ok((path, Image::parse(bytes).doing(format_args!("inspect {path}"))?)))
        .collect::<Result<_>>()?;
    let inside: BTreeSet<&str> =
        images.iter().flat_map(|(path, image)| [path.rsplit('/').next(), image.soname()]).flatten().collect();
    let needs = proof::needs(&images.iter().map(|(path, image)| (*path, image)).collect::<Vec<_>>(), &inside);
    let glibc = proof::floor(with_code())?;
    drop(images);
    let mut contents = Contents::default();
    licences::place(components, &mut contents, &places.documents, &places.licences)?;
    let mut listed = Vec::new();
    let mut signed = Vec::new();
    for Piece { path, bytes, manifest, .. } in products {
        if let (Some(links), Product::Host) = (&places.links, manifest.product) {
            let file = path.rsplit('/').next().unwrap_or(&path);
            let up = "../".repeat(links.matches('/').count());
            contents.add(format!("{links}{file}"), Entry::Link(format!("{up}{path}")))?;
        }
        let is_judged = match manifest.product {
            Product::Plugin | Product::PluginLibrary => true,
            // A host asks its policy about what a plugin brings along, and not about its own.
            Product::ApiLibrary => arguments.plugins,
            Product::Host => false,
        };
        if let Some(signer) = signer.filter(|_| is_judged) {
            signed.push((format!("{path}.minisig"), signer.sign(&bytes, &manifest)?.0));
        }
        listed.push(description::Product {
            kind: match manifest.product {
                Product::Plugin => "plugin",
                Product::ApiLibrary => "api-library",
                Product::Host => "host",
                Product::PluginLibrary => "plugin-library",
            }
            .to_owned(),
            package: manifest.package,
            version: manifest.version,
            id: (manifest.product != Product::Host).then(|| manifest.id.to_string()),
            file: path.clone(),
        });
        contents.add(path, Entry::File { bytes, executable: true })?;
    }
    if let Some((path, bytes)) = runner {
        contents.add(path, Entry::File { bytes, executable: true })?;
    }
    for (path, signature) in signed {
        contents.add_text(path, signature)?;
    }
    let mut description = Description {
        format: description::FORMAT,
        tool: format!("{} {}", description::TOOL, env!("CARGO_PKG_VERSION")),
        name,
        version,
        target: parts.target.to_owned(),
        profile: arguments.build.workspace.profile().to_owned(),
        rustc: parts.rustc.to_owned(),
        layout: arguments.layout,
        strip: arguments.strip(),
        identity: parts.identity.clone(),
        glibc,
        needs,
        products: listed,
        files: Vec::new(),
    };
    let documents = &places.documents;
    contents.add_text(format!("{documents}{}", sbom::NAME), sbom::document(&description, components))?;
    contents.add_text(format!("{documents}README.md"), readme::text(&description))?;
    description.files = description::files(&contents);
    let json = serde_json::to_string_pretty(&description).doing("describe the bundle")? + "\n";
    contents.add_text(format!("{documents}{}", description::NAME), json)?;
    Ok((contents, description))
}

/// Proves the bundle, and puts it into its place.
fn put(
    contents: &Contents,
    description: &Description,
    places: &Places,
    work: &Path,
    output: &Output,
    title: &str,
    time: u64,
) -> Result<()> {
    // A folder is made beside its place, so that it can be moved there.
    let beside = match output {
        Output::Folder(path) => path.parent().unwrap_or(work),
        Output::Archive(..) => work,
    };
    let staging = Staging::in_folder(beside)?;
    contents.write(&staging.bundle())?;
    let of = |kinds: &[&str]| -> Vec<&str> {
        let products = description.products.iter().filter(|p| kinds.contains(&&*p.kind));
        products.map(|p| &*p.file).collect()
    };
    let hosts = of(&["host"]);
    // Plugins without a host come with their API library, which they fit as they would a host.
    let hosts = if hosts.is_empty() { of(&["api-library"]) } else { hosts };
    for host in hosts {
        proof::fits(&staging.bundle(), host, &of(&["plugin", "plugin-library"]))?;
    }
    // Something may have come to be there in the meantime.
    output.check()?;
    match output {
        Output::Folder(path) => staging.put(path),
        Output::Archive(path, packing) => {
            let first = format!("{}{}", places.documents, description::NAME);
            pack::pack(contents, &first, title, time, path, *packing)
        }
    }
}

/// Says what was made.
fn report(
    arguments: &BundleArguments,
    builder: &Builder<'_>,
    contents: &Contents,
    description: &Description,
    output: &Output,
    debug_files: &[PathBuf],
) {
    let Description { name, version, target, profile, layout, strip, identity, glibc, needs, .. } =
        description;
    let files = contents.entries().len();
    if arguments.build.messages.json() {
        line!(
            "{}",
            serde_json::json!({
                "reason": "dynplug-bundle", "name": name, "version": version, "target": target,
                "profile": profile, "layout": layout, "strip": strip, "identity": identity,
                "filename": output.path(), "files": files, "size": contents.size(),
                "glibc": glibc, "needs": needs, "debug_files": debug_files,
            })
        );
        return;
    }
    let mega = |bytes: u64| format!("{:.1} MB", bytes as f64 / 1e6);
    let packed = match output {
        Output::Folder(_) => String::new(),
        Output::Archive(path, _) => {
            path.metadata().map(|m| format!(", packed {}", mega(m.len()))).unwrap_or_default()
        }
    };
    if let Some(glibc) = glibc {
        let asks = glibc.symbols.first().map(|symbol| format!(", for {symbol}")).unwrap_or_default();
        builder.status("Needs", &format!("glibc {} or newer ({}{asks})", glibc.version, glibc.file));
    }
    if let Some(folder) = &arguments.debug_files {
        builder.status("Debugging", &format!("{} ({} files)", folder.display(), debug_files.len()));
    }
    let what = format!("{} ({files} files, {}{packed})", output.path().display(), mega(contents.size()));
    builder.status("Bundle", &what);
}
