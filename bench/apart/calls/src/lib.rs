//! The plugin whose functions are called.

use apart_api::ByteBuf;

#[dynplug::export]
pub fn number(x: u64) -> u64 {
    bench_runner::loops::step(x)
}

#[dynplug::export]
pub fn bytes(mut bytes: ByteBuf) -> ByteBuf {
    bench_runner::apart::change(&mut bytes);
    bytes
}
