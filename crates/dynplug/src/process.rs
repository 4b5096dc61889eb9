//! What this process is: the manifest of the API library that this very code is part of, read from memory, since the
//! file on disk may have been replaced.

use crate::system::{self, Mapped};
use dynplug_manifest::manifest::{Manifest, Product};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// The manifest of the API library in this process; none in a program that plain cargo built.
pub(crate) fn library() -> Option<&'static Manifest> {
    static MANIFEST: OnceLock<Option<Manifest>> = OnceLock::new();
    MANIFEST
        .get_or_init(|| manifest_in(&system::own_image()).filter(|m| m.product == Product::ApiLibrary))
        .as_ref()
}

/// The manifest of the program itself; none when it is no host of `cargo dynplug`, such as one in another language.
pub(crate) fn program() -> Option<&'static Manifest> {
    static MANIFEST: OnceLock<Option<Manifest>> = OnceLock::new();
    MANIFEST.get_or_init(|| manifest_in(program_image())).as_ref()
}

/// The program's own image.
pub(crate) fn program_image() -> &'static Mapped {
    static IMAGE: OnceLock<Mapped> = OnceLock::new();
    IMAGE.get_or_init(system::program_image)
}

fn manifest_in(image: &Mapped) -> Option<Manifest> {
    Manifest::decode(image.manifest?).ok()
}

/// Where the program lies, for messages.
pub(crate) fn program_path() -> &'static Path {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| std::env::current_exe().unwrap_or_else(|_| PathBuf::from("the program")))
}
