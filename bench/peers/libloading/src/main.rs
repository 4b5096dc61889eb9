//! `libloading`, as its documentation uses it: a library, symbols of a type that the host names.

use bench_runner::{Answer, Peer, cannot, loops, names::Asked};
use c_api::{Counter, FreeText, Item, List, MakeCounter, Number, Piece, Text};
use libloading::{Library, Symbol};
use std::time::Instant;

#[derive(Default)]
struct Host {
    calls: Option<Calls>,
    names: Option<(Library, Asked)>,
    opened: Vec<Library>,
}

struct Calls {
    number: Number,
    text: Text,
    free_text: FreeText,
    counter: Counter,
    list: List,
    _library: Library,
}

impl Host {
    fn load(&mut self, path: &str) -> Answer {
        // SAFETY: the driver built the library, and its functions have these types.
        unsafe {
            let library = Library::new(path)?;
            let counter: Symbol<'_, MakeCounter> = library.get(c"counter")?;
            self.calls = Some(Calls {
                number: *library.get::<Number>(c"number")?,
                text: *library.get::<Text>(c"text")?,
                free_text: *library.get::<FreeText>(c"free_text")?,
                counter: counter(),
                list: *library.get::<List>(c"list")?,
                _library: library,
            });
        }
        Ok(1.0)
    }

    fn lookup(&self, count: u64) -> Answer {
        let (library, asked) = self.names.as_ref().ok_or("no names are loaded")?;
        loops::each(count, asked.with_zero().iter(), |name| {
            // SAFETY: all that the library exports are such functions.
            let found: Symbol<'_, Number> = unsafe { library.get(name.as_bytes()) }?;
            std::hint::black_box(*found);
            Ok(())
        })
    }
}

impl Peer for Host {
    fn answer(&mut self, what: &str, count: u64, argument: &str) -> Answer {
        // SAFETY: the driver names libraries that it built.
        let open = || unsafe { Library::new(argument) };
        let calls = || self.calls.as_ref().ok_or("nothing is loaded");
        match what {
            "load" => self.load(argument),
            "load names" => {
                self.names = Some((open()?, Asked::of(u32::try_from(count)?)));
                Ok(1.0)
            }
            "number" => {
                let number = calls()?.number;
                Ok(loops::numbers(count, |x| number(x)))
            }
            "text" => {
                let &Calls { text, free_text, .. } = calls()?;
                Ok(loops::texts(count, |name| {
                    let piece = text(name.as_ptr(), name.len());
                    // SAFETY: the plugin gives a text of UTF-8. Its memory is the plugin's, so the host copies it.
                    let bytes = unsafe { std::slice::from_raw_parts(piece.start, piece.length) };
                    let own = unsafe { std::str::from_utf8_unchecked(bytes) }.to_owned();
                    free_text(piece);
                    own
                }))
            }
            "method" => {
                let counter = calls()?.counter;
                Ok(loops::numbers(count, |x| (counter.count)(counter.data, x)))
            }
            "list" => {
                let list = calls()?.list;
                let items = Piece::of((0..loops::ELEMENTS).map(Item::new).collect());
                Ok(loops::lists(count, items, |items| list(items)))
            }
            "lookup" => self.lookup(count),
            "open" => {
                let began = Instant::now();
                let library = open()?;
                let took = loops::since(began);
                self.opened.push(library);
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
            // What a host has to do that wants to know what there is: open each, ask, and close it again.
            "discover" => {
                let began = Instant::now();
                let mut found = 0;
                for entry in std::fs::read_dir(argument)? {
                    // SAFETY: as above.
                    let library = unsafe { Library::new(entry?.path()) }?;
                    found += u64::from(unsafe { library.get::<Number>(c"number") }.is_ok());
                }
                if found != count { cannot("not all were found") } else { Ok(loops::since(began)) }
            }
            _ => cannot("libloading believes the type that the host names, and refuses nothing"),
        }
    }
}

fn main() -> std::io::Result<()> {
    bench_runner::serve(&mut Host::default())
}
