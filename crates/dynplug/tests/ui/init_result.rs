//! Results that say nothing about success.

struct NoError;

#[dynplug::init]
fn number() -> u32 {
    0
}

#[dynplug::init]
fn not_an_error() -> Result<(), NoError> {
    Err(NoError)
}

#[dynplug::init]
fn with_value() -> Result<u32, String> {
    Ok(0)
}

fn main() {}
