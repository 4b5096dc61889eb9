//! The smallest host.

use wasmtime::{Engine, Instance, Module, Result, Store};

fn main() -> Result<()> {
    let path = std::env::args_os().nth(1).unwrap_or_default();
    let engine = Engine::default();
    // SAFETY: the module was compiled ahead for this.
    let module = unsafe { Module::deserialize_file(&engine, path) }?;
    let mut store = Store::new(&engine, ());
    let instance = Instance::new(&mut store, &module, &[])?;
    println!(
        "Hello, number {}",
        instance.get_typed_func::<u64, u64>(&mut store, "number")?.call(&mut store, 7)?
    );
    Ok(())
}
