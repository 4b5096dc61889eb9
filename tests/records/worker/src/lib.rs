//! A plugin that says much.

use std::io::Write;

#[dynplug::init]
fn start() {
    log::info!("the worker starts");
    tracing::info!("the worker starts to trace");
}

/// Says something in each way.
#[dynplug::export]
fn work() {
    log::info!(count = 3, name:? = "tea"; "took an order\nof two lines");
    log::debug!(target: "worker::hushed", "nobody hears that");
    log::warn!(target: "host", "\x1b[2Jnot the host");
    log::trace!("much too fine");
    let outer = tracing::info_span!("request", id = 7, user = tracing::field::Empty);
    outer.record("user", "me");
    outer.in_scope(|| {
        let inner = tracing::debug_span!("step");
        let _inside = inner.enter();
        tracing::debug!(items = 2, name = "milk", "took a step");
        // The last span ends with this thread, after its parent's handle.
        std::thread::spawn({
            let inner = inner.clone();
            move || tracing::warn!(parent: &inner, "from a thread")
        })
        .join()
        .expect("it ends");
    });
    drop(outer);
    tracing::info!(target: "elsewhere", "outside of spans");
    println!("a line");
    eprintln!("an error");
}

/// Says so much that no pipe holds it.
#[dynplug::export]
fn flood() {
    std::thread::scope(|scope| {
        for thread in 0..4 {
            scope.spawn(move || {
                for number in 0..500 {
                    log::info!("{thread}.{number} {}", "x".repeat(1000));
                }
            });
        }
    });
    log::info!("{}", "é".repeat(100_000));
}

#[dynplug::export]
fn debug() {
    log::debug!("for who wants it");
    println!("debug is wanted: {}", log::log_enabled!(log::Level::Debug));
}

#[dynplug::export]
fn abort() {
    log::error!("about to abort");
    std::process::abort();
}

/// Sets a logger of its own.
#[dynplug::export]
fn own() {
    struct Own;
    impl log::Log for Own {
        fn enabled(&self, _: &log::Metadata<'_>) -> bool {
            true
        }
        fn log(&self, _: &log::Record<'_>) {}
        fn flush(&self) {}
    }
    println!("own: {}", log::set_boxed_logger(Box::new(Own)).is_ok());
}

/// Writes to the pipe of the records what no honest process writes there.
#[dynplug::export]
fn garbage() {
    for number in 3..64 {
        let path = format!("/proc/self/fd/{number}");
        if !std::fs::read_link(&path).is_ok_and(|to| to.as_os_str().as_encoded_bytes().starts_with(b"pipe:")) {
            continue;
        }
        if let Ok(mut pipe) = std::fs::OpenOptions::new().write(true).open(&path) {
            let _ = pipe.write_all(&[0xff; 1 << 20]);
        }
    }
    println!("wrote it");
}
