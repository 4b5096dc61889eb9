//! The host: opens the plugins that its arguments name, one after the other, and prints what happened.

use app_api::dynplug;
use app_api::journal::taken;
use std::collections::BTreeSet;
use std::error::Error;
use std::sync::Barrier;

#[dynplug::init]
fn start() {
    app_api::journal::log("app");
}

/// The program.
pub fn main() -> Result<(), Box<dyn Error>> {
    for word in std::env::args().skip(1) {
        match word.split_once(':') {
            None if word == "init" => {
                dynplug::init()?;
                println!("init: {}", taken().join(", "));
            }
            None => open(&word)?,
            Some((_, names)) => open_at_once(&names.split('+').collect::<Vec<_>>())?,
        }
    }
    let report: Vec<&str> = dynplug::init_report().iter().map(|r| r.crate_name).collect();
    println!("program: {}", report.join(", "));
    Ok(())
}

fn open(name: &str) -> Result<(), Box<dyn Error>> {
    let plugin = match app_api::open(name) {
        Ok(plugin) => plugin,
        Err(error) => {
            println!("{name}: {error}");
            println!("  ran: {}", taken().join(", "));
            return Ok(());
        }
    };
    let named: fn() -> &'static str = plugin.lookup("named")?;
    println!("{}: {}", named(), taken().join(", "));
    let report = plugin.init_report().iter();
    let report: Vec<String> = report.map(|r| format!("{} {}", r.crate_name, r.function)).collect();
    println!("  report: {}", report.join(", "));
    let symbols: Vec<&str> = plugin.symbols().map(|s| s.signature()).collect();
    println!("  exports: {}", symbols.join(", "));
    assert!(!plugin.changed_on_disk()?);
    let linked = dynplug::linked_in().any(|l| l.crate_name() == name);
    assert_eq!(plugin.is_linked_in(), linked);
    assert!(std::ptr::eq(plugin, app_api::open(name)?));
    Ok(())
}

/// Opens plugins in many threads.
fn open_at_once(names: &[&str]) -> Result<(), Box<dyn Error>> {
    const EACH: usize = 20;
    let together = Barrier::new(names.len() * EACH);
    let mut opened = BTreeSet::new();
    std::thread::scope(|scope| {
        let open = |name| {
            together.wait();
            std::ptr::from_ref(app_api::open(name).unwrap()).addr()
        };
        let repeated = (0..EACH).flat_map(|_| names.iter().copied());
        let threads: Vec<_> = repeated.map(|name| scope.spawn(move || open(name))).collect();
        opened.extend(threads.into_iter().map(|thread| thread.join().unwrap()));
    });
    assert_eq!(opened.len(), names.len());
    let mut lines = taken();
    lines.sort();
    println!("at once: {}", lines.join(", "));
    Ok(())
}
