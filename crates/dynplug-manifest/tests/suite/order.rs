//! The order of init functions.

use crate::cases::info;
use dynplug_manifest::CrateInfo;
use dynplug_manifest::order::{Node, order, sort};
use dynplug_manifest::record::{Fields, Kind};

fn init(package: &'static str, file: &'static str, line: u32) -> Fields<'static> {
    Fields {
        kind: Kind::Init,
        flags: 0,
        line,
        column: 1,
        obstacles: 0,
        name: "start",
        signature: "fn start()",
        docs: "",
        package,
        version: "1.0.0",
        module: package,
        file,
        below: "",
    }
}

/// The packages in their order; of those of the list that have init functions.
fn ordered<'a>(crates: &'a [CrateInfo], with_init: &[&str]) -> Vec<&'a str> {
    let has_init = |info: &CrateInfo| with_init.contains(&&*info.package);
    let nodes: Vec<_> = crates.iter().map(|info| Node::of(info, has_init(info))).collect();
    order(&nodes).into_iter().map(|place| &*crates[place].package).collect()
}

// A3
#[test]
fn dependencies_come_before_dependents() {
    let crates = [
        info("top", "1.0.0", &[1, 2]),
        info("right", "1.0.0", &[3]),
        info("left", "1.0.0", &[3]),
        info("zero", "1.0.0", &[]),
    ];
    assert_eq!(ordered(&crates, &["top", "right", "left", "zero"]), ["zero", "left", "right", "top"]);
}

// A3
#[test]
fn crates_without_init_functions_do_not_move_the_others() {
    // `b` depends on `c` by way of `a`, which has none; `d` depends on nothing.
    let far = [
        info("b", "1.0.0", &[1]),
        info("a", "1.0.0", &[2]),
        info("c", "1.0.0", &[]),
        info("d", "1.0.0", &[]),
    ];
    let near = [info("d", "1.0.0", &[]), info("c", "1.0.0", &[]), info("b", "1.0.0", &[1])];
    let wanted = ["c", "b", "d"];
    assert_eq!(ordered(&far, &["b", "c", "d"]), wanted);
    assert_eq!(ordered(&near, &["b", "c", "d"]), wanted);
    assert_eq!(ordered(&far, &["b", "d"]), ["b", "d"]);
}

/// Against the sentence that says what the order is, taken literally.
#[test]
fn of_those_whose_dependencies_are_done_the_smallest_name_comes_next() {
    let mut random = 7_u32;
    let mut number = |below: u32| {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (random >> 8) % below
    };
    for _ in 0..300 {
        let count = 2 + number(9);
        let crates: Vec<CrateInfo> = (0..count)
            .map(|at| {
                let below: Vec<u32> = (at + 1..count).filter(|_| number(4) == 0).collect();
                info(&format!("p{}-{at}", number(5)), "1.0.0", &below)
            })
            .collect();
        let has_init: Vec<bool> = crates.iter().map(|_| number(3) > 0).collect();
        // Dependencies have larger places, so from the end what each reaches is known.
        let mut reached: Vec<Vec<usize>> = vec![Vec::new(); crates.len()];
        for at in (0..crates.len()).rev() {
            for below in crates[at].dependencies.iter().map(|&below| below as usize) {
                let further = reached[below].clone();
                reached[at].extend(further);
                reached[at].push(below);
            }
        }
        let mut wanted: Vec<usize> = Vec::new();
        let with_init = (0..crates.len()).filter(|&at| has_init[at]);
        let mut left: Vec<usize> = with_init.collect();
        while !left.is_empty() {
            let ready = left.iter().filter(|&&at| !reached[at].iter().any(|below| left.contains(below)));
            let next = *ready.min_by_key(|&&at| &crates[at].package).unwrap();
            left.retain(|&at| at != next);
            wanted.push(next);
        }
        let nodes: Vec<_> = crates.iter().zip(&has_init).map(|(info, &init)| Node::of(info, init)).collect();
        assert_eq!(order(&nodes), wanted);
    }
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
    let crates = [
        info("b", "1.0.0", &[1, 7, u32::MAX, 0]),
        info("c", "1.0.0", &[0, 1]),
        info("a", "1.0.0", &[1]),
        info("d", "1.0.0", &[]),
    ];
    assert_eq!(ordered(&crates, &["a", "b", "c", "d"]), ["d", "a", "b", "c"]);
    assert_eq!(ordered(&crates, &["b"]), ["b"]);
    assert_eq!(ordered(&crates, &[]), [""; 0]);
}

#[test]
fn a_long_chain_needs_no_stack() {
    let count = 60_000;
    let crates: Vec<_> = (0..count).map(|n| info("link", "1.0.0", &[n + 1])).collect();
    let nodes: Vec<_> = crates.iter().map(|info| Node::of(info, true)).collect();
    let order = order(&nodes);
    assert_eq!(order.first(), Some(&(count as usize - 1)));
    assert_eq!(order.last(), Some(&0));
}
