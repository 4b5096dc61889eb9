//! What is known of one compiled crate: written beside its files, so that whoever links knows what goes in.

use crate::context::{Context, STD};
use crate::diagnostic::{Diagnostic, Doing, Result};
use crate::files::{hex, sha256};
use crate::wrapper::invocation::Invocation;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Ending of the description's file.
pub const ENDING: &str = ".dynplug.json";

/// A compiled crate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unit {
    /// Package name.
    pub package: String,
    /// Package version.
    pub version: String,
    /// Where the package comes from.
    pub source: String,
    /// The crate's name.
    pub crate_name: String,
    /// Whether it is a proc macro.
    pub proc_macro: bool,
    /// The cargo features it was compiled with.
    pub features: Vec<String>,
    /// What tells the compiler this crate from another of its name, as hexadecimal digits.
    pub id: String,
    /// SHA-256 over what was compiled, as hexadecimal digits: over the expanded source where the crate is one that
    /// people edit, else over the metadata. Empty where there is neither.
    pub content: String,
    /// SHA-256 over the expanded source, where it was asked for.
    #[serde(default)]
    pub meaning: Option<String>,
    /// That of the source as it would be with the usual settings: it is the same in a build for debugging and in one for
    /// release.
    #[serde(default)]
    pub code: Option<String>,
    /// The metadata's file, or the library's for proc macros.
    pub file: PathBuf,
    /// The files of the crates that it was given.
    pub externs: Vec<PathBuf>,
    /// The ids of those crates, as far as they are known.
    pub dependencies: Vec<String>,
    /// Settings that people ask for when two builds differ.
    pub settings: Vec<(String, String)>,
}

impl Unit {
    /// Describes what `call` is going to make. What is made of it is known afterwards: see
    /// [`Unit::complete`].
    ///
    /// # Errors
    /// When the description of a crate that it is given can't be read.
    pub fn of(call: &Invocation, context: &Context) -> Result<Unit> {
        let variable = |name: &str| std::env::var(name).unwrap_or_default();
        let manifest_dir = PathBuf::from(variable("CARGO_MANIFEST_DIR"));
        let crate_name = call.crate_name().unwrap_or_default().to_owned();
        let mut metadata: Vec<&str> = call.codegen("metadata").collect();
        metadata.sort_unstable();
        metadata.dedup();
        let externs: Vec<PathBuf> = call.externs().into_iter().filter_map(|e| e.path).collect();
        let mut dependencies = Vec::new();
        for file in &externs {
            dependencies.extend(Unit::beside(file)?.map(|unit| unit.id));
        }
        dependencies.sort();
        dependencies.dedup();
        let key = format!("{crate_name}\n{}\n{}", metadata.join("\n"), context.rustc);
        Ok(Unit {
            package: variable("CARGO_PKG_NAME"),
            version: variable("CARGO_PKG_VERSION"),
            source: context.source_of(call, &manifest_dir),
            proc_macro: call.crate_types().contains(&"proc-macro"),
            features: call.features(),
            id: hex(&sha256(key.as_bytes())[..16]),
            content: String::new(),
            meaning: None,
            code: None,
            file: PathBuf::new(),
            externs,
            dependencies,
            settings: settings(call),
            crate_name,
        })
    }

    /// Writes the description into `files`, for those who are compiled meanwhile.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn write(&self, files: &[PathBuf]) -> Result<()> {
        let json = serde_json::to_vec_pretty(self).doing("write a crate's description")?;
        files.iter().try_for_each(|file| crate::files::write_whole(file, &json))
    }

    /// Fills in what only the finished compilation knows. `made` tells where a file with a start (`lib`) and an ending
    /// lies.
    ///
    /// # Errors
    /// When what was compiled can't be read back.
    pub fn complete(&mut self, made: impl Fn(&str, &str) -> PathBuf) -> Result<()> {
        use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
        let candidates = if self.proc_macro {
            vec![made(DLL_PREFIX, DLL_SUFFIX)]
        } else {
            vec![made("lib", ".rmeta"), made("lib", ".rlib")]
        };
        if let Some(file) = candidates.into_iter().find(|p| p.is_file()) {
            let bytes = std::fs::read(&file).doing(format_args!("read {}", file.display()))?;
            self.content = self.meaning.clone().unwrap_or_else(|| hex(&sha256(&bytes)));
            self.file = file;
        }
        Ok(())
    }

    /// The description that belongs to `libNAME.rlib`, `.rmeta` or a proc macro's library.
    ///
    /// # Errors
    /// When there is one that can't be read.
    pub fn beside(file: &Path) -> Result<Option<Unit>> {
        let Some(path) = Unit::place_beside(file) else { return Ok(None) };
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(e).doing(format_args!("read {}", path.display())),
        };
        serde_json::from_slice(&bytes).map(Some).map_err(|e| {
            Box::new(
                Diagnostic::error("damaged", format!("{} is damaged: {e}", path.display()))
                    .help("remove the folder `target/dynplug/build` and build again"),
            )
        })
    }

    /// Where the description of `libNAME.rlib` and the like lies.
    pub fn place_beside(file: &Path) -> Option<PathBuf> {
        let stem = file.file_stem()?.to_str()?;
        Some(file.with_file_name(format!("{}{ENDING}", stem.strip_prefix("lib").unwrap_or(stem))))
    }

    /// Whether it is one of the crates of a std that was compiled with what is built.
    pub fn is_of_std(&self) -> bool {
        self.source == STD
    }

    /// `name version`, as people write it.
    pub fn title(&self) -> String {
        format!("{} {}", self.package, self.version)
    }
}

/// Codegen options that change what rustc makes of a crate, and that people or profiles set.
const SETTINGS: [&str; 7] = [
    "opt-level",
    "debug-assertions",
    "overflow-checks",
    "debuginfo",
    "panic",
    "target-cpu",
    "target-feature",
];

/// The settings of a compilation that may matter to whoever compares two of them.
fn settings(call: &Invocation) -> Vec<(String, String)> {
    let mut settings = Vec::new();
    if let Some(edition) = call.value("--edition") {
        settings.push(("edition".to_owned(), edition.to_owned()));
    }
    for name in SETTINGS {
        if let Some(value) = call.codegen(name).last() {
            settings.push((name.to_owned(), value.to_owned()));
        }
    }
    settings
}
