//! `abi_stable`, as its documentation uses it where there are many plugins: the header of each library, and its root
//! module, whose layout is checked.

use abi_api::{AnyCounter, Calls_Ref, Item, Trivial_Ref};
use abi_stable::library::lib_header_from_path;
use bench_runner::{Answer, Peer, cannot, loops};
use std::path::Path;
use std::time::Instant;

#[derive(Default)]
struct Host {
    calls: Option<(Calls_Ref, AnyCounter)>,
    opened: Vec<Trivial_Ref>,
}

fn open(path: &Path) -> Result<Trivial_Ref, Box<dyn std::error::Error>> {
    Ok(lib_header_from_path(path)?.init_root_module::<Trivial_Ref>()?)
}

impl Peer for Host {
    fn answer(&mut self, what: &str, count: u64, argument: &str) -> Answer {
        let calls = || self.calls.as_ref().ok_or("nothing is loaded");
        match what {
            "load" => {
                let module = lib_header_from_path(Path::new(argument))?.init_root_module::<Calls_Ref>()?;
                self.calls = Some((module, module.counter()()));
                Ok(1.0)
            }
            "number" => {
                let number = calls()?.0.number();
                Ok(loops::numbers(count, |x| number(x)))
            }
            "text" => {
                let text = calls()?.0.text();
                Ok(loops::texts(count, |name| text(name.into())))
            }
            "method" => {
                let counter = &calls()?.1;
                Ok(loops::numbers(count, |x| abi_api::Counter::count(counter, x)))
            }
            "list" => {
                let list = calls()?.0.list();
                let items = (0..loops::ELEMENTS).map(Item::new).collect();
                Ok(loops::lists(count, items, |items| list(items)))
            }
            "load names" | "lookup" => {
                cannot("a module is a structure of functions, and none is looked up by name")
            }
            "open" => {
                let began = Instant::now();
                let module = open(Path::new(argument))?;
                let took = loops::since(began);
                self.opened.push(module);
                Ok(took)
            }
            "reopen" => {
                self.opened.push(open(Path::new(argument))?);
                let began = Instant::now();
                for _ in 0..count {
                    self.opened.push(open(Path::new(argument))?);
                }
                Ok(loops::since(began))
            }
            "refuse" => {
                let began = Instant::now();
                let error = open(Path::new(argument)).err().ok_or("it was not refused")?;
                let text = error.to_string();
                let took = loops::since(began);
                std::hint::black_box(text);
                Ok(took)
            }
            "discover" => {
                let began = Instant::now();
                let mut found = 0;
                for entry in std::fs::read_dir(argument)? {
                    found += u64::from(open(&entry?.path()).is_ok());
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
