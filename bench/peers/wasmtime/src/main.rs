//! `wasmtime`, as its documentation uses it where modules are compiled ahead: `Engine::precompile_module` once, and
//! `Module::deserialize_file` for each open.

use bench_runner::apart;
use bench_runner::{Answer, Peer, cannot, loops, names, names::Asked};
use c_api::Item;
use std::path::{Path, PathBuf};
use std::time::Instant;
use wasmtime::{Engine, Instance, Memory, Module, Result, Store, TypedFunc};

struct Host {
    engine: Engine,
    store: Store<()>,
    calls: Option<Calls>,
    names: Option<(Instance, Asked)>,
    opened: Vec<(Store<()>, Instance)>,
}

struct Calls {
    memory: Memory,
    number: TypedFunc<u64, u64>,
    text: TypedFunc<(u32, u32), u64>,
    room: TypedFunc<u32, u32>,
    free: TypedFunc<(u32, u32), ()>,
    list: TypedFunc<(u32, u32), ()>,
    bytes: TypedFunc<(u32, u32), ()>,
}

/// Calls of a module are calls from the host's memory into another, though in one process.
struct Apart<'h>(&'h mut Store<()>, &'h Calls);

impl apart::Calls for Apart<'_> {
    fn number(&mut self, x: u64) -> apart::Result<u64> {
        Ok(self.1.number.call(&mut *self.0, x)?)
    }

    fn bytes(&mut self, bytes: Vec<u8>) -> apart::Result<Vec<u8>> {
        let Apart(store, calls) = self;
        let size = bytes.len() as u32;
        let place = calls.room.call(&mut **store, size)?;
        calls.memory.write(&mut **store, place as usize, &bytes)?;
        drop(bytes);
        calls.bytes.call(&mut **store, (place, size))?;
        let start = place as usize;
        let back = calls.memory.data(&**store).get(start..start + size as usize).unwrap_or_default().to_vec();
        calls.free.call(&mut **store, (place, size))?;
        Ok(back)
    }

    fn processes(&self) -> Vec<u32> {
        Vec::new()
    }
}

/// Compiles it ahead, beside the module.
fn compiled(engine: &Engine, path: &Path) -> Result<PathBuf> {
    let file = path.with_extension("cwasm");
    std::fs::write(&file, engine.precompile_module(&std::fs::read(path)?)?)?;
    Ok(file)
}

impl Host {
    fn instance(&mut self, path: &str) -> Result<Instance> {
        let file = compiled(&self.engine, path.as_ref())?;
        // SAFETY: it was compiled just now.
        let module = unsafe { Module::deserialize_file(&self.engine, file) }?;
        Instance::new(&mut self.store, &module, &[])
    }

    fn load(&mut self, path: &str) -> Result<()> {
        let instance = self.instance(path)?;
        let store = &mut self.store;
        self.calls = Some(Calls {
            memory: instance
                .get_memory(&mut *store, "memory")
                .ok_or(wasmtime::Error::msg("it has no memory"))?,
            number: instance.get_typed_func(&mut *store, "number")?,
            text: instance.get_typed_func(&mut *store, "text")?,
            room: instance.get_typed_func(&mut *store, "room")?,
            free: instance.get_typed_func(&mut *store, "free")?,
            list: instance.get_typed_func(&mut *store, "list")?,
            bytes: instance.get_typed_func(&mut *store, "bytes")?,
        });
        Ok(())
    }

    /// A module with as many functions, as text.
    fn load_names(&mut self, count: u32) -> Result<()> {
        let line = |name: &str, number| {
            format!(
                "(func (export \"{name}\") (param i64) (result i64) (i64.add (local.get 0) (i64.const {number})))"
            )
        };
        let text = format!("(module {})", names::source(count, line));
        let module = Module::new(&self.engine, text)?;
        let instance = Instance::new(&mut self.store, &module, &[])?;
        self.names = Some((instance, Asked::of(count)));
        Ok(())
    }

    fn text(store: &mut Store<()>, calls: &Calls, name: &str) -> Result<String> {
        let length = name.len() as u32;
        let place = calls.room.call(&mut *store, length)?;
        calls.memory.write(&mut *store, place as usize, name.as_bytes())?;
        let text = calls.text.call(&mut *store, (place, length))?;
        let (start, size) = ((text >> 32) as usize, text as u32 as usize);
        let bytes = calls.memory.data(&store).get(start..start + size).unwrap_or_default().to_vec();
        calls.free.call(&mut *store, (place, length))?;
        calls.free.call(&mut *store, (start as u32, size as u32))?;
        Ok(String::from_utf8(bytes)?)
    }

    fn list(store: &mut Store<()>, calls: &Calls, items: Vec<Item>) -> Result<Vec<Item>> {
        let size = size_of_val(&items[..]);
        let place = calls.room.call(&mut *store, size as u32)?;
        // SAFETY: any bytes of items may be looked at and be replaced by what the guest has, which lays them out alike; the
        // host has no padding that anybody reads.
        let bytes = unsafe { std::slice::from_raw_parts(items.as_ptr().cast::<u8>(), size) };
        calls.memory.write(&mut *store, place as usize, bytes)?;
        calls.list.call(&mut *store, (place, items.len() as u32))?;
        let mut items = items;
        // SAFETY: as above.
        let bytes = unsafe { std::slice::from_raw_parts_mut(items.as_mut_ptr().cast::<u8>(), size) };
        calls.memory.read(&mut *store, place as usize, bytes)?;
        calls.free.call(&mut *store, (place, size as u32))?;
        Ok(items)
    }

    /// Opens a module that was compiled ahead.
    fn open(&self, file: &Path) -> Result<(Store<()>, Instance)> {
        // SAFETY: the driver's `prepare` compiled it with this very program.
        let module = unsafe { Module::deserialize_file(&self.engine, file) }?;
        let mut store = Store::new(&self.engine, ());
        let instance = Instance::new(&mut store, &module, &[])?;
        instance.get_typed_func::<u64, u64>(&mut store, "number")?;
        Ok((store, instance))
    }
}

impl Peer for Host {
    fn answer(&mut self, what: &str, count: u64, argument: &str) -> Answer {
        match what {
            "load" => {
                self.load(argument)?;
                return Ok(1.0);
            }
            "load names" => {
                self.load_names(u32::try_from(count)?)?;
                return Ok(1.0);
            }
            "prepare" => {
                compiled(&self.engine, argument.as_ref())?;
                return Ok(1.0);
            }
            "lookup" => {
                let (instance, asked) = self.names.as_ref().ok_or("no names are loaded")?;
                return loops::each(count, asked.names().iter(), |name| {
                    std::hint::black_box(instance.get_typed_func::<u64, u64>(&mut self.store, name)?);
                    Ok(())
                });
            }
            "open" => {
                let began = Instant::now();
                let opened = self.open(argument.as_ref())?;
                let took = loops::since(began);
                self.opened.push(opened);
                return Ok(took);
            }
            "reopen" => {
                let began = Instant::now();
                for _ in 0..count {
                    self.opened.push(self.open(argument.as_ref())?);
                }
                return Ok(loops::since(began));
            }
            "discover" => {
                let began = Instant::now();
                let mut found = 0;
                for entry in std::fs::read_dir(argument)? {
                    // SAFETY: as above.
                    let module = unsafe { Module::deserialize_file(&self.engine, entry?.path()) }?;
                    found += u64::from(module.get_export("number").is_some());
                }
                let took = loops::since(began);
                return if found == count { Ok(took) } else { cannot("not all were found") };
            }
            "refuse" => {
                let began = Instant::now();
                let (mut store, instance) = self.open(argument.as_ref())?;
                let error = instance.get_typed_func::<u32, u64>(&mut store, "number").err();
                let text = error.ok_or("it was not refused")?.to_string();
                let took = loops::since(began);
                std::hint::black_box(text);
                return Ok(took);
            }
            _ => {}
        }
        let (calls, store) = (self.calls.as_ref().ok_or("nothing is loaded")?, &mut self.store);
        if let "hot" | "parked" | "bytes" | "bytes once" = what {
            return apart::answer(&mut Apart(store, calls), what, count);
        }
        let store = std::cell::RefCell::new(store);
        match what {
            "number" => Ok(loops::numbers(count, |x| {
                calls.number.call(&mut **store.borrow_mut(), x).unwrap_or_default()
            })),
            "text" => Ok(loops::texts(count, |name| {
                Host::text(&mut store.borrow_mut(), calls, name).unwrap_or_default()
            })),
            "list" => {
                let items = (0..loops::ELEMENTS).map(Item::new).collect();
                Ok(loops::lists(count, items, |items| {
                    Host::list(&mut store.borrow_mut(), calls, items).unwrap_or_default()
                }))
            }
            _ => cannot("a module exports functions, and no objects with methods"),
        }
    }
}

fn main() -> std::io::Result<()> {
    let engine = Engine::default();
    let store = Store::new(&engine, ());
    bench_runner::serve(&mut Host { engine, store, calls: None, names: None, opened: Vec::new() })
}
