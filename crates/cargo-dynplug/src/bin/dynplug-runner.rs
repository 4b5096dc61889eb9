//! The program that plugins run in which have processes of their own; hosts start it. It lies beside them.

use std::process::ExitCode;

#[cfg(target_os = "linux")]
fn main() -> ExitCode {
    let code = dynplug_process::runner::run(std::env::args_os().skip(1));
    ExitCode::from(u8::try_from(code).unwrap_or(u8::MAX))
}

#[cfg(not(target_os = "linux"))]
fn main() -> ExitCode {
    eprintln!("dynplug-runner: {}", dynplug_process::channel::Error::Unsupported);
    ExitCode::FAILURE
}
