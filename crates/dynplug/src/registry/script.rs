//! Plugins without files, for the model and the stress test: what a plugin does when it is opened stands in a script, and
//! the state machine is the one of production.

use super::machine::{Asked, Entered, Halt, Machine, Parts, What};
use super::sync::{pause, saw};
use dynplug_manifest::Identity;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

pub(super) struct Scripted;

impl Parts for Scripted {
    type File = usize;
    type Stamp = ();
    type Content = usize;
    type Plugin = usize;
    type Error = Refusal;
    type Once = Refusal;
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// From here to there and back.
    Cycle(Vec<super::Step>),
    AlreadyLoaded,
    /// By its own script.
    Fails,
    /// Since what it opens in its init did not open.
    Needs(usize),
    Shared,
    Lost,
}

/// What a plugin does.
#[derive(Default, Clone)]
pub(super) struct Script {
    /// Copies of a plugin have its id.
    pub(super) id: u8,
    pub(super) content: usize,
    /// What its constructor opens; a constructor can't fail.
    pub(super) constructor: Vec<usize>,
    /// What its init opens; it fails when one of these does.
    pub(super) init: Vec<usize>,
    pub(super) fails: bool,
    /// Whether it is refused before it is mapped.
    pub(super) refused: bool,
    /// Whether nobody says how it ended.
    pub(super) lost: bool,
    /// When it is linked in, the crates below it, each of which has an init function.
    pub(super) linked: Option<Vec<usize>>,
}

pub(super) struct World {
    pub(super) machine: Machine<Scripted>,
    pub(super) scripts: Vec<Script>,
    /// How often each plugin's init ran.
    pub(super) inits: Vec<AtomicUsize>,
    /// What the init function of each crate opens, and how often it ran.
    pub(super) crates: Vec<(Vec<usize>, AtomicUsize)>,
    /// How often the shared init functions ran.
    pub(super) shared: AtomicUsize,
    shared_fails: bool,
}

impl World {
    pub(super) fn new(scripts: Vec<Script>) -> World {
        let inits = scripts.iter().map(|_| AtomicUsize::new(0)).collect();
        let machine = Machine::new();
        World {
            machine,
            scripts,
            inits,
            crates: Vec::new(),
            shared: AtomicUsize::new(0),
            shared_fails: false,
        }
    }

    pub(super) fn with_failing_shared(self) -> World {
        World { shared_fails: true, ..self }
    }

    /// Crates that plugins are linked in with, and what each opens.
    pub(super) fn with_crates(self, opens: Vec<Vec<usize>>) -> World {
        World { crates: opens.into_iter().map(|opens| (opens, AtomicUsize::new(0))).collect(), ..self }
    }

    /// Opens a plugin.
    pub(super) fn open(&self, at: usize) -> Result<usize, Refusal> {
        saw(at);
        let outcome = self.go_through(at);
        saw(&outcome);
        outcome
    }

    /// The steps of `registry::go_through`, or of `registry::find_linked`.
    fn go_through(&self, at: usize) -> Result<usize, Refusal> {
        let name = at.to_string();
        let path = Path::new(&name);
        // Under loom the short way is left out, which only looks: each further step multiplies the orders.
        if !cfg!(loom)
            && let Some(plugin) = self.machine.known(path, at, ())
        {
            return Ok(plugin);
        }
        saw("enters");
        let asked = Asked { path, canonical: path, file: at, stamp: () };
        let opening = match self.machine.enter(&asked).map_err(refusal)? {
            Entered::Known(plugin) => {
                // Who is given a plugin finds it initialised.
                assert_eq!(self.inits[plugin].load(Ordering::SeqCst), 1);
                return Ok(plugin);
            }
            Entered::Ours(opening) => opening,
        };
        saw("opens");
        let script = &self.scripts[at];
        if script.refused {
            return Err(Refusal::Fails);
        }
        if let Some(crates) = &script.linked {
            self.shared()?;
            saw("shared");
            for of in crates {
                let run = || self.start(*of);
                self.machine.once(What::Crate(*of), super::Step::Crate(*of), &run).map_err(refusal)?;
                saw(of);
            }
            self.inits[at].fetch_add(1, Ordering::SeqCst);
            opening.ready(&asked, at);
            return Ok(at);
        }
        opening.claim(Identity([script.id; 32]), script.content).map_err(refusal)?;
        saw("claimed");
        self.shared()?;
        saw("shared");
        let mapping = self.machine.loader(path).map_err(refusal)?;
        saw("has the loader");
        opening.mapping();
        for other in &script.constructor {
            let _ = self.open(*other);
        }
        drop(mapping);
        if script.lost {
            return Err(Refusal::Lost);
        }
        pause();
        let runs = self.inits[at].fetch_add(1, Ordering::SeqCst);
        assert_eq!(runs, 0, "the init of {at} ran before");
        for other in &script.init {
            if self.open(*other).is_err() {
                let error = Refusal::Needs(*other);
                opening.failed(error.clone());
                return Err(error);
            }
        }
        if script.fails {
            opening.failed(Refusal::Fails);
            return Err(Refusal::Fails);
        }
        opening.ready(&asked, at);
        Ok(at)
    }

    /// Runs the init function of a crate that is linked in.
    fn start(&self, of: usize) -> Result<(), Refusal> {
        let (opens, runs) = &self.crates[of];
        pause();
        let runs = runs.fetch_add(1, Ordering::SeqCst);
        assert_eq!(runs, 0, "the init of the crate {of} ran before");
        match opens.iter().find(|other| self.open(**other).is_err()) {
            Some(other) => Err(Refusal::Needs(*other)),
            None => Ok(()),
        }
    }

    fn shared(&self) -> Result<(), Refusal> {
        let run = || {
            pause();
            self.shared.fetch_add(1, Ordering::SeqCst);
            pause();
            if self.shared_fails { Err(Refusal::Shared) } else { Ok(()) }
        };
        self.machine.once(What::Program, super::Step::Shared, &run).map_err(refusal)
    }

    /// All that there is, for those who look at every order.
    #[cfg(not(loom))]
    pub(super) fn picture(&self, thread: &dyn Fn(std::thread::ThreadId) -> usize) -> String {
        format!("{:?} {:?} {:?} {}", self.inits, self.crates, self.shared, self.machine.picture(thread))
    }
}

fn refusal(halt: Halt<Scripted>) -> Refusal {
    match halt {
        Halt::Cycle(chain) => {
            assert!(chain.len() > 1 && chain.first() == chain.last(), "{chain:?}");
            Refusal::Cycle(chain)
        }
        Halt::AlreadyLoaded(_) => Refusal::AlreadyLoaded,
        Halt::Failed(error) | Halt::Once(error) => error,
        Halt::Lost => Refusal::Lost,
    }
}
