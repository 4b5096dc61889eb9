//! `stabby`, as its documentation uses it where libraries are loaded at run time: `libloading`, and symbols whose types
//! are checked by the reports that the plugin carries.

use bench_runner::{Answer, Peer, cannot, loops, names::Asked};
use libloading::Library;
use stabby::libloading::StabbyLibrary;
use stabby_api::{AnyCounter, CounterDyn, Item, List, MakeCounter, Number, Text};
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
    counter: AnyCounter,
    list: List,
    _library: Library,
}

type Failed = Box<dyn std::error::Error + Send + Sync>;

/// Opens a library and asks for its only function.
fn open<T: stabby::IStable>(path: &str) -> Result<Library, Failed> {
    // SAFETY: the driver built the library; stabby checks the type.
    unsafe {
        let library = Library::new(path)?;
        library.get_stabbied::<T>(b"number")?;
        Ok(library)
    }
}

impl Host {
    fn load(&mut self, path: &str) -> Result<(), Failed> {
        // SAFETY: the driver built the library; stabby checks the types.
        unsafe {
            let library = Library::new(path)?;
            let counter = *library.get_stabbied::<MakeCounter>(b"counter")?;
            self.calls = Some(Calls {
                number: *library.get_stabbied::<Number>(b"number")?,
                text: *library.get_stabbied::<Text>(b"text")?,
                counter: counter(),
                list: *library.get_stabbied::<List>(b"list")?,
                _library: library,
            });
        }
        Ok(())
    }
}

impl Peer for Host {
    fn answer(&mut self, what: &str, count: u64, argument: &str) -> Answer {
        let calls = || self.calls.as_ref().ok_or("nothing is loaded");
        match what {
            "load" => self.load(argument).map(|()| 1.0).map_err(|error| error.to_string().into()),
            "load names" => {
                // SAFETY: as above.
                self.names = Some((unsafe { Library::new(argument) }?, Asked::of(u32::try_from(count)?)));
                Ok(1.0)
            }
            "number" => {
                let number = calls()?.number;
                Ok(loops::numbers(count, |x| number(x)))
            }
            "text" => {
                let text = calls()?.text;
                Ok(loops::texts(count, |name| text(name.into())))
            }
            "method" => {
                let counter = &calls()?.counter;
                Ok(loops::numbers(count, |x| counter.count(x)))
            }
            "list" => {
                let list = calls()?.list;
                let items = (0..loops::ELEMENTS).map(Item::new).collect();
                Ok(loops::lists(count, items, |items| list(items)))
            }
            "lookup" => {
                let (library, asked) = self.names.as_ref().ok_or("no names are loaded")?;
                loops::each(count, asked.names().iter(), |name| {
                    // SAFETY: as above.
                    let found = unsafe { library.get_stabbied::<Number>(name.as_bytes()) };
                    std::hint::black_box(*found.map_err(|error| error.to_string())?);
                    Ok(())
                })
            }
            "open" => {
                let began = Instant::now();
                let library = open::<Number>(argument).map_err(|error| error.to_string())?;
                let took = loops::since(began);
                self.opened.push(library);
                Ok(took)
            }
            "reopen" => {
                self.opened.push(open::<Number>(argument).map_err(|error| error.to_string())?);
                let began = Instant::now();
                for _ in 0..count {
                    self.opened.push(open::<Number>(argument).map_err(|error| error.to_string())?);
                }
                Ok(loops::since(began))
            }
            // The plugin is the right one, and the host asks for a function of another type.
            "refuse" => {
                let began = Instant::now();
                let error = open::<extern "C" fn(u32) -> u64>(argument).err().ok_or("it was not refused")?;
                let text = error.to_string();
                let took = loops::since(began);
                std::hint::black_box(text);
                Ok(took)
            }
            "discover" => {
                let began = Instant::now();
                let mut found = 0;
                for entry in std::fs::read_dir(argument)? {
                    let path = entry?.path();
                    found += u64::from(path.to_str().is_some_and(|path| open::<Number>(path).is_ok()));
                }
                if found != count { cannot("not all were found") } else { Ok(loops::since(began)) }
            }
            _ => cannot("it has no such thing"),
        }
    }
}

fn main() -> std::io::Result<()> {
    bench_runner::serve(&mut Host::default())
}
