//! The order of init functions.

use crate::cases::info;
use dynplug_manifest::order::{ranks, sort};
use dynplug_manifest::record::{Fields, Kind};

fn init(package: &'static str, file: &'static str, line: u32) -> Fields<'static> {
    Fields {
        kind: Kind::Init,
        flags: 0,
        line,
        column: 1,
        name: "start",
        signature: "fn start()",
        docs: "",
        package,
        version: "1.0.0",
        module: package,
        file,
    }
}

// A3
#[test]
fn dependencies_come_before_dependents() {
    let crates = [
        info("top", "1.0.0", &[1, 2]),
        info("left", "1.0.0", &[3]),
        info("right", "1.0.0", &[3]),
        info("bottom", "1.0.0", &[]),
    ];
    assert_eq!(ranks(&crates), [3, 1, 2, 0]);
}

// A3
#[test]
fn init_functions_run_by_crate_then_by_place() {
    let crates = [info("top", "1.0.0", &[1]), info("bottom", "1.0.0", &[])];
    let mut inits = [
        init("unlisted", "a.rs", 1),
        init("top", "b.rs", 1),
        init("top", "a.rs", 20),
        init("top", "a.rs", 3),
        init("bottom", "z.rs", 9),
    ];
    sort(&mut inits, &crates, |record| *record);
    let order: Vec<_> = inits.iter().map(|i| (i.package, i.file, i.line)).collect();
    let wanted = [
        ("bottom", "z.rs", 9),
        ("top", "a.rs", 3),
        ("top", "a.rs", 20),
        ("top", "b.rs", 1),
        ("unlisted", "a.rs", 1),
    ];
    assert_eq!(order, wanted);
}

// C15
#[test]
fn hostile_dependencies_end() {
    let crates = [info("a", "1.0.0", &[1, 7, u32::MAX, 0]), info("b", "1.0.0", &[0, 1])];
    let mut ranks = ranks(&crates);
    ranks.sort();
    assert_eq!(ranks, [0, 1]);
}

#[test]
fn a_long_chain_needs_no_stack() {
    let count = 60_000;
    let crates: Vec<_> = (0..count).map(|n| info("link", "1.0.0", &[n + 1])).collect();
    let ranks = ranks(&crates);
    assert_eq!(ranks.first(), Some(&(count as usize - 1)));
    assert_eq!(ranks.last(), Some(&0));
}
