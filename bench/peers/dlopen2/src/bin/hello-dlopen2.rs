//! The smallest host.

use dlopen2::wrapper::{Container, WrapperApi};

#[derive(WrapperApi)]
struct Trivial {
    number: extern "C" fn(x: u64) -> u64,
}

fn main() -> Result<(), dlopen2::Error> {
    let path = std::env::args_os().nth(1).unwrap_or_default();
    // SAFETY: the library is the one that was built for this.
    let library: Container<Trivial> = unsafe { Container::load(path) }?;
    println!("Hello, number {}", library.number(7));
    Ok(())
}
