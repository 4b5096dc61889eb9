//! A file's description for a person at a terminal.

use super::sdk::Sdk;
use super::{About, Details, Found, in_a_sentence};
use crate::floor::Floor;
use crate::terminal::{Stream, emphasised, linked};
use dynplug_manifest::manifest::{CrateInfo, Product};
use dynplug_manifest::record::Record;
use std::fmt::Write;
use std::path::Path;

/// The description, in lines.
pub(super) fn found(path: &Path, found: &Found<'_>) -> String {
    let mut out = String::new();
    // Writing to a string can't fail.
    let _ = match found {
        Found::Sdk(it) => sdk(&mut out, path, it),
        Found::Broken(why) => {
            let path = linked(path, Stream::Output);
            let _ = writeln!(out, "{path}: {}", clean(&in_a_sentence(why)));
            writeln!(out, "  [{}] {}", why.code, why.help.join("; "))
        }
        Found::File(About::Other(other)) => writeln!(
            out,
            "{}: {}\n  [{}] {}",
            linked(path, Stream::Output),
            clean(&other.what),
            other.code,
            other.code.diagnostic().remedy
        ),
        Found::File(About::Product(details)) => product(&mut out, path, details),
    };
    out
}

fn product(out: &mut String, path: &Path, details: &Details<'_>) -> std::fmt::Result {
    let Details { manifest, image, size, exports, inits, damage, floor } = details;
    writeln!(
        out,
        "{}: {} {} {}",
        linked(path, Stream::Output),
        manifest.product,
        emphasised(&clean(&manifest.package)),
        clean(&manifest.version)
    )?;
    let mut row = |name: &str, value: &str| writeln!(out, "  {name:<10}  {}", clean(value));
    row("toolchain", &manifest.rustc)?;
    row("tool", &format!("cargo-dynplug {}", manifest.tool))?;
    row("target", &manifest.target)?;
    row("profile", &manifest.profile)?;
    if manifest.with_sdk {
        row("built with", "an SDK")?;
    }
    if !manifest.cpu_features.is_empty() {
        row("processor", &manifest.cpu_features.join(" "))?;
    }
    row("size", &format!("{size} bytes"))?;
    let api = &manifest.api;
    match manifest.product {
        Product::Plugin => row("id", &manifest.id.to_string())?,
        Product::ApiLibrary | Product::PluginLibrary => row("identity", &manifest.id.to_string())?,
        Product::Host => {}
    }
    if manifest.product != Product::ApiLibrary {
        row("API", &format!("{} {} ({})", api.package, api.version, api.soname))?;
        row("identity", &api.identity.to_string())?;
    }
    for library in &manifest.libraries {
        row("library", &format!("{} {} ({})", library.package, library.version, library.soname))?;
        row("identity", &library.identity.to_string())?;
    }
    if let Some(soname) = image.soname() {
        row("soname", soname)?;
    }
    if !image.needed().is_empty() {
        row("needs", &image.needed().join(" "))?;
    }
    match floor {
        Ok(Some(floor)) => row("glibc", &format!("{} or newer{}", floor.version, askers(floor)))?,
        Ok(None) => {}
        Err(damage) => row("glibc", damage)?,
    }
    records(out, "exports", exports, true)?;
    if let Some(damage) = damage {
        writeln!(out, "  damaged: {}", clean(damage))?;
    }
    records(out, "init functions, in their order", inits, false)?;
    for (title, shared) in [("shared crates", true), ("private crates", false)] {
        crates(out, title, manifest.crates.iter().filter(|c| c.shared == shared).collect())?;
    }
    Ok(())
}

fn sdk(out: &mut String, path: &Path, sdk: &Sdk) -> std::fmt::Result {
    let Sdk { description, size, unpacked, files, crates: shared, macros } = sdk;
    let api = &description.api;
    let path = linked(path, Stream::Output);
    writeln!(out, "{path}: SDK {} {}", emphasised(&clean(&api.package)), clean(&api.version))?;
    let mut row = |name: &str, value: &str| writeln!(out, "  {name:<10}  {}", clean(value));
    row("toolchain", &description.rustc)?;
    row("tool", &format!("cargo-dynplug {}", description.tool))?;
    row("target", &description.target)?;
    row("profile", &description.profile)?;
    row("size", &format!("{size} bytes; {files} files of {unpacked} bytes"))?;
    row("API", &format!("{} {} ({})", api.package, api.version, api.soname))?;
    row("identity", &api.identity)?;
    crates(out, "shared crates", shared.iter().collect())?;
    crates(out, "proc macros", macros.iter().collect())?;
    if !description.packages.is_empty() {
        writeln!(out, "\n  {} ({})", emphasised("sources"), description.packages.len())?;
        for package in &description.packages {
            writeln!(out, "    {} {}", clean(&package.name), clean(&package.version))?;
        }
    }
    Ok(())
}

/// Who asks for that version, in brackets.
fn askers(floor: &Floor) -> String {
    const SHOWN: usize = 3;
    let shown: Vec<&str> = floor.symbols.iter().take(SHOWN).map(String::as_str).collect();
    match floor.symbols.len().saturating_sub(SHOWN) {
        _ if shown.is_empty() => String::new(),
        0 => format!(" (for {})", shown.join(", ")),
        more => format!(" (for {} and {more} more)", shown.join(", ")),
    }
}

fn records(out: &mut String, title: &str, records: &[Record<'_>], exports: bool) -> std::fmt::Result {
    if records.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n  {} ({})", emphasised(title), records.len())?;
    // By its name lookup finds an export; in the signature it may have another.
    let name = |record: &Record<'_>| match exports {
        true => clean(record.name),
        false => clean(&format!("{}::{}", record.module, record.name)),
    };
    let width = records.iter().map(|record| name(record).chars().count()).max().unwrap_or(0);
    for record in records {
        writeln!(out, "    {:width$}  {}", name(record), clean(record.signature))?;
        writeln!(out, "    {:width$}  at {}:{}:{}", "", clean(record.file), record.line, record.column)?;
        for obstacle in record.in_the_way().filter(|_| exports).unwrap_or_default() {
            writeln!(out, "    {:width$}  only in the host's process: {}", "", clean(&obstacle.to_string()))?;
        }
        for line in record.docs.lines().filter(|_| exports) {
            writeln!(out, "{}", format!("    {:width$}  /// {}", "", clean(line)).trim_end())?;
        }
    }
    Ok(())
}

fn crates(out: &mut String, title: &str, crates: Vec<&CrateInfo>) -> std::fmt::Result {
    if crates.is_empty() {
        return Ok(());
    }
    let named: Vec<(String, String)> = (crates.iter())
        .map(|info| (format!("{} {}", clean(&info.package), clean(&info.version)), features(info)))
        .collect();
    let width = named.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    writeln!(out, "\n  {} ({})", emphasised(title), crates.len())?;
    for (name, features) in named {
        writeln!(out, "    {}", format!("{name:<width$}  {features}").trim_end())?;
    }
    Ok(())
}

fn features(info: &CrateInfo) -> String {
    match clean(&info.features.join(" ")) {
        none if none.is_empty() => none,
        some => format!("[{some}]"),
    }
}

/// What stands in a file is somebody else's word: no control character of it reaches the terminal.
fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\t' | '\n' => out.push(' '),
            c if c.is_control()
                || matches!(c, '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}') =>
            {
                out.extend(c.escape_default());
            }
            c => out.push(c),
        }
    }
    out
}
