//! The smallest host.

fn main() -> Result<(), libloading::Error> {
    let path = std::env::args_os().nth(1).unwrap_or_default();
    // SAFETY: the library is the one that was built for this.
    let library = unsafe { libloading::Library::new(path) }?;
    let number: libloading::Symbol<'_, extern "C" fn(u64) -> u64> = unsafe { library.get(c"number") }?;
    println!("Hello, number {}", number(7));
    Ok(())
}
