//! Processes that confine themselves, and then try what they may not, and do what they may. Such a process is this test binary,
//! which is started again with a role to play.
#![cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]

#[path = "confine/attempts.rs"]
mod attempts;
#[path = "confine/calling.rs"]
mod calling;
#[path = "confine/limited.rs"]
mod limited;
#[path = "confine/play.rs"]
mod play;
#[path = "confine/refused.rs"]
mod refused;
#[path = "confine/working.rs"]
mod working;
