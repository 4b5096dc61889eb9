//! The tables of the image that this very code is part of: the API library, or a program that plain cargo linked.

use crate::__private::InitEntry;

/// The init functions that are linked into this image.
#[cfg(any(target_os = "linux", target_os = "freebsd"))]
pub(crate) fn own_inits() -> &'static [&'static InitEntry] {
    unsafe extern "C" {
        // The linker makes these for a section whose name is a C identifier, hidden in the image.
        #[link_name = "__start_dp_init"]
        static START: u8;
        #[link_name = "__stop_dp_init"]
        static STOP: u8;
    }
    /// Makes sure that there is such a section.
    #[used]
    #[unsafe(link_section = "dp_init")]
    static NONE: [&InitEntry; 0] = [];
    let (start, stop) = (&raw const START, &raw const STOP);
    let count = (stop as usize - start as usize) / size_of::<&InitEntry>();
    // SAFETY: between the two symbols lies the section of this image, and only `#[init]` puts anything into it: references
    // to init entries.
    unsafe { std::slice::from_raw_parts(start.cast(), count) }
}

/// The init functions that are linked into this image.
#[cfg(not(any(target_os = "linux", target_os = "freebsd")))]
pub(crate) fn own_inits() -> &'static [&'static InitEntry] {
    &[]
}
