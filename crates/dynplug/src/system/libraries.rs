//! Whether the system's loader would find a library by its name, asked without loading it.

use std::ffi::{CStr, c_int, c_void};
#[cfg(all(target_os = "linux", target_env = "gnu"))]
use std::path::Path;

/// Where glibc's loader looks when neither the environment nor its cache knows a library.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const FOLDERS: &[&str] = &["/lib64", "/usr/lib64", "/lib", "/usr/lib"];

/// Whether a library is loaded or would be found; none where that can't be told.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub(crate) fn is_there(name: &str) -> Option<bool> {
    if is_loaded(name) {
        return Some(true);
    }
    // A path is looked for nowhere else.
    if name.contains('/') {
        return Some(Path::new(name).exists());
    }
    let environment = std::env::var_os("LD_LIBRARY_PATH").unwrap_or_default();
    let folders = std::env::split_paths(&environment).chain(FOLDERS.iter().map(|f| Path::new(f).to_owned()));
    if folders.map(|f| f.join(name)).any(|p| p.exists()) {
        return Some(true);
    }
    // The cache is a table with a pool of texts, each with a zero at its end.
    let cache = std::fs::read("/etc/ld.so.cache").ok()?;
    Some(cache.split(|byte| *byte == 0).any(|text| text == name.as_bytes()))
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(crate) fn is_there(name: &str) -> Option<bool> {
    is_loaded(name).then_some(true)
}

/// Whether a library of that name is part of the process, by the last part of the path that it was loaded from.
///
/// Asking `dlopen` with RTLD_NOLOAD would wait for whoever is opening a plugin just now.
fn is_loaded(name: &str) -> bool {
    let mut search = Search { name: name.as_bytes(), found: false };
    let _list = super::keep_the_list_free();
    // SAFETY: the callback is called during the call only, with the pointer that is passed here.
    unsafe { libc::dl_iterate_phdr(Some(visit), (&raw mut search).cast()) };
    search.found
}

struct Search<'a> {
    name: &'a [u8],
    found: bool,
}

unsafe extern "C" fn visit(info: *mut libc::dl_phdr_info, _size: libc::size_t, data: *mut c_void) -> c_int {
    // SAFETY: `data` is the `Search` of the caller of dl_iterate_phdr, which uses it no other way meanwhile.
    let search = unsafe { &mut *data.cast::<Search<'_>>() };
    // SAFETY: the loader passes a valid record, whose name is null or a C string that stays during the call.
    let path = unsafe {
        let name = (*info).dlpi_name;
        if name.is_null() {
            return 0;
        }
        CStr::from_ptr(name).to_bytes()
    };
    search.found = path.rsplit(|b| *b == b'/').next() == Some(search.name);
    c_int::from(search.found)
}

#[cfg(all(test, target_os = "linux", target_env = "gnu"))]
mod tests {
    use super::is_there;

    #[test]
    fn what_is_loaded_installed_or_absent_is_told_apart() {
        assert_eq!(is_there("libc.so.6"), Some(true));
        assert_eq!(is_there("/nowhere/libnothing.so"), Some(false));
        assert_ne!(is_there("libdynplug-none-such.so.77"), Some(true));
    }
}
