//! Channels between real processes. The other process is this test binary, which is started again with a role to play.
#![cfg(target_os = "linux")]

#[path = "channel/honest.rs"]
mod honest;
#[path = "channel/hostile.rs"]
mod hostile;
#[path = "channel/play.rs"]
mod play;
#[path = "channel/storm.rs"]
mod storm;
