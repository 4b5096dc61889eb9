//! What was built, as it goes into a bundle: hosts, libraries and plugins, and what debuggers want of them.

use super::arguments::Strip;
use super::contents::Places;
use crate::diagnostic::{Diagnostic, Doing, Result};
use crate::outcome::{Host, Outcome};
use crate::strip;
use dynplug_manifest::image::Image;
use dynplug_manifest::manifest::Manifest;
use std::path::{Path, PathBuf};

/// One of what was built, as it goes into the bundle.
pub struct Piece {
    /// Its path in the bundle.
    pub path: String,
    /// What is in it.
    pub bytes: Vec<u8>,
    /// What it says of itself.
    pub manifest: Manifest,
    /// What was taken out of it, and where that is to be written.
    pub debug: Option<(PathBuf, Vec<u8>)>,
}

/// Reads what was built, and takes out of it what is to be left out: the API library first, then libraries of plugins,
/// plugins and hosts.
///
/// # Errors
/// When something can't be read, or nothing can be taken out of it.
pub fn read(
    outcome: &Outcome,
    places: &Places,
    strip: Strip,
    debug_folder: Option<&Path>,
) -> Result<Vec<Piece>> {
    let at = |folder: &str, file: &Path| {
        format!("{folder}{}", file.file_name().unwrap_or_default().to_string_lossy())
    };
    let plugins = &*places.plugins;
    let mut built = vec![(at(&places.library, &outcome.library), &outcome.library)];
    built.extend(outcome.libraries.iter().map(|l| (at(plugins, &outcome.plugin_library(l)), &l.file)));
    built.extend(outcome.plugins.iter().map(|p| (at(plugins, &outcome.plugin(p)), &p.file)));
    built.extend(outcome.hosts.iter().map(|h: &Host| (at(&places.program, &outcome.host(h)), &h.file)));
    built.into_iter().map(|(path, file)| piece(path, file, strip, debug_folder)).collect()
}

/// The program in which plugins of the hosts run in processes of their own, if they can; it is stripped as the others are, and of
/// no interest to debuggers.
///
/// # Errors
/// When it can't be read, or nothing can be taken out of it.
pub fn runner(outcome: &Outcome, places: &Places, strip: Strip) -> Result<Option<(String, Vec<u8>)>> {
    let Some(file) = &outcome.runner else { return Ok(None) };
    let path = format!("{}{}", places.program, file.file_name().unwrap_or_default().to_string_lossy());
    let whole = std::fs::read(file).doing(format_args!("read {}", file.display()))?;
    let Some(level) = strip.level() else { return Ok(Some((path, whole))) };
    let apart = strip::apart(&whole, level, None).map_err(|why| cannot_strip(&path).note(why))?;
    Ok(Some((path, apart.file)))
}

fn cannot_strip(path: &str) -> Diagnostic {
    Diagnostic::error("cannot-strip", format!("nothing can be left out of {path}"))
}

fn piece(path: String, file: &Path, strip: Strip, debug_folder: Option<&Path>) -> Result<Piece> {
    let whole = std::fs::read(file).doing(format_args!("read {}", file.display()))?;
    let manifest = manifest(&whole, file)?;
    let Some(level) = strip.level() else { return Ok(Piece { path, bytes: whole, manifest, debug: None }) };
    // Debuggers look for a build id first. Without one there is the name, beside the file or in a folder of that path.
    let place = debug_folder.map(|folder| match strip::build_id(&whole) {
        Some(id) => folder.join(".build-id").join(&id[..2]).join(format!("{}.debug", &id[2..])),
        None => folder.join(format!("{path}.debug")),
    });
    let link =
        place.as_ref().and_then(|place| place.file_name()).map(|name| name.to_string_lossy().into_owned());
    let apart = strip::apart(&whole, level, link.as_deref()).map_err(|why| {
        cannot_strip(&path).note(why).help(
            "leave `--strip` away, and let the profile do it: `strip = \"debuginfo\"` or `strip = \"symbols\"`",
        )
    })?;
    // What was only meant to become smaller must not become something else.
    if self::manifest(&apart.file, file)? != manifest {
        return Err(cannot_strip(&path).note("its manifest is another one afterwards").into());
    }
    Ok(Piece { path, bytes: apart.file, manifest, debug: place.zip(apart.debug) })
}

fn manifest(bytes: &[u8], file: &Path) -> Result<Manifest> {
    let image = Image::parse(bytes).doing(format_args!("inspect {}", file.display()))?;
    let manifest = image.manifest().doing(format_args!("inspect {}", file.display()))?;
    manifest.ok_or_else(|| {
        Diagnostic::error("bad-product", format!("{} carries no manifest", file.display())).into()
    })
}
