//! dynplug, as its documentation uses it, and what a call can cost at the least.

mod limits;

use bench_api::dynplug::{Loader, Plugin};
use bench_api::{Counter, Item};
use bench_runner::{Answer, Peer, cannot, loops, names::Asked};
#[cfg(feature = "linked")]
use calls as _;
use std::hint::black_box;
use std::time::Instant;

#[derive(Default)]
struct Host {
    calls: Option<Calls>,
    names: Option<(&'static Plugin, Asked)>,
    opened: Vec<libloading::Library>,
}

/// Functions to be called: the plugin's, or the host's own.
struct Calls {
    number: fn(u64) -> u64,
    text: fn(&str) -> String,
    counter: Box<dyn Counter>,
    list: fn(Vec<Item>) -> Vec<Item>,
}

impl Calls {
    fn of(plugin: &'static Plugin) -> Result<Calls, Box<dyn std::error::Error>> {
        let counter: fn() -> Box<dyn Counter> = plugin.lookup("counter")?;
        Ok(Calls {
            number: plugin.lookup("number")?,
            text: plugin.lookup("text")?,
            counter: counter(),
            list: plugin.lookup("list")?,
        })
    }

    /// The host's own, of which the compiler doesn't know that they are these.
    fn own() -> Calls {
        Calls {
            number: black_box(limits::number),
            text: black_box(limits::text),
            counter: black_box(Box::new(limits::Seven(black_box(7)))),
            list: black_box(limits::list),
        }
    }

    /// The same machine code whoever is called, so that nothing but the callee differs.
    #[inline(never)]
    fn run(&self, what: &str, count: u64) -> Answer {
        match what {
            "number" => Ok(numbers(count, self.number)),
            "text" => Ok(texts(count, self.text)),
            "method" => Ok(methods(count, &*self.counter)),
            "list" => Ok(lists(count, self.list)),
            _ => cannot("there is no such call"),
        }
    }
}

#[inline(never)]
fn numbers(count: u64, call: fn(u64) -> u64) -> f64 {
    loops::numbers(count, |x| call(x))
}

#[inline(never)]
fn texts(count: u64, call: fn(&str) -> String) -> f64 {
    loops::texts(count, |name| call(name))
}

#[inline(never)]
fn methods(count: u64, counter: &dyn Counter) -> f64 {
    loops::numbers(count, |x| counter.count(x))
}

#[inline(never)]
fn lists(count: u64, call: fn(Vec<Item>) -> Vec<Item>) -> f64 {
    loops::lists(count, (0..loops::ELEMENTS).map(Item::new).collect(), |items| call(items))
}

/// Calls of what the compiler knows.
fn direct(what: &str, count: u64) -> Answer {
    match what {
        "number" => Ok(loops::numbers(count, limits::number)),
        "text" => Ok(loops::texts(count, limits::text)),
        "method" => {
            let seven = black_box(limits::Seven(7));
            Ok(loops::numbers(count, |x| seven.count(x)))
        }
        "list" => Ok(loops::lists(count, (0..loops::ELEMENTS).map(Item::new).collect(), limits::list)),
        _ => cannot("there is no such call"),
    }
}

fn open(path: &str) -> Result<&'static Plugin, Box<dyn std::error::Error>> {
    // SAFETY: the driver names plugins that it built.
    Ok(unsafe { Plugin::open(path) }?)
}

impl Peer for Host {
    fn answer(&mut self, what: &str, count: u64, argument: &str) -> Answer {
        if let Some(what) = what.strip_prefix("pointer ") {
            return Calls::own().run(what, count);
        }
        if let Some(what) = what.strip_prefix("direct ") {
            return direct(what, count);
        }
        match what {
            "load" => {
                self.calls = Some(Calls::of(open(argument)?)?);
                Ok(1.0)
            }
            "load names" => {
                self.names = Some((open(argument)?, Asked::of(u32::try_from(count)?)));
                Ok(1.0)
            }
            "lookup" => {
                let (plugin, asked) = self.names.as_ref().ok_or("no names are loaded")?;
                loops::each(count, asked.names().iter(), |name| {
                    black_box(plugin.lookup::<fn(u64) -> u64>(name)?);
                    Ok(())
                })
            }
            "open" => {
                let began = Instant::now();
                let plugin = open(argument)?;
                let took = loops::since(began);
                black_box(plugin);
                Ok(took)
            }
            "libloading open" => {
                let began = Instant::now();
                // SAFETY: the plugin was built for this very host, and its constructors do nothing.
                let library = unsafe { libloading::Library::new(argument) }?;
                let took = loops::since(began);
                self.opened.push(library);
                Ok(took)
            }
            // The least that a private copy takes, whoever makes it: no look at what is in the file, no check, no memory of it.
            "copy open" => {
                let began = Instant::now();
                let bytes = std::fs::read(argument)?;
                let (name, file) = limits::sealed(&bytes)?;
                // SAFETY: as above.
                let library = unsafe { libloading::Library::new(name) }?;
                let took = loops::since(began);
                // The loader knows the library by its name, which must not become another file's.
                std::mem::forget(file);
                self.opened.push(library);
                Ok(took)
            }
            "reopen" => {
                open(argument)?;
                let began = Instant::now();
                for _ in 0..count {
                    black_box(open(argument)?);
                }
                Ok(loops::since(began))
            }
            "refuse" => {
                let began = Instant::now();
                let error = open(argument).err().ok_or("it was not refused")?;
                let took = loops::since(began);
                black_box(error);
                Ok(took)
            }
            // With the text for people.
            "refuse and say" => {
                let began = Instant::now();
                let text = open(argument).err().ok_or("it was not refused")?.to_string();
                let took = loops::since(began);
                black_box(text);
                Ok(took)
            }
            "discover" => {
                let loader = Loader::new().folder(argument);
                let began = Instant::now();
                let found = loader.discover();
                let fit = found.found.iter().filter(|plugin| plugin.fits().is_ok()).count();
                let took = loops::since(began);
                if fit as u64 != count { cannot("not all were found") } else { Ok(took) }
            }
            what => self.calls.as_ref().ok_or("nothing is loaded")?.run(what, count),
        }
    }
}

fn main() -> std::io::Result<()> {
    bench_runner::serve(&mut Host::default())
}
