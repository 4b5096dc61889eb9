//! The smallest host.

use stabby::libloading::StabbyLibrary;

fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let path = std::env::args_os().nth(1).unwrap_or_default();
    // SAFETY: the library is the one that was built for this.
    let library = unsafe { libloading::Library::new(path) }?;
    let number = unsafe { library.get_stabbied::<extern "C" fn(u64) -> u64>(b"number") }?;
    println!("Hello, number {}", number(7));
    Ok(())
}
