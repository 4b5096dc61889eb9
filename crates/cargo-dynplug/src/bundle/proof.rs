//! What is proven of a bundle before it is called done: its plugins fit its host, and what it needs is inside or known.

use super::description::{Glibc, Need};
use crate::check;
use crate::diagnostic::{Diagnostic, Result};
use crate::floor::Floor;
use dynplug_manifest::image::Image;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Every plugin fits the host, or the API library, as both lie in the folder now.
///
/// # Errors
/// When one doesn't, or it can't be told.
pub fn fits(folder: &Path, host: &str, plugins: &[&str]) -> Result<()> {
    for plugin in plugins {
        check::fits(&folder.join(plugin), &folder.join(host)).map_err(|why| {
            Diagnostic::error("bad-bundle", format!("{plugin} does not fit {host} in the bundle"))
                .note(why)
                .help("build everything anew: remove the folder target/dynplug/build")
        })?;
    }
    Ok(())
}

/// The libraries that the products need and that aren't inside.
pub fn needs(products: &[(&str, &Image<'_>)], inside: &BTreeSet<&str>) -> Vec<Need> {
    let mut needs: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (path, image) in products {
        for library in image.needed().iter().filter(|library| !inside.contains(*library)) {
            needs.entry(library).or_default().push((*path).to_owned());
        }
    }
    let needs = needs.into_iter().map(|(library, files)| Need {
        library: library.to_owned(),
        usual: is_usual(library),
        files,
    });
    needs.collect()
}

/// Whether every system with this C library has the library.
fn is_usual(library: &str) -> bool {
    // The names of glibc's libraries, and the one that the compiler's own functions are in.
    let of_glibc = [
        "libc",
        "libm",
        "libdl",
        "libpthread",
        "librt",
        "libutil",
        "libresolv",
        "libanl",
        "libmvec",
        "libgcc_s",
    ];
    let name = library.split(".so").next().unwrap_or(library);
    of_glibc.contains(&name) || name.starts_with("ld-linux") || name.starts_with("ld64")
        // musl has all in one.
        || library.starts_with("libc.musl-") || library.starts_with("ld-musl-")
}

/// The oldest glibc that all products work with.
///
/// # Errors
/// When a file's table can't be read.
pub fn floor<'a>(products: impl Iterator<Item = (&'a str, &'a [u8])>) -> Result<Option<Glibc>> {
    let mut highest: Option<(Floor, &str)> = None;
    for (path, bytes) in products {
        let floor = Floor::of(bytes)
            .map_err(|why| Diagnostic::error("bad-product", format!("{path} can't be read")).note(why))?;
        if let Some(floor) = floor
            && highest.as_ref().is_none_or(|(highest, _)| floor.version > highest.version)
        {
            highest = Some((floor, path));
        }
    }
    Ok(highest.map(|(floor, path)| Glibc {
        version: floor.version.to_string(),
        file: path.to_owned(),
        symbols: floor.symbols,
    }))
}

#[cfg(test)]
mod tests {
    use super::is_usual;

    #[test]
    fn what_every_system_has_is_known_by_name() {
        for library in ["libc.so.6", "libgcc_s.so.1", "ld-linux-x86-64.so.2", "libm.so.6", "ld64.so.2"] {
            assert!(is_usual(library), "{library}");
        }
        for library in ["libssl.so.3", "libcrypto.so.3", "libcairo.so.2", "libz.so.1", "libstdc++.so.6"] {
            assert!(!is_usual(library), "{library}");
        }
    }
}
