//! Reaches the shared C code in every way.

extern "C" fn double(number: i32) -> i32 {
    number * 2
}

/// What the C code answers: through Rust's code in the API library, through code that is inlined here, through code that
/// is made for a type of this crate, and by its own names.
#[dynplug::export]
pub fn say() -> String {
    struct Own(i32);
    impl From<i32> for Own {
        fn from(number: i32) -> Own {
            Own(number)
        }
    }
    let counted = [bundled::count(), bundled::count_inline(), bundled::count_as::<Own>().0];
    let direct = [bundled::store_add(10), bundled::store_call(double, 100)];
    format!("{counted:?} {direct:?} {} {}", bundled::of_this_thread(), bundled::next())
}

/// Where the C code is.
#[dynplug::export]
pub fn address() -> usize {
    bundled::address()
}
