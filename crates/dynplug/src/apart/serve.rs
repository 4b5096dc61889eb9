//! The other side: what an API library does in the process of a plugin.

use super::message::{DESCRIBE, Description, FIRST, GOOD, Item, NO_RESULT, NOT_CALLED, SHAPES, type_id};
use crate::loader::{Load, Loader};
use crate::plugin::{Plugin, Symbol};
use crate::wire::{Error, Input, Output, Shapes, Source};
use dynplug_manifest::image::Image;
use dynplug_process::channel::{Answer, Asked, Served};
use dynplug_process::contract::{FAILED, Order, REFUSED};
use std::ffi::{CStr, OsStr, c_int};
use std::io::Write;
use std::mem::offset_of;
use std::os::fd::{FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Opens a plugin and serves it; see [`dynplug_process::contract::Serve`].
///
/// # Safety
///
/// The order must be one, with a path that ends with a zero byte.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dynplug_serve_1(order: *const Order) -> c_int {
    // SAFETY: the caller's word. What a runner of another version doesn't have is not read.
    let (path, threads, loaded, records, libraries) = unsafe {
        let has_records = (*order).size >= offset_of!(Order, records) + size_of::<c_int>();
        let records = if has_records { (*order).records } else { -1 };
        let has_libraries = (*order).size >= offset_of!(Order, library_count) + size_of::<usize>();
        let count = if has_libraries { (*order).library_count } else { 0 };
        let libraries: Vec<&CStr> =
            (0..count).map(|at| CStr::from_ptr(*(*order).libraries.add(at))).collect();
        (CStr::from_ptr((*order).path), (*order).threads, (*order).loaded, records, libraries)
    };
    // SAFETY: the runner gives it away.
    let records = (records >= 0).then(|| unsafe { OwnedFd::from_raw_fd(records) });
    let path = file(path);
    let served = match Served::from_stdin() {
        Ok(served) => served,
        Err(error) => {
            eprintln!("{error}");
            return FAILED;
        }
    };
    // From here on code of others runs.
    #[cfg(any(feature = "log", feature = "tracing"))]
    if let Some(pipe) = records {
        super::records::install(pipe, served.notice());
    }
    #[cfg(not(any(feature = "log", feature = "tracing")))]
    drop(records);
    let loader = Loader::new().load(Load::InPlace).libraries(libraries.into_iter().map(file));
    // SAFETY: whoever starts a process for a plugin means to run it, honest or not: what it does is confined to this process.
    // The file is sealed, so nobody writes to it.
    let plugin = match unsafe { loader.open(path) } {
        Ok(plugin) => plugin,
        Err(error) => {
            eprintln!("{error}");
            return REFUSED;
        }
    };
    if loaded() != 0 {
        return FAILED;
    }
    let symbols: Vec<&'static Symbol> = plugin.symbols().collect();
    let threads = usize::try_from(threads).unwrap_or(1);
    match served.serve(threads, move |asked, answer| serve(plugin, &symbols, asked, answer)) {
        Ok(()) => 0,
        Err(error) => {
            eprintln!("{error}");
            FAILED
        }
    }
}

fn file(path: &CStr) -> &Path {
    Path::new(OsStr::from_bytes(path.to_bytes()))
}

impl Loader {
    /// Has libraries that plugins share looked for among these files, wherever they are. What isn't one isn't found there.
    fn libraries<'p>(mut self, paths: impl Iterator<Item = &'p Path>) -> Loader {
        let id = |path: &Path| {
            let bytes = std::fs::read(path).ok()?;
            Some(Image::parse(&bytes).ok()?.manifest().ok()??.id)
        };
        self.terms.libraries = paths.filter_map(|path| Some((id(path)?, path.to_owned()))).collect();
        self
    }
}

fn serve(plugin: &Plugin, symbols: &[&Symbol], asked: Asked<'_>, answer: &mut Answer<'_>) -> u32 {
    let done = match asked.function {
        DESCRIBE => Output::new(answer).write(&describe(plugin, symbols)),
        SHAPES => shapes(symbols, asked.bytes, answer),
        number => call(symbols, number, asked.bytes, answer),
    };
    let (status, error) = match done {
        Ok(()) => return GOOD,
        Err(error @ Error::Result(_)) => (NO_RESULT, error),
        Err(error) => (NOT_CALLED, error),
    };
    answer.clear();
    // It takes all bytes.
    let _ = write!(answer, "{error}");
    status
}

fn call(symbols: &[&Symbol], number: u32, bytes: &[u8], answer: &mut Answer<'_>) -> Result<(), Error> {
    let symbol = number.checked_sub(FIRST).and_then(|at| symbols.get(at as usize));
    let wire = symbol.and_then(|symbol| symbol.wire()).ok_or(Error::NotCarried)?;
    (wire.serve)(&mut Input::new(bytes), &mut Output::new(answer))
}

fn shapes(symbols: &[&Symbol], bytes: &[u8], answer: &mut Answer<'_>) -> Result<(), Error> {
    let at: u32 = Input::new(bytes).read()?;
    let wire = symbols.get(at as usize).and_then(|symbol| symbol.wire()).ok_or(Error::NotCarried)?;
    Output::new(answer).write(&Shapes::of(wire.shape)?)
}

fn describe(plugin: &Plugin, symbols: &[&Symbol]) -> Description {
    let mut items = Vec::with_capacity(symbols.len());
    for symbol in symbols {
        items.push(Item {
            name: symbol.name().to_owned(),
            type_id: type_id(symbol.type_id()),
            type_name: symbol.type_name().to_owned(),
            obstacles: symbol.obstacles(),
        });
    }
    Description { name: plugin.name().to_owned(), version: plugin.version().to_owned(), items }
}
