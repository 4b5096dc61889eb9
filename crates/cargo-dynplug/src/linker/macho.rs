//! Apple's systems: what their linkers are told, by their own words for it. Written after ld(1) and `<mach-o/loader.h>`;
//! nobody has run it yet.
//!
//! A library's install name goes into all that are linked with it. It begins with `@rpath`, so that the loader looks in the
//! folders that the program names: its own, and `plugins` below it. The linker signs what it makes for arm64, ad hoc, and
//! nothing here changes a file after that, so the signature stays good.

use super::arguments::Arguments;
use super::native::Native;
use crate::diagnostic::{Doing, Result};
use crate::sdk::Sdk;
use object::read::macho::MachHeader;
use object::write::MachOBuildVersion;
use object::{Endianness, macho};
use std::ffi::OsString;
use std::path::Path;

/// Whether a target is one of Apple's.
pub(super) fn is_for(target: &str) -> bool {
    target.split('-').any(|part| part == "apple")
}

/// An install name without the part that says where the loader looks.
pub(super) fn file_name(install_name: &str) -> &str {
    install_name.strip_prefix("@rpath/").unwrap_or(install_name)
}

/// Gives a library its name.
pub(super) fn name(arguments: &mut Arguments, file_name: &str) {
    arguments.remove_soname();
    arguments.words.push(format!("-Wl,-install_name,@rpath/{file_name}").into());
}

/// Exports what C code defines, and with `all` links every object that defines something. The list of what is exported is
/// written beneath `folder`.
pub(super) fn export(arguments: &mut Arguments, native: &Native, all: bool, folder: &Path) -> Result<()> {
    let names: String = native.names().iter().map(|name| format!("{name}\n")).collect();
    // rustc names its list in a word of its own, or behind a comma.
    let mut follows = false;
    for word in &mut arguments.words {
        let Some(text) = word.to_str() else { continue };
        let option = ["-Wl,-exported_symbols_list,", "-Wl,"].into_iter().find(|option| match *option {
            "-Wl," => follows && text.starts_with(option),
            option => text.starts_with(option),
        });
        let is_option = text == "-Wl,-exported_symbols_list";
        if let Some(option) = option {
            let file = text.strip_prefix(option).unwrap_or_default();
            let list = std::fs::read_to_string(file).doing(format_args!("read {file}"))?;
            let to = folder.join("exported-symbols");
            std::fs::write(&to, format!("{list}\n{names}")).doing(format_args!("write {}", to.display()))?;
            *word = format!("{option}{}", to.display()).into();
        }
        follows = is_option;
    }
    if all {
        arguments.words.extend(native.names().iter().map(|name| OsString::from(format!("-Wl,-u,{name}"))));
    }
    Ok(())
}

/// Says where a program's libraries are: in that folder, or beside it; and beside its plugins.
pub(super) fn host(arguments: &mut Arguments, folder: Option<&Path>) {
    let beside = folder.unwrap_or(Path::new("@loader_path"));
    for folder in [beside, Path::new("@loader_path/plugins")] {
        for word in ["-rpath".as_ref(), folder.as_os_str()] {
            arguments.words.extend(["-Xlinker".into(), word.to_owned()]);
        }
    }
}

/// Has the product need the API library, also where nothing of it is used yet: that it fits is said of that.
pub(super) fn bind(arguments: &mut Arguments, sdk: &Sdk) {
    arguments.words.push("-Wl,-needed_library".into());
    let mut word = OsString::from("-Wl,");
    word.push(sdk.library());
    arguments.words.push(word);
}

/// For which system, and from which version of it, an object was compiled. All of a link have to agree.
pub(super) fn build_version(object: &[u8]) -> Option<MachOBuildVersion> {
    let header = macho::MachHeader64::<Endianness>::parse(object, 0).ok()?;
    let endian = header.endian().ok()?;
    let mut commands = header.load_commands(endian, object, 0).ok()?;
    while let Ok(Some(command)) = commands.next() {
        if let Ok(Some((version, _))) = command.build_version(endian) {
            let mut found = MachOBuildVersion::default();
            found.platform = version.platform.get(endian);
            found.minos = version.minos.get(endian);
            found.sdk = version.sdk.get(endian);
            return Some(found);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_exports_is_found_however_rustc_passes_it() {
        let folder = tempfile::tempdir().unwrap();
        let list = folder.path().join("list");
        std::fs::write(&list, "_rust\n").unwrap();
        let list = list.display();
        for words in [
            vec![format!("-Wl,-exported_symbols_list,{list}")],
            vec!["-Wl,-exported_symbols_list".to_owned(), format!("-Wl,{list}")],
        ] {
            let mut words: Vec<OsString> = words.into_iter().map(OsString::from).collect();
            words.push("-Wl,-dead_strip".into());
            let mut arguments = Arguments { words };
            let native = Native::of_names(["_store"]);
            export(&mut arguments, &native, true, folder.path()).unwrap();
            let text = arguments.words.iter().map(|w| w.to_string_lossy()).collect::<Vec<_>>().join(" ");
            let ours = folder.path().join("exported-symbols");
            assert!(text.contains(&format!("{} -Wl,-dead_strip -Wl,-u,_store", ours.display())), "{text}");
            assert_eq!(std::fs::read_to_string(ours).unwrap(), "_rust\n\n_store\n");
        }
    }

    #[test]
    fn what_stands_before_a_name_is_not_of_the_file() {
        assert_eq!(file_name("@rpath/libapp_api-0123.dylib"), "libapp_api-0123.dylib");
        assert_eq!(file_name("/usr/lib/libSystem.B.dylib"), "/usr/lib/libSystem.B.dylib");
        assert!(is_for("aarch64-apple-darwin") && !is_for("x86_64-unknown-linux-gnu"));
    }
}
