//! One attempt to open a file: how it ended, and what it left in the process.

pub use dynplug;

use dynplug::image::ImageError;
use dynplug::{Load, Loader, NotAPlugin, OpenError, Plugin};
use std::collections::BTreeSet;
use std::error::Error;
use std::fs;
use std::path::Path;

/// The libraries that are loaded.
#[cfg(windows)]
pub fn traces() -> BTreeSet<String> {
    #[link(name = "kernel32")]
    unsafe extern "system" {
        fn GetCurrentProcess() -> *mut u8;
        fn K32EnumProcessModules(process: *mut u8, to: *mut *mut u8, size: u32, needed: *mut u32) -> i32;
        fn GetModuleFileNameW(module: *mut u8, to: *mut u16, size: u32) -> u32;
    }
    let mut modules = [std::ptr::null_mut(); 512];
    let mut needed = 0;
    // SAFETY: there is as much room as is said.
    let done = unsafe {
        K32EnumProcessModules(
            GetCurrentProcess(),
            modules.as_mut_ptr(),
            size_of_val(&modules) as u32,
            &mut needed,
        )
    };
    assert!(done != 0 && needed as usize <= size_of_val(&modules), "the system tells what is loaded");
    let name = |module: &*mut u8| {
        let mut name = [0; 1024];
        // SAFETY: as above.
        let length = unsafe { GetModuleFileNameW(*module, name.as_mut_ptr(), name.len() as u32) };
        String::from_utf16_lossy(&name[..length as usize])
    };
    modules[..needed as usize / size_of::<*mut u8>()].iter().map(name).collect()
}

/// The files and copies that are mapped, and the descriptors that are open.
#[cfg(not(windows))]
pub fn traces() -> BTreeSet<String> {
    let maps = fs::read_to_string("/proc/self/maps").expect("the system has /proc");
    let mut traces: BTreeSet<String> =
        maps.lines().filter(|line| line.contains('/')).map(str::to_owned).collect();
    let own = format!("/proc/{}/fd", std::process::id());
    for entry in fs::read_dir(&own).expect("the system has /proc").flatten() {
        let target = fs::read_link(entry.path()).unwrap_or_default();
        // The folder that is being listed is open meanwhile.
        if target != Path::new(&own) {
            traces.insert(format!("descriptor {:?} of {}", entry.file_name(), target.display()));
        }
    }
    traces
}

/// Opens the file and prints how that ended. Gives the plugin if it opened.
pub fn attempt(path: &Path, load: Load) -> Option<&'static Plugin> {
    let before = traces();
    // SAFETY: files that are damaged on purpose are refused. If one isn't, the test has found what it looks for.
    let outcome = unsafe { Loader::new().load(load).open(path) };
    let after = traces();
    match &outcome {
        Ok(plugin) => println!("opened {}", plugin.name()),
        Err(error) => {
            println!("refused as {}", variant(error));
            println!("{error}");
            let mut source = error.source();
            while let Some(error) = source {
                println!("because: {error}");
                source = error.source();
            }
        }
    }
    if before == after {
        println!("left nothing");
    }
    for trace in after.difference(&before) {
        println!("left behind: {trace}");
    }
    for trace in before.difference(&after) {
        println!("took away: {trace}");
    }
    outcome.ok()
}

/// The name of the error.
pub fn variant(error: &OpenError) -> String {
    match error {
        OpenError::Read { .. } => "Read".to_owned(),
        OpenError::NotAPlugin { found, .. } => match found {
            NotAPlugin::NotAFile { .. } => "NotAFile".to_owned(),
            NotAPlugin::Image(ImageError::NotAnImage { looks_like }) => format!("NotAnImage {looks_like:?}"),
            NotAPlugin::Image(ImageError::Truncated { .. }) => "Truncated".to_owned(),
            NotAPlugin::Image(ImageError::Malformed { .. }) => "Malformed".to_owned(),
            NotAPlugin::Image(ImageError::Manifest(_)) => "Manifest".to_owned(),
            NotAPlugin::Image(ImageError::SeveralManifests { .. }) => "SeveralManifests".to_owned(),
            NotAPlugin::OtherMachine { .. } => "OtherMachine".to_owned(),
            NotAPlugin::PlainBuild => "PlainBuild".to_owned(),
            NotAPlugin::Other { product, .. } => format!("Other {product:?}"),
            NotAPlugin::Foreign { .. } => "Foreign".to_owned(),
            NotAPlugin::Tables(_) => "Tables".to_owned(),
            NotAPlugin::Incomplete { .. } => "Incomplete".to_owned(),
            other => format!("an unknown kind: {other:?}"),
        },
        OpenError::Mismatch { mismatch, .. } => {
            let codes: Vec<&str> = mismatch.differences.iter().map(|d| d.code.name()).collect();
            format!("Mismatch {}", codes.join(" "))
        }
        OpenError::AlreadyLoaded { .. } => "AlreadyLoaded".to_owned(),
        OpenError::Init { .. } => "Init".to_owned(),
        OpenError::Map { .. } => "Map".to_owned(),
        other => format!("an unknown error: {other:?}"),
    }
}
