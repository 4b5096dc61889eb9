//! A crate with features, of which the host has some.

/// Counts elsewhere.
#[cfg(feature = "extra")]
pub fn extra() -> u32 {
    bare::count()
}

/// Which features it has.
pub fn features() -> Vec<&'static str> {
    let all = [
        ("first", cfg!(feature = "first")),
        ("extra", cfg!(feature = "extra")),
        ("never", cfg!(feature = "never")),
    ];
    all.into_iter().filter(|(_, is_on)| *is_on).map(|(name, _)| name).collect()
}
