//! What the runner and an API library have agreed on: the one function by which the library is asked to serve a plugin.
//!
//! The two may be of different versions of dynplug and of different compilers, so nothing but C stands here. A change that an
//! older side would misread is another name.

use std::ffi::{CStr, c_char, c_int};

/// The name of the function that an API library exports.
pub const SERVE: &CStr = c"dynplug_serve_1";

/// Opens the plugin, and serves calls on the channel that is the standard input until the host is gone.
///
/// Gives 0 when that was so, and [`REFUSED`] or [`FAILED`] when it came to nothing, of which the standard error says more.
pub type Serve = unsafe extern "C" fn(*const Order) -> c_int;

/// The plugin can't be opened.
pub const REFUSED: c_int = 3;

/// There is no channel, or the confinement can't be had.
pub const FAILED: c_int = 4;

/// What is to be served.
#[repr(C)]
#[derive(Debug)]
pub struct Order {
    /// The size of this structure in bytes; a later version may have more at its end.
    pub size: usize,
    /// The path of the plugin's file, which nobody changes as long as the process lives.
    pub path: *const c_char,
    /// How many calls are served at once.
    pub threads: c_int,
    /// Called once the plugin is mapped and initialised, and before the first call is served. It gives 0, or the library ends
    /// the process.
    pub loaded: extern "C" fn() -> c_int,
    /// The descriptor that takes [`records`](crate::records), the library's own from now on; or -1. There only if `size` says so.
    pub records: c_int,
    /// The paths of the libraries that the plugin shares with others, in no order. There only if `size` says so.
    pub libraries: *const *const c_char,
    /// How many they are.
    pub library_count: usize,
}
