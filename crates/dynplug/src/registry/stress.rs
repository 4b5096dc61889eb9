//! The state machine with real threads, many plugins and many cycles; and its answers, one by one.

use super::machine::{Asked, Entered, Halt, What};
use super::script::{Refusal, Script, World};
use super::waiting::Step;
use std::path::{Path, PathBuf};
use std::sync::Barrier;
use std::sync::atomic::Ordering;
use std::thread;

const THREADS: usize = 200;
const PLUGINS: usize = 50;

/// Of every ten plugins some are plain, one fails, one is refused, two open each other, one opens others in its init, one in its
/// constructor, and one is a copy of another.
fn scripts() -> Vec<Script> {
    let script = |at: usize| {
        let ten = at / 10 * 10;
        let plain = Script { id: at as u8, ..Script::default() };
        match at % 10 {
            2 => Script { init: vec![(ten + 13) % PLUGINS, ten], ..plain },
            3 => Script { fails: true, ..plain },
            4 => Script { refused: true, ..plain },
            5 => Script { init: vec![ten + 6], ..plain },
            6 => Script { init: vec![ten + 5], ..plain },
            7 => Script { constructor: vec![ten + 1, (ten + 11) % PLUGINS], ..plain },
            8 => Script { init: vec![ten, ten + 1, ten + 7], ..plain },
            9 => Script { id: ten as u8, ..plain },
            _ => plain,
        }
    };
    (0..PLUGINS).map(script).collect()
}

#[test]
fn two_hundred_threads_open_fifty_plugins() {
    for _ in 0..20 {
        let world = World::new(scripts());
        let barrier = Barrier::new(THREADS);
        thread::scope(|scope| {
            for first in 0..THREADS {
                let (world, barrier) = (&world, &barrier);
                scope.spawn(move || {
                    barrier.wait();
                    for step in 0..PLUGINS {
                        // In orders that cross each other.
                        let at = (first * 7 + step * if first % 2 == 0 { 1 } else { 49 }) % PLUGINS;
                        let outcome = world.open(at);
                        match at % 10 {
                            3 | 4 => assert_eq!(outcome, Err(Refusal::Fails)),
                            5 | 6 => assert!(outcome.is_err(), "{at}: {outcome:?}"),
                            2 => assert!(outcome.is_err(), "{at} opens one that fails"),
                            _ => {}
                        }
                        if let Ok(plugin) = outcome {
                            assert_eq!(plugin, at);
                            assert_eq!(world.inits[at].load(Ordering::SeqCst), 1);
                        }
                    }
                });
            }
        });
        assert!(world.machine.is_at_rest());
        assert_eq!(world.shared.load(Ordering::SeqCst), 1);
        assert!(world.inits.iter().all(|count| count.load(Ordering::SeqCst) <= 1));
        for at in (0..PLUGINS).filter(|at| matches!(at % 10, 1 | 7)) {
            assert_eq!(world.open(at), Ok(at), "nothing stands in its way any more");
        }
    }
}

fn plugin(name: &str) -> Step {
    Step::Plugin(PathBuf::from(name))
}

#[test]
fn a_plugin_that_opens_itself_is_shown_as_such() {
    let world = World::new(vec![Script { init: vec![0], ..Script::default() }]);
    let asked = Asked { path: Path::new("0"), canonical: Path::new("0"), file: 0, stamp: () };
    let Ok(Entered::Ours(opening)) = world.machine.enter(&asked) else { panic!("it is open already") };
    assert_eq!(world.open(0), Err(Refusal::Cycle(vec![plugin("0"), plugin("0")])));
    drop(opening);
    assert_eq!(world.open(0), Err(Refusal::Needs(0)));
    assert_eq!(world.open(0), Err(Refusal::Needs(0)), "the same error again");
    assert_eq!(world.inits[0].load(Ordering::SeqCst), 1);
}

#[test]
fn a_cycle_names_all_that_stand_in_it_and_no_other() {
    let world = World::new(vec![Script::default(); 3]);
    let enter = |name: &'static str, file| {
        world.machine.enter(&Asked { path: Path::new(name), canonical: Path::new(name), file, stamp: () })
    };
    let Ok(Entered::Ours(_outside)) = enter("outside", 0) else { panic!() };
    let Ok(Entered::Ours(_a)) = enter("a", 1) else { panic!() };
    let Ok(_mapping) = world.machine.loader(Path::new("a")) else { panic!() };
    let Ok(Entered::Ours(_b)) = enter("b", 2) else { panic!() };
    let Err(Halt::Cycle(chain)) = enter("a", 1) else { panic!() };
    assert_eq!(chain, [plugin("a"), plugin("b"), plugin("a")]);
}

#[test]
fn a_shared_init_that_opens_a_plugin_is_a_cycle() {
    let world = World::new(vec![Script::default()]);
    let outcome = world.machine.once(What::Program, Step::Shared, &|| world.open(0).map(|_| ()));
    let Err(Halt::Once(error)) = outcome else { panic!() };
    assert_eq!(error, Refusal::Cycle(vec![Step::Shared, plugin("0"), Step::Shared]));
}

#[test]
fn other_bytes_at_the_path_are_a_new_try() {
    let broken = Script { fails: true, content: 1, ..Script::default() };
    let mended = Script { content: 2, ..Script::default() };
    let copy = Script { fails: true, content: 1, ..Script::default() };
    let world = World::new(vec![broken, mended, copy]);
    assert_eq!(world.open(0), Err(Refusal::Fails));
    assert_eq!(world.open(2), Err(Refusal::Fails));
    assert_eq!(world.inits[2].load(Ordering::SeqCst), 0, "a copy of what failed is not run again");
    assert_eq!(world.open(1), Ok(1));
    assert_eq!(world.open(0), Err(Refusal::Fails));
}

#[test]
fn what_the_loader_refused_leaves_no_trace() {
    let world = World::new(vec![Script::default()]);
    let asked = Asked { path: Path::new("0"), canonical: Path::new("0"), file: 0, stamp: () };
    let Ok(Entered::Ours(opening)) = world.machine.enter(&asked) else { panic!() };
    assert!(opening.claim(dynplug_manifest::Identity([0; 32]), 0).is_ok());
    opening.mapping();
    opening.unmapped();
    drop(opening);
    assert!(world.machine.is_at_rest());
    assert_eq!(world.open(0), Ok(0));
}

#[test]
fn what_was_mapped_and_lost_is_not_tried_again() {
    let world = World::new(vec![Script::default()]);
    let asked = Asked { path: Path::new("0"), canonical: Path::new("0"), file: 0, stamp: () };
    let Ok(Entered::Ours(opening)) = world.machine.enter(&asked) else { panic!() };
    assert!(opening.claim(dynplug_manifest::Identity([0; 32]), 0).is_ok());
    opening.mapping();
    drop(opening);
    assert_eq!(world.open(0), Err(Refusal::Lost));
}

#[test]
fn a_child_goes_on_without_the_threads_of_its_parent() {
    let world = World::new((0..3).map(|id| Script { id, ..Script::default() }).collect());
    let asked = |name: &'static str, file| Asked {
        path: Path::new(name),
        canonical: Path::new(name),
        file,
        stamp: (),
    };
    let enter = |name, file| match world.machine.enter(&asked(name, file)) {
        Ok(Entered::Ours(opening)) => opening,
        _ => panic!("it is open already"),
    };
    assert_eq!(world.open(2), Ok(2));
    let (reading, mapped) = thread::scope(|scope| {
        // A thread that is in the middle of two opens, and of which a child knows nothing.
        let thread = scope.spawn(|| {
            let mapped = enter("1", 1);
            assert!(mapped.claim(dynplug_manifest::Identity([1; 32]), 0).is_ok());
            mapped.mapping();
            (enter("0", 0), mapped)
        });
        thread.join().unwrap()
    });
    world.machine.was_forked();
    assert_eq!(world.open(2), Ok(2), "what was open is open");
    assert_eq!(world.open(0), Ok(0), "what had not begun to run is opened anew");
    assert_eq!(world.open(1), Err(Refusal::Lost), "what may have run in part is not");
    drop((reading, mapped));
}
