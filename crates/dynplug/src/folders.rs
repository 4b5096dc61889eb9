//! Where plugins are looked for by their names.

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::{Component, Path, PathBuf};

/// The crate that a name is of, if it is one and no path: it has no separator and no dot. A package's name is one, too;
/// its dashes are underscores in the crate's.
pub(crate) fn crate_name_of(path: &Path) -> Option<String> {
    let mut components = path.components();
    let (Some(Component::Normal(name)), None) = (components.next(), components.next()) else { return None };
    // Something else follows what isn't the whole of it: a separator.
    let name = name.to_str().filter(|name| path.as_os_str() == OsStr::new(name))?;
    Some(name.replace('-', "_")).filter(|name| is_crate_name(name))
}

/// Whether a library of a crate could be called so.
pub(crate) fn is_crate_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_')
}

/// What the system calls a library of this crate.
pub(crate) fn file_name(crate_name: &str) -> String {
    format!("{}{crate_name}{}", env::consts::DLL_PREFIX, env::consts::DLL_SUFFIX)
}

/// The folders that an environment variable lists, as `PATH` does.
pub(crate) fn listed_in(variable: &OsStr) -> Vec<PathBuf> {
    let list = env::var_os(variable).unwrap_or_default();
    env::split_paths(&list).filter(|folder| !folder.as_os_str().is_empty()).collect()
}

/// The folder `plugins` beside the program, where the build puts them.
pub(crate) fn beside_program() -> Option<PathBuf> {
    env::current_exe().ok().map(|program| program.with_file_name("plugins"))
}

/// Where this system has the plugins of a program: the user's own first, then what is there for all.
pub(crate) fn conventional(host: &str) -> Vec<PathBuf> {
    conventional_with(host, &|name| env::var_os(name))
}

fn conventional_with(host: &str, variable: &dyn Fn(&str) -> Option<OsString>) -> Vec<PathBuf> {
    // A relative folder in these variables means nothing.
    let folder = |name: &str| variable(name).map(PathBuf::from).filter(|folder| folder.is_absolute());
    let mut roots: Vec<Option<PathBuf>> = Vec::new();
    if cfg!(windows) {
        roots.extend([folder("APPDATA"), folder("ProgramData")]);
    } else if cfg!(target_vendor = "apple") {
        let support = "Library/Application Support";
        roots.extend([folder("HOME").map(|home| home.join(support)), Some(Path::new("/").join(support))]);
    } else {
        let home = folder("HOME");
        let data = folder("XDG_DATA_HOME").or_else(|| Some(home.as_ref()?.join(".local/share")));
        roots.extend([data, home.map(|home| home.join(".local/lib"))]);
        for root in ["/usr/local", "/usr"].map(Path::new) {
            if cfg!(target_pointer_width = "64") {
                roots.push(Some(root.join("lib64")));
            }
            roots.push(Some(root.join("lib")));
        }
    }
    roots.into_iter().flatten().map(|root| root.join(host).join("plugins")).collect()
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_no_separator_and_no_dot() {
        let name = |path: &str| crate_name_of(Path::new(path));
        assert_eq!(name("hello").as_deref(), Some("hello"));
        assert_eq!(name("hello-world_2").as_deref(), Some("hello_world_2"));
        assert_eq!(name("grüße").as_deref(), Some("grüße"));
        for path in
            ["", ".", "..", "./hello", "hello/", "a/hello", "/hello", "libhello.so", "hello world", "hello@1"]
        {
            assert_eq!(name(path), None, "{path}");
        }
    }

    #[test]
    #[cfg(all(unix, not(target_vendor = "apple"), target_pointer_width = "64"))]
    fn the_users_own_folders_come_first() {
        let all = ["/usr/local/lib64", "/usr/local/lib", "/usr/lib64", "/usr/lib"];
        let with = |variables: &'static [(&'static str, &'static str)]| {
            let variable = |name: &str| {
                variables.iter().find(|(known, _)| *known == name).map(|(_, value)| OsString::from(value))
            };
            conventional_with("app", &variable)
        };
        let wanted = |own: &[&str]| -> Vec<PathBuf> {
            own.iter().chain(&all).map(|root| Path::new(root).join("app/plugins")).collect()
        };
        assert_eq!(with(&[("HOME", "/home/u")]), wanted(&["/home/u/.local/share", "/home/u/.local/lib"]));
        let data = [("HOME", "/home/u"), ("XDG_DATA_HOME", "/data")];
        assert_eq!(
            conventional_with("app", &|n| data.iter().find(|d| d.0 == n).map(|d| d.1.into())),
            wanted(&["/data", "/home/u/.local/lib"])
        );
        assert_eq!(with(&[("XDG_DATA_HOME", "not/absolute")]), wanted(&[]));
    }
}
