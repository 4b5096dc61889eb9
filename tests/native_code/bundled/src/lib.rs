//! A crate with C code.

unsafe extern "C" {
    /// A variable of the C code.
    pub static mut store_shown: i32;
    /// Adds to it. Hidden in the C code.
    pub safe fn store_add(number: i32) -> i32;
    /// Calls a function, and adds how often something was counted.
    pub safe fn store_call(function: extern "C" fn(i32) -> i32, number: i32) -> i32;
    safe fn store_count() -> i32;
    safe fn store_of_this_thread() -> i32;
    safe fn unused_next() -> i32;
}

/// Counts. Its code is in the API library.
#[inline(never)]
pub fn count() -> i32 {
    store_count()
}

/// Counts. Its code is wherever it is called.
#[inline(always)]
pub fn count_inline() -> i32 {
    store_count()
}

/// Counts for this thread.
#[inline(always)]
pub fn of_this_thread() -> i32 {
    store_of_this_thread()
}

/// Counts. Its code is made for the type of whoever calls it.
pub fn count_as<T: From<i32>>() -> T {
    T::from(store_count())
}

/// What only plugins call.
#[inline(always)]
pub fn next() -> i32 {
    unused_next()
}

/// Where the C code's hidden function is.
#[inline(always)]
pub fn address() -> usize {
    store_count as *const () as usize
}
