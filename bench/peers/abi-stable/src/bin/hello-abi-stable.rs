//! The smallest host.

use abi_api::Trivial_Ref;
use abi_stable::library::{LibraryError, lib_header_from_path};

fn main() -> Result<(), LibraryError> {
    let path = std::env::args_os().nth(1).unwrap_or_default();
    let module = lib_header_from_path(path.as_ref())?.init_root_module::<Trivial_Ref>()?;
    println!("Hello, number {}", module.number()(7));
    Ok(())
}
