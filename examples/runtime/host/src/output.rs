//! Where everything that is said goes: to standard output, in an order and form that is the same on each run.

use std::panic::PanicHookInfo;

/// Sets the subscriber of `tracing`, the logger of `log` and the panic hook, for host and plugins alike.
pub fn prepare() {
    // With its feature `tracing-log`, this makes itself the logger of `log` as well.
    tracing_subscriber::fmt().without_time().with_ansi(false).init();
    std::panic::set_hook(Box::new(say_panic));
}

fn say_panic(info: &PanicHookInfo<'_>) {
    let message = info.payload_as_str().unwrap_or("a payload that is no text");
    let thread = std::thread::current();
    println!("the host's panic hook, on the thread `{}`: {message}", thread.name().unwrap_or_default());
}
