//! The state machine in every order that the steps of three threads can have, which open two plugins.
//!
//! [`explore`](super::explore) tries all orders, with no bound, when plain `cargo test` runs. It takes what happens between
//! two points of a thread for one step, which it is as long as the locks do what they promise. Loom takes less for
//! granted (single accesses to memory, and what one thread sees of another's) and has many more orders for it, some 10^11
//! for three threads. So there they have a bound: so many preemptions (a thread put aside where it could have gone on; one
//! that waits doesn't count). Two threads that open one plugin each go without; where a plugin opens another, they have a
//! bound too. `LOOM_MAX_PREEMPTIONS` sets another bound for three.
//!
//! Both fail where all threads wait: a lost wake-up or a deadlock.
//!
//! `RUSTFLAGS="--cfg loom" cargo test -p dynplug --lib --release model`

use super::script::{Refusal, Script, World};
use std::sync::atomic::Ordering;

type Outcome = Result<usize, Refusal>;

/// Each thread opens one of the plugins; `judge` sees what was opened and what came of it. Under loom the first two do so
/// by themselves, bounded by `two`, and then all three.
#[cfg(not(loom))]
fn check(
    make: impl Fn() -> World + Copy + Send + Sync + 'static,
    opens: [usize; 3],
    _two: Option<usize>,
    judge: fn(&World, &[(usize, Outcome)]),
) {
    let made = |world: &World, outcomes: Vec<(usize, Outcome)>| {
        assert!(world.machine.is_at_rest());
        assert!(world.shared.load(Ordering::SeqCst) <= 1);
        judge(world, &outcomes);
    };
    let (runs, pictures) = super::explore::every_order(
        3,
        make,
        move |world: &World, me| (opens[me], world.open(opens[me])),
        |world: &World, thread| world.picture(thread),
        made,
    );
    // As many as there must be at least: so many openings next to each other.
    println!("{runs} orders, {pictures} pictures");
    assert!(pictures > 100, "{pictures}");
}

/// For three threads.
#[cfg(loom)]
const PREEMPTIONS: usize = 2;

/// For two, where one plugin opens the other.
const PREEMPTIONS_OF_TWO: usize = 4;

/// Each thread opens one of the plugins, the first two by themselves, bounded by `two`, and then all; `judge` sees what was
/// opened and what came of it.
#[cfg(loom)]
fn check(
    make: impl Fn() -> World + Copy + Send + Sync + 'static,
    opens: [usize; 3],
    two: Option<usize>,
    judge: fn(&World, &[(usize, Outcome)]),
) {
    loomed(make, opens[..2].to_vec(), two, judge);
    loomed(make, opens.to_vec(), Some(PREEMPTIONS), judge);
}

#[cfg(loom)]
fn loomed(
    make: impl Fn() -> World + Send + Sync + 'static,
    opens: Vec<usize>,
    preemptions: Option<usize>,
    judge: fn(&World, &[(usize, Outcome)]),
) {
    use loom::sync::Arc;
    use loom::thread;
    let mut model = loom::model::Builder::new();
    model.max_branches = 100_000;
    model.preemption_bound = match preemptions {
        Some(PREEMPTIONS) => model.preemption_bound.or(preemptions),
        _ => preemptions,
    };
    model.check(move || {
        let world = Arc::new(make());
        let open = |at: usize| {
            let world = Arc::clone(&world);
            move || (at, world.open(at))
        };
        let threads: Vec<_> = opens.iter().skip(1).map(|&at| thread::spawn(open(at))).collect();
        let mut outcomes = vec![open(opens[0])()];
        outcomes.extend(threads.into_iter().map(|thread| thread.join().unwrap()));
        assert!(world.machine.is_at_rest());
        assert!(world.shared.load(Ordering::SeqCst) <= 1);
        judge(&world, &outcomes);
    });
}

fn all(got: &[(usize, Outcome)], want: impl Fn(usize, &Outcome) -> bool) {
    assert!(got.iter().all(|(at, outcome)| want(*at, outcome)), "{got:?}");
}

fn script(id: u8) -> Script {
    Script { id, ..Script::default() }
}

#[test]
fn all_get_the_one_plugin() {
    check(
        || World::new(vec![script(0), script(1)]),
        [0, 0, 1],
        None,
        |_, got| {
            all(got, |at, outcome| *outcome == Ok(at));
        },
    );
}

#[test]
fn all_get_the_one_error() {
    let make = || World::new(vec![Script { fails: true, ..script(0) }, script(1)]);
    check(make, [0, 0, 1], None, |world, got| {
        all(got, |at, outcome| *outcome == if at == 0 { Err(Refusal::Fails) } else { Ok(1) });
        assert_eq!(world.inits[0].load(Ordering::SeqCst), 1);
    });
}

#[test]
fn a_refused_file_is_tried_by_each() {
    let make = || World::new(vec![Script { refused: true, ..script(0) }, script(1)]);
    check(make, [0, 0, 1], None, |_, got| {
        all(got, |at, outcome| *outcome == if at == 0 { Err(Refusal::Fails) } else { Ok(1) });
    });
}

#[test]
fn a_failing_shared_init_is_told_to_all() {
    let make = || World::new(vec![script(0), script(1)]).with_failing_shared();
    check(make, [0, 0, 1], None, |world, got| {
        all(got, |_, outcome| *outcome == Err(Refusal::Shared));
        assert_eq!(world.shared.load(Ordering::SeqCst), 1);
    });
}

#[test]
fn one_that_is_lost_on_the_way_is_lost_for_all() {
    let make = || World::new(vec![Script { lost: true, ..script(0) }, script(1)]);
    check(make, [0, 0, 1], None, |_, got| {
        all(got, |at, outcome| *outcome == if at == 0 { Err(Refusal::Lost) } else { Ok(1) });
    });
}

#[test]
fn one_plugin_opens_the_other() {
    let make = || World::new(vec![Script { init: vec![1], ..script(0) }, script(1)]);
    check(make, [0, 1, 0], Some(PREEMPTIONS_OF_TWO), |_, got| {
        all(got, |at, outcome| *outcome == Ok(at));
    });
}

#[test]
fn plugins_that_open_each_other_fail_and_do_not_hang() {
    let make =
        || World::new(vec![Script { init: vec![1], ..script(0) }, Script { init: vec![0], ..script(1) }]);
    check(make, [0, 1, 0], Some(PREEMPTIONS_OF_TWO), |_, got| {
        all(got, |_, outcome| outcome.is_err());
    });
}

#[test]
fn a_constructor_that_needs_a_thread_that_needs_the_loader_does_not_hang() {
    let make = || World::new(vec![Script { constructor: vec![1], ..script(0) }, script(1)]);
    check(make, [0, 1, 1], Some(PREEMPTIONS_OF_TWO), |_, got| {
        // Who would wait for the loader while a constructor waits for its plugin is told of the cycle.
        all(got, |at, outcome| match outcome {
            Ok(opened) => *opened == at,
            Err(error) => at == 1 && matches!(error, Refusal::Cycle(_)),
        });
    });
}

fn linked(id: u8, crates: &[usize]) -> Script {
    Script { linked: Some(crates.to_vec()), ..script(id) }
}

#[test]
fn a_crate_of_two_linked_in_plugins_starts_once() {
    let make = || World::new(vec![linked(0, &[0, 1]), linked(1, &[0])]).with_crates(vec![vec![], vec![]]);
    check(make, [0, 1, 0], Some(PREEMPTIONS_OF_TWO), |world, got| {
        all(got, |at, outcome| *outcome == Ok(at));
        assert!(world.crates.iter().all(|(_, runs)| runs.load(Ordering::SeqCst) == 1));
    });
}

#[test]
fn a_crate_that_opens_a_linked_in_plugin_above_it_fails_and_does_not_hang() {
    let make = || World::new(vec![linked(0, &[0]), linked(1, &[0])]).with_crates(vec![vec![1]]);
    check(make, [0, 1, 1], Some(PREEMPTIONS_OF_TWO), |world, got| {
        // Whoever comes first, the crate waits for itself, and stays as it ended.
        all(got, |_, outcome| outcome.is_err());
        assert_eq!(world.crates[0].1.load(Ordering::SeqCst), 1);
    });
}

#[test]
fn a_copy_waits_and_is_told() {
    check(
        || World::new(vec![script(0), script(0)]),
        [0, 1, 1],
        None,
        |_, got| {
            let ready = got.iter().filter(|(_, outcome)| outcome.is_ok()).count();
            let told = got.iter().filter(|(_, outcome)| *outcome == Err(Refusal::AlreadyLoaded)).count();
            assert!(ready >= 1 && ready + told == got.len(), "{got:?}");
        },
    );
}
