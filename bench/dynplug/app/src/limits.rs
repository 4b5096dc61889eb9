//! The limits: what the plugin does, in the host itself, as functions of which none is inlined; and a private copy, as bare as it
//! can be.

use bench_api::{Counter, Item};
use std::fs::File;
use std::io::{Error, Result, Write};
use std::os::fd::{AsRawFd, FromRawFd};

/// The bytes in a sealed file in memory, and the name by which the loader opens it.
pub fn sealed(bytes: &[u8]) -> Result<(String, File)> {
    // SAFETY: the name is a C string.
    let fd = unsafe { libc::memfd_create(c"limit".as_ptr(), libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING) };
    if fd < 0 {
        return Err(Error::last_os_error());
    }
    // SAFETY: the descriptor is new.
    let mut file = unsafe { File::from_raw_fd(fd) };
    file.write_all(bytes)?;
    let seals = libc::F_SEAL_SEAL | libc::F_SEAL_SHRINK | libc::F_SEAL_GROW | libc::F_SEAL_WRITE;
    // SAFETY: the descriptor is open, and the call takes an integer.
    if unsafe { libc::fcntl(file.as_raw_fd(), libc::F_ADD_SEALS, seals) } != 0 {
        return Err(Error::last_os_error());
    }
    Ok((format!("/proc/{}/fd/{fd}", std::process::id()), file))
}

#[inline(never)]
pub fn number(x: u64) -> u64 {
    bench_runner::loops::step(x)
}

#[inline(never)]
pub fn text(name: &str) -> String {
    ["Hello, ", name].concat()
}

pub struct Seven(pub u64);

impl Counter for Seven {
    #[inline(never)]
    fn count(&self, x: u64) -> u64 {
        x.wrapping_add(self.0)
    }
}

#[inline(never)]
pub fn list(mut items: Vec<Item>) -> Vec<Item> {
    if let Some(first) = items.first_mut() {
        first.id = first.id.wrapping_add(1);
    }
    items
}
