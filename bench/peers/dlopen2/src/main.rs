//! `dlopen2`, as its documentation uses it: a structure of functions that is filled from the library, and symbols by name.

use bench_runner::{Answer, Peer, cannot, loops, names::Asked};
use c_api::{Counter, Item, Number, Piece};
use dlopen2::symbor::Library;
use dlopen2::wrapper::{Container, WrapperApi};
use std::ffi::CStr;
use std::time::Instant;

#[derive(WrapperApi)]
struct Calls {
    number: extern "C" fn(x: u64) -> u64,
    text: extern "C" fn(start: *const u8, length: usize) -> Piece<u8>,
    free_text: extern "C" fn(text: Piece<u8>),
    counter: extern "C" fn() -> Counter,
    list: extern "C" fn(items: Piece<Item>) -> Piece<Item>,
}

#[derive(WrapperApi)]
struct Trivial {
    number: extern "C" fn(x: u64) -> u64,
}

#[derive(Default)]
struct Host {
    calls: Option<Container<Calls>>,
    names: Option<(Library, Asked)>,
    opened: Vec<Container<Trivial>>,
}

impl Peer for Host {
    fn answer(&mut self, what: &str, count: u64, argument: &str) -> Answer {
        // SAFETY: the driver names libraries that it built, with functions of these types.
        let open = || unsafe { Container::<Trivial>::load(argument) };
        let calls = || self.calls.as_ref().ok_or("nothing is loaded");
        match what {
            "load" => {
                // SAFETY: as above.
                self.calls = Some(unsafe { Container::load(argument) }?);
                Ok(1.0)
            }
            "load names" => {
                self.names = Some((Library::open(argument)?, Asked::of(u32::try_from(count)?)));
                Ok(1.0)
            }
            "number" => {
                let calls = calls()?;
                Ok(loops::numbers(count, |x| calls.number(x)))
            }
            "text" => {
                let calls = calls()?;
                Ok(loops::texts(count, |name| {
                    let piece = calls.text(name.as_ptr(), name.len());
                    // SAFETY: the plugin gives a text of UTF-8. Its memory is the plugin's, so the host copies it.
                    let bytes = unsafe { std::slice::from_raw_parts(piece.start, piece.length) };
                    let own = unsafe { std::str::from_utf8_unchecked(bytes) }.to_owned();
                    calls.free_text(piece);
                    own
                }))
            }
            "method" => {
                let counter = calls()?.counter();
                Ok(loops::numbers(count, |x| (counter.count)(counter.data, x)))
            }
            "list" => {
                let calls = calls()?;
                let items = Piece::of((0..loops::ELEMENTS).map(Item::new).collect());
                Ok(loops::lists(count, items, |items| calls.list(items)))
            }
            "lookup" => {
                let (library, asked) = self.names.as_ref().ok_or("no names are loaded")?;
                loops::each(count, asked.with_zero().iter(), |name| {
                    let name = CStr::from_bytes_with_nul(name.as_bytes())?;
                    // SAFETY: all that the library exports are such functions.
                    let found = unsafe { library.symbol_cstr::<Number>(name) }?;
                    std::hint::black_box(*found);
                    Ok(())
                })
            }
            "open" => {
                let began = Instant::now();
                let container = open()?;
                let took = loops::since(began);
                self.opened.push(container);
                Ok(took)
            }
            "reopen" => {
                self.opened.push(open()?);
                let began = Instant::now();
                for _ in 0..count {
                    self.opened.push(open()?);
                }
                Ok(loops::since(began))
            }
            "discover" => {
                let began = Instant::now();
                let mut found = 0;
                for entry in std::fs::read_dir(argument)? {
                    // SAFETY: as above.
                    found += u64::from(unsafe { Container::<Trivial>::load(entry?.path()) }.is_ok());
                }
                if found != count { cannot("not all were found") } else { Ok(loops::since(began)) }
            }
            _ => cannot("dlopen2 believes the type that the host names, and refuses nothing"),
        }
    }
}

fn main() -> std::io::Result<()> {
    bench_runner::serve(&mut Host::default())
}
