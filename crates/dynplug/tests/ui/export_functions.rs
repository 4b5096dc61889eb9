//! Functions that cannot be exported.

#[dynplug::export]
fn generic<T: Clone, const N: usize>(list: [T; N]) -> Vec<T> {
    list.to_vec()
}

#[dynplug::export]
fn opaque_argument(each: impl Fn(u32) -> u32) -> u32 {
    each(0)
}

#[dynplug::export]
fn opaque_result(list: &[u32]) -> Result<impl Iterator<Item = u32> + use<'_>, String> {
    Ok(list.iter().copied())
}

#[dynplug::export]
fn bounded<'a, 'b: 'a>(first: &'a str, second: &'b str) -> &'a str {
    if first.is_empty() { second } else { first }
}

#[dynplug::export]
fn with_where<'a>(first: &'a str) -> &'a str
where
    'a: 'a,
{
    first
}

#[dynplug::export]
fn only_in_the_result<'a>() -> &'a str {
    ""
}

#[dynplug::export]
fn configured(#[cfg(all())] first: u32, #[cfg_attr(all(), cfg(any()))] second: u32) -> u32 {
    first
}

#[dynplug::export]
async extern "C" fn foreign_future() {}

struct Counter(u32);

impl Counter {
    #[dynplug::export]
    fn add(&mut self, by: u32) -> Self {
        Counter(self.0 + by)
    }

    #[dynplug::export]
    fn new() -> Self {
        Counter(0)
    }
}

unsafe extern "C" {
    #[dynplug::export]
    safe fn abs(value: i32) -> i32;
}

#[dynplug::export]
unsafe extern "C" fn variadic(_count: u32, _: ...) {}

#[dynplug::export(name = "", nam = "x", crate, name = "second", name = 3, crate = "dynplug", other)]
fn several_errors<T>(_value: impl Sized) {}

fn main() {}
