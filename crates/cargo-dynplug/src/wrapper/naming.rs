//! What a crate is called: the part of cargo's naming that says something of this machine is replaced.
//!
//! cargo derives `-C metadata` and the ending of file names from the package's place, and for packages outside of the
//! workspace that is an absolute path. Both reach what is compiled, and with it the identity. Here they are derived from
//! what the compilation is made of, and cargo finds its own names as links.

use super::invocation::Invocation;
use crate::context::Context;
use crate::diagnostic::{Doing, Result};
use crate::files::{hex, sha256};
use crate::unit::Unit;
use std::path::{Path, PathBuf};

/// Options that say where things are or how messages look, and nothing of what is compiled.
const IRRELEVANT: &[&str] = &[
    "--out-dir",
    "-L",
    "--error-format",
    "--json",
    "--diagnostic-width",
    "--color",
    "--sysroot",
    "--remap-path-prefix",
    "--check-cfg",
    "--cap-lints",
    "-A",
    "-W",
    "-D",
    "-F",
    "--allow",
    "--warn",
    "--deny",
    "--forbid",
    "--extern",
];
/// Codegen options that rustc itself leaves out of what it hashes: they choose how a product is linked, or name files.
const IRRELEVANT_CODEGEN: &[&str] = &[
    "metadata",
    "extra-filename",
    "incremental",
    "linker",
    "linker-flavor",
    "linker-features",
    "link-arg",
    "link-args",
    "link-self-contained",
    "strip",
    "rpath",
    "save-temps",
    "codegen-units",
    "dlltool",
    "remark",
];

/// The two names of what is made.
#[derive(Debug, Clone)]
pub(super) struct Naming {
    folder: PathBuf,
    crate_name: String,
    /// What cargo adds to file names.
    asked: String,
    /// What is added instead.
    given: String,
}

/// Gives the crate a name that is the same on every machine.
///
/// # Errors
/// When what is known of a dependency can't be read.
pub(super) fn rename(call: &mut Invocation, context: &Context) -> Result<Option<Naming>> {
    // Tests stay on this machine.
    if call.has_word("--test") || call.extra_filename().is_empty() {
        return Ok(None);
    }
    let id = id(call, context)?;
    // The first is cargo's; the others are from the rustflags.
    let kept: Vec<String> = call.codegen("metadata").skip(1).map(str::to_owned).collect();
    call.remove_codegen("metadata");
    for value in std::iter::once(id.clone()).chain(kept) {
        call.push("-C", format!("metadata={value}"));
    }
    if call.crate_types().contains(&"bin") {
        // Nobody looks for an executable by the name that rustc knows.
        return Ok(None);
    }
    let asked = call.extra_filename().to_owned();
    let given = format!("-{id}");
    call.remove_codegen("extra-filename");
    call.push("-C", format!("extra-filename={given}"));
    let crate_name = call.crate_name().unwrap_or_default().to_owned();
    let folder = call.out_dir();
    Ok(Some(Naming { folder, crate_name, asked, given }))
}

fn id(call: &Invocation, context: &Context) -> Result<String> {
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    let manifest_dir = PathBuf::from(variable("CARGO_MANIFEST_DIR"));
    let source = context.source_of(call, &manifest_dir);
    let mut text = format!(
        "{} {} {source}\n{}\n",
        variable("CARGO_PKG_NAME"),
        variable("CARGO_PKG_VERSION"),
        context.rustc
    );
    for (option, value) in call.pairs() {
        let codegen =
            option == "-C" && IRRELEVANT_CODEGEN.contains(&value.split('=').next().unwrap_or(value));
        if !codegen && !IRRELEVANT.contains(&option) {
            // The root's path is absolute for packages outside of the workspace.
            let value =
                Path::new(value).strip_prefix(&manifest_dir).map_or(value.into(), |p| p.to_string_lossy());
            text += &format!("{option} {value}\n");
        }
    }
    for value in call.codegen("metadata").skip(1) {
        text += &format!("metadata {value}\n");
    }
    let mut dependencies = Vec::new();
    for dependency in call.externs() {
        let Some(path) = dependency.path else { continue };
        let known = match Unit::beside(&path)? {
            Some(unit) => unit.id,
            // A file of the SDK, whose name was made here.
            None => path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default(),
        };
        dependencies.push(format!("{} {known}\n", dependency.name));
    }
    dependencies.sort();
    dependencies.dedup();
    text.extend(dependencies);
    Ok(hex(&sha256(text.as_bytes())[..8]))
}

impl Naming {
    /// Whether a message of rustc announces a file of this crate.
    pub(super) fn announces(&self, line: &str) -> bool {
        line.contains("\"artifact\"") && line.contains(&self.given)
    }

    /// Lets cargo find under its own names what has been made so far.
    ///
    /// # Errors
    /// When the folder can't be read or written.
    pub(super) fn publish(&self) -> Result<()> {
        let entries =
            std::fs::read_dir(&self.folder).doing(format_args!("read {}", self.folder.display()))?;
        let stem = format!("{}{}", self.crate_name, self.given);
        for entry in entries.flatten() {
            let name = entry.file_name();
            let Some(name) = name.to_str() else { continue };
            let Some((start, ending)) =
                name.split_once(&stem).filter(|(s, e)| matches!(*s, "" | "lib") && e.starts_with('.'))
            else {
                continue;
            };
            if matches!(
                ending,
                ".d" | ".rlib"
                    | ".rmeta"
                    | ".so"
                    | ".dylib"
                    | ".dll"
                    | ".dll.lib"
                    | ".dll.a"
                    | ".pdb"
                    | ".dwp"
            ) {
                let asked = self.folder.join(format!("{start}{}{}{ending}", self.crate_name, self.asked));
                publish_as(&entry.path(), &asked)?;
            }
        }
        Ok(())
    }

    /// The file that rustc makes, with this start (`lib`) and ending.
    pub(super) fn made(&self, start: &str, ending: &str) -> PathBuf {
        self.folder.join(format!("{start}{}{}{ending}", self.crate_name, self.given))
    }
}

/// Hard links `to` to `from`, or copies where the system has no links.
fn publish_as(from: &Path, to: &Path) -> Result<()> {
    use std::io::ErrorKind;
    let linked = std::fs::hard_link(from, to).or_else(|e| match e.kind() {
        // An earlier link: to this very file, or to one that rustc has replaced.
        ErrorKind::AlreadyExists => std::fs::remove_file(to).and_then(|()| std::fs::hard_link(from, to)),
        _ => std::fs::copy(from, to).map(drop),
    });
    linked.doing(format_args!("link {} to {}", to.display(), from.display()))
}
