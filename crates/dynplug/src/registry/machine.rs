//! The state machine: which plugins there are, how far each is, and who may go on with what.
//!
//! Nothing here touches a file or the system's loader, so that the model and the stress test drive the very code that
//! runs in production. The lock is held for look-ups and insertions only, and never while anything foreign runs.
//!
//! # A file
//!
//! | state | event | next state | the thread that causes it |
//! |---|---|---|---|
//! | unknown | [`Machine::enter`] | opening | goes on with an [`Opening`] |
//! | opening | `enter` by another thread | opening | waits until the task ends, then looks again; or gets [`Halt::Cycle`] |
//! | opening | `enter` by a thread that opens it | opening | [`Halt::Cycle`] |
//! | opening | [`Opening`] dropped before `mapping` | unknown | has its refusal; no trace is left |
//! | opening | [`Opening::unmapped`], then dropped | unknown | the loader refused, and nothing is mapped |
//! | opening | [`Opening::failed`] | unknown | has its error; the content is remembered as failed |
//! | opening | dropped after `mapping` (a panic) | unknown | the content is remembered as lost |
//! | opening | [`Opening::ready`] | ready | has the plugin |
//! | ready | `enter` | ready | has the plugin |
//!
//! # A plugin's id
//!
//! | state | event | next state | the thread that causes it |
//! |---|---|---|---|
//! | free | [`Opening::claim`] of a content that failed before | free | [`Halt::Failed`] with the same error, or [`Halt::Lost`] |
//! | free | `claim` of another content | loading | goes on |
//! | loading | `claim` by another opening: a copy | loading | waits, then looks again; or [`Halt::Cycle`] |
//! | loading | the opening is ready | loaded | |
//! | loading | the opening ends otherwise | free | |
//! | loaded | `claim` | loaded | [`Halt::AlreadyLoaded`] |
//!
//! # What runs once for the process
//!
//! The init functions of the shared crates, all together, and those of each crate that is linked in.
//!
//! | state | event | next state | the thread that causes it |
//! |---|---|---|---|
//! | not run | [`Machine::once`] | running | runs them |
//! | running | `once` by another thread | running | waits; or [`Halt::Cycle`] |
//! | running | `once` by the thread that runs them | running | [`Halt::Cycle`] |
//! | running | they have ended | done | has their outcome |
//! | done | `once` | done | has their outcome |
//!
//! # The system's loader
//!
//! The system's loader holds a lock of its own while it maps and while constructors run, which another thread would wait
//! for without a word. It stands here so that such a wait is seen.
//!
//! | state | event | next state | the thread that causes it |
//! |---|---|---|---|
//! | free | [`Machine::loader`] | held | maps |
//! | held | `loader` by the holder: a constructor opens a plugin | held, one deeper | maps |
//! | held | `loader` by another thread | held | waits; or [`Halt::Cycle`] |
//! | held | the outermost [`Mapping`] is dropped | free | |
//! | lost | `loader`, or `enter` for a file that isn't open | lost | [`Halt::Lost`] |
//!
//! # Fork
//!
//! A child has the threads of its parent in its memory and only one of them in fact. What the others were doing will
//! never end. The first lock in the child ends it: an opening that had not begun to map is unknown again; one that had
//! is lost, and so is its content; what was running once is lost; and the loader is lost when another thread held it. See [`fork`](super::fork).

#[cfg(all(not(loom), test))]
mod picture;

use super::sync::{Condvar, Mutex, MutexGuard, ThreadId, this_thread};
use super::table::{Table, hash};
use super::waiting::{Step, Ticket, Waiting};
use dynplug_manifest::Identity;
use std::hash::Hash;
use std::path::{Path, PathBuf};
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, Ordering};

/// What the machine handles without looking inside.
pub(crate) trait Parts {
    /// What tells one file from another.
    type File: Copy + Eq + Hash;
    /// What tells whether a file is as it was.
    type Stamp: Copy + Eq;
    /// What tells one content from another.
    type Content: Copy + Eq;
    /// A plugin that is open.
    type Plugin: Copy;
    /// Why an open failed after mapping.
    type Error: Clone;
    /// Why an init function failed that runs once for the process.
    type Once: Clone;
}

/// A file that somebody wants to open.
pub(crate) struct Asked<'a, T: Parts> {
    /// The path as given.
    pub(crate) path: &'a Path,
    pub(crate) canonical: &'a Path,
    pub(crate) file: T::File,
    pub(crate) stamp: T::Stamp,
}

/// Why a thread can't go on.
pub(crate) enum Halt<T: Parts> {
    /// It would wait for itself. Each step waits for the next; the last is the first.
    Cycle(Vec<Step>),
    /// A plugin with this id was opened from that path.
    AlreadyLoaded(PathBuf),
    /// The same bytes failed before.
    Failed(T::Error),
    /// What runs once for the process has failed.
    Once(T::Once),
    /// Nobody knows how it ended: its thread panicked, or was left behind by a fork.
    Lost,
}

/// What runs once for the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    /// The init functions that run with the program.
    Program,
    /// Those of a crate that is linked in; which, the list of them says.
    Crate(usize),
}

/// What [`Machine::enter`] gives.
pub(crate) enum Entered<'m, T: Parts> {
    Known(T::Plugin),
    Ours(Opening<'m, T>),
}

/// How something ended that is remembered for ever.
enum Ended<E> {
    With(E),
    Lost,
}

/// A file that is being opened or was.
struct File<T: Parts> {
    file: T::File,
    state: FileState<T::Plugin>,
}

enum FileState<P> {
    Opening(Ticket),
    Ready(P),
}

/// A path, and what was found there.
struct Seen<T: Parts> {
    path: PathBuf,
    file: T::File,
    /// Not for canonical paths.
    stamp: Option<T::Stamp>,
}

/// What is known of the plugins with one id.
struct Id<T: Parts> {
    id: Identity,
    state: IdState<T::Plugin>,
    /// What was mapped and then failed.
    failed: Vec<(T::Content, Ended<T::Error>)>,
}

enum IdState<P> {
    Free,
    Loading(Ticket),
    Loaded(PathBuf, P),
}

/// What runs once; what isn't there has not run.
struct Once<E> {
    what: What,
    state: OnceState<E>,
}

enum OnceState<E> {
    Running(Ticket),
    Done(Result<(), Ended<E>>),
}

enum LoaderState {
    Free,
    Held { ticket: Ticket, depth: usize },
    Lost,
}

/// An opening as the machine remembers it, for the day when its thread is gone.
struct Place<T: Parts> {
    ticket: Ticket,
    file: T::File,
    canonical: PathBuf,
    claimed: Option<(Identity, T::Content)>,
    mapping: bool,
}

struct State<T: Parts> {
    files: Table<File<T>>,
    /// Canonical paths, since a file that is replaced under its path stays the same plugin.
    paths: Table<Seen<T>>,
    /// Paths as given, with what was found there: a short way for those who ask again.
    spellings: Table<Seen<T>>,
    ids: Table<Id<T>>,
    /// No more than what is under way.
    openings: Vec<Place<T>>,
    /// The shared crates, and as many as have been linked in.
    once: Vec<Once<T::Once>>,
    loader: LoaderState,
    waiting: Waiting,
}

pub(crate) struct Machine<T: Parts> {
    state: Mutex<State<T>>,
    changed: Condvar,
    /// Whether this process was forked since the lock was last taken.
    forked: AtomicBool,
}

/// The lock, for the time of a fork.
#[cfg_attr(any(not(unix), loom), allow(dead_code))]
pub(super) struct Frozen<'m, T: Parts> {
    _guard: MutexGuard<'m, State<T>>,
}

/// More spellings than this for each file are not worth remembering.
const SPELLINGS: usize = 8;

impl<T: Parts> Machine<T> {
    pub(crate) fn new() -> Self {
        let state = State {
            files: Table::new(),
            paths: Table::new(),
            spellings: Table::new(),
            ids: Table::new(),
            openings: Vec::new(),
            once: Vec::new(),
            loader: LoaderState::Free,
            waiting: Waiting::default(),
        };
        Machine { state: Mutex::new(state), changed: Condvar::new(), forked: AtomicBool::new(false) }
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        // Nothing panics while it holds the lock, short of memory running out.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if self.forked.load(Ordering::Relaxed) && self.forked.swap(false, Ordering::Relaxed) {
            state.end_what_others_did(this_thread());
        }
        state
    }

    /// Takes the lock, so that a fork finds it free of other threads.
    #[cfg_attr(any(not(unix), loom), allow(dead_code))]
    pub(super) fn freeze(&self) -> Frozen<'_, T> {
        Frozen { _guard: self.state.lock().unwrap_or_else(PoisonError::into_inner) }
    }

    /// Says that this is a child of the process in which the machine was made.
    #[cfg_attr(any(not(unix), loom), allow(dead_code))]
    pub(super) fn was_forked(&self) {
        self.forked.store(true, Ordering::Relaxed);
    }

    /// Waits until the task is over.
    fn wait<'m>(
        &'m self,
        mut state: MutexGuard<'m, State<T>>,
        ticket: Ticket,
    ) -> Result<MutexGuard<'m, State<T>>, Halt<T>> {
        let me = this_thread();
        state.waiting.wait(me, ticket).map_err(Halt::Cycle)?;
        while state.waiting.lasts(ticket) {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.waiting.woken(me);
        Ok(state)
    }

    /// The plugin that was found by this spelling before, if the same file is there and unchanged.
    pub(crate) fn known(&self, path: &Path, file: T::File, stamp: T::Stamp) -> Option<T::Plugin> {
        let state = self.lock();
        match (seen(&state.spellings, path), state.file(file)) {
            (Some(seen), Some(FileState::Ready(plugin)))
                if seen.file == file && seen.stamp == Some(stamp) =>
            {
                Some(*plugin)
            }
            _ => None,
        }
    }

    /// The plugin with this id, if it is open.
    pub(crate) fn with_id(&self, id: Identity) -> Option<T::Plugin> {
        match self.lock().id(id)?.state {
            IdState::Loaded(_, plugin) => Some(plugin),
            _ => None,
        }
    }

    /// The plugin, if it is open; otherwise the right to open it, and the duty to say how that ended. Waits for a thread
    /// that is opening it.
    pub(crate) fn enter(&self, asked: &Asked<'_, T>) -> Result<Entered<'_, T>, Halt<T>> {
        let mut state = self.lock();
        loop {
            let file = seen(&state.paths, asked.canonical).map_or(asked.file, |seen| seen.file);
            match state.file(file) {
                Some(FileState::Ready(plugin)) => {
                    let plugin = *plugin;
                    state.remember(asked, file);
                    return Ok(Entered::Known(plugin));
                }
                Some(FileState::Opening(ticket)) => {
                    let ticket = *ticket;
                    state = self.wait(state, ticket)?;
                }
                None => {
                    // Without the loader it would come to nothing, and what goes on before that asks the loader too.
                    if matches!(state.loader, LoaderState::Lost) {
                        return Err(Halt::Lost);
                    }
                    let ticket = state.waiting.begin(this_thread(), Step::Plugin(asked.path.to_owned()));
                    let canonical = asked.canonical.to_owned();
                    state.files.insert(hash(&file), File { file, state: FileState::Opening(ticket) });
                    see(&mut state.paths, asked.canonical, file, None);
                    state.openings.push(Place { ticket, file, canonical, claimed: None, mapping: false });
                    return Ok(Entered::Ours(Opening { machine: self, ticket, path: asked.path.to_owned() }));
                }
            }
        }
    }

    /// Has it run, by `run` if nobody did so before. Others who wait meanwhile are told that they wait for the step.
    pub(crate) fn once(
        &self,
        what: What,
        step: Step,
        run: &dyn Fn() -> Result<(), T::Once>,
    ) -> Result<(), Halt<T>> {
        let mut state = self.lock();
        loop {
            match state.once.iter().find(|once| once.what == what).map(|once| &once.state) {
                Some(OnceState::Done(Ok(()))) => return Ok(()),
                Some(OnceState::Done(Err(Ended::With(error)))) => return Err(Halt::Once(error.clone())),
                Some(OnceState::Done(Err(Ended::Lost))) => return Err(Halt::Lost),
                Some(OnceState::Running(ticket)) => {
                    let ticket = *ticket;
                    state = self.wait(state, ticket)?;
                }
                None => break,
            }
        }
        let ticket = state.waiting.begin(this_thread(), step);
        state.once.push(Once { what, state: OnceState::Running(ticket) });
        drop(state);
        let mut running = Running { machine: self, ticket, outcome: Err(Ended::Lost) };
        let outcome = run();
        running.outcome = outcome.clone().map_err(Ended::With);
        drop(running);
        outcome.map_err(Halt::Once)
    }

    /// Waits for the system's loader. The same thread may have it already: a constructor opens a plugin.
    pub(crate) fn loader(&self, path: &Path) -> Result<Mapping<'_, T>, Halt<T>> {
        let me = this_thread();
        let mut state = self.lock();
        loop {
            match &mut state.loader {
                LoaderState::Free => {
                    let ticket = state.waiting.begin(me, Step::Plugin(path.to_owned()));
                    state.loader = LoaderState::Held { ticket, depth: 1 };
                    return Ok(Mapping { machine: self });
                }
                LoaderState::Held { ticket, depth } => {
                    let ticket = *ticket;
                    let deeper = depth.saturating_add(1);
                    if state.waiting.is_of(ticket, me) {
                        state.loader = LoaderState::Held { ticket, depth: deeper };
                        return Ok(Mapping { machine: self });
                    }
                    state = self.wait(state, ticket)?;
                }
                LoaderState::Lost => return Err(Halt::Lost),
            }
        }
    }

    /// Nothing is under way, and nobody waits.
    #[cfg(test)]
    pub(super) fn is_at_rest(&self) -> bool {
        let state = self.lock();
        let loading = state.ids.iter().any(|i| matches!(i.state, IdState::Loading(_)));
        let opening = state.files.iter().any(|f| matches!(f.state, FileState::Opening(_)));
        let held = matches!(state.loader, LoaderState::Held { .. });
        let whole = state.paths.iter().all(|seen| state.file(seen.file).is_some());
        whole && !loading && !opening && !held && state.openings.is_empty() && state.waiting.is_empty()
    }
}

/// What was found at a path. Paths are told apart by their bytes.
#[inline(never)]
fn seen<'t, T: Parts>(table: &'t Table<Seen<T>>, path: &Path) -> Option<&'t Seen<T>> {
    table.get(hash(path.as_os_str()), |seen| seen.path.as_os_str() == path.as_os_str())
}

/// Notes what was found at a path.
#[inline(never)]
fn see<T: Parts>(table: &mut Table<Seen<T>>, path: &Path, file: T::File, stamp: Option<T::Stamp>) {
    let hash = hash(path.as_os_str());
    match table.get_mut(hash, |seen| seen.path.as_os_str() == path.as_os_str()) {
        Some(seen) => (seen.file, seen.stamp) = (file, stamp),
        None => table.insert(hash, Seen { path: path.to_owned(), file, stamp }),
    }
}

impl<T: Parts> State<T> {
    #[inline(never)]
    fn file(&self, file: T::File) -> Option<&FileState<T::Plugin>> {
        self.files.get(hash(&file), |known| known.file == file).map(|known| &known.state)
    }

    #[inline(never)]
    fn id(&mut self, id: Identity) -> Option<&mut Id<T>> {
        self.ids.get_mut(hash(&id.0), |known| known.id == id)
    }

    fn opening(&mut self, ticket: Ticket) -> Option<&mut Place<T>> {
        self.openings.iter_mut().find(|place| place.ticket == ticket)
    }

    /// Takes an opening out of those that are under way.
    #[inline(never)]
    fn end_opening(&mut self, ticket: Ticket) -> Option<Place<T>> {
        let place = self.openings.iter().position(|place| place.ticket == ticket)?;
        Some(self.openings.swap_remove(place))
    }

    /// Notes by which paths a plugin was found.
    fn remember(&mut self, asked: &Asked<'_, T>, file: T::File) {
        if seen(&self.paths, asked.canonical).is_none() {
            see(&mut self.paths, asked.canonical, file, None);
        }
        // A file that was replaced is found by its canonical path, the long way.
        if asked.file == file {
            if self.spellings.len() >= self.files.len().saturating_mul(SPELLINGS) {
                self.spellings.clear();
            }
            see(&mut self.spellings, asked.path, file, Some(asked.stamp));
        }
    }

    /// Ends an opening that leads to no plugin. `error` is kept for the next who brings the same bytes.
    fn give_up(&mut self, ticket: Ticket, error: Option<T::Error>) {
        let Some(place) = self.end_opening(ticket) else { return };
        self.files.remove(hash(&place.file), |known| known.file == place.file);
        let canonical = place.canonical.as_os_str();
        self.paths.remove(hash(canonical), |seen| seen.path.as_os_str() == canonical);
        if let Some((id, content)) = place.claimed
            && let Some(known) = self.id(id)
        {
            known.state = IdState::Free;
            if place.mapping {
                known.failed.push((content, error.map_or(Ended::Lost, Ended::With)));
            }
        }
        self.waiting.end(ticket);
    }

    fn end_what_others_did(&mut self, me: ThreadId) {
        let mut gone = Vec::with_capacity(self.openings.len());
        for place in &self.openings {
            if !self.waiting.is_of(place.ticket, me) {
                gone.push(place.ticket);
            }
        }
        for ticket in gone {
            self.give_up(ticket, None);
        }
        for once in &mut self.once {
            if let OnceState::Running(ticket) = once.state
                && !self.waiting.is_of(ticket, me)
            {
                once.state = OnceState::Done(Err(Ended::Lost));
            }
        }
        if let LoaderState::Held { ticket, .. } = self.loader
            && !self.waiting.is_of(ticket, me)
        {
            self.loader = LoaderState::Lost;
        }
        self.waiting.only(me);
    }
}

/// A plugin that this thread opens. Dropped, it is as if it had never been asked for, unless it was mapped.
pub(crate) struct Opening<'m, T: Parts> {
    machine: &'m Machine<T>,
    ticket: Ticket,
    path: PathBuf,
}

impl<T: Parts> Opening<'_, T> {
    /// Makes sure that no other plugin with this id is loaded, and that none will be. Waits for one that is loading.
    pub(crate) fn claim(&self, id: Identity, content: T::Content) -> Result<(), Halt<T>> {
        let mut state = self.machine.lock();
        loop {
            let Some(known) = state.id(id) else {
                let state_of_id = IdState::Loading(self.ticket);
                state.ids.insert(hash(&id.0), Id { id, state: state_of_id, failed: Vec::new() });
                break;
            };
            match known.failed.iter().find(|(failed, _)| *failed == content) {
                Some((_, Ended::With(error))) => return Err(Halt::Failed(error.clone())),
                Some((_, Ended::Lost)) => return Err(Halt::Lost),
                None => {}
            }
            match &known.state {
                IdState::Loaded(path, _) => return Err(Halt::AlreadyLoaded(path.clone())),
                IdState::Loading(ticket) => {
                    let ticket = *ticket;
                    state = self.machine.wait(state, ticket)?;
                }
                IdState::Free => {
                    known.state = IdState::Loading(self.ticket);
                    break;
                }
            }
        }
        if let Some(place) = state.opening(self.ticket) {
            place.claimed = Some((id, content));
        }
        Ok(())
    }

    /// From now on code of the file may run: whatever happens, it is remembered.
    pub(crate) fn mapping(&self) {
        self.set_mapping(true);
    }

    /// The loader refused: nothing has run, and nothing is to be remembered.
    pub(crate) fn unmapped(&self) {
        self.set_mapping(false);
    }

    fn set_mapping(&self, mapping: bool) {
        if let Some(place) = self.machine.lock().opening(self.ticket) {
            place.mapping = mapping;
        }
    }

    /// The plugin can be used.
    pub(crate) fn ready(self, asked: &Asked<'_, T>, plugin: T::Plugin) {
        let mut state = self.machine.lock();
        if let Some(place) = state.end_opening(self.ticket) {
            if let Some(known) = state.files.get_mut(hash(&place.file), |known| known.file == place.file) {
                known.state = FileState::Ready(plugin);
            }
            if let Some((id, _)) = place.claimed
                && let Some(known) = state.id(id)
            {
                known.state = IdState::Loaded(self.path.clone(), plugin);
            }
            state.remember(asked, place.file);
            state.waiting.end(self.ticket);
        }
        drop(state);
        self.machine.changed.notify_all();
    }

    /// The plugin is mapped and stays out of reach.
    pub(crate) fn failed(self, error: T::Error) {
        self.machine.lock().give_up(self.ticket, Some(error));
        self.machine.changed.notify_all();
    }
}

impl<T: Parts> Drop for Opening<'_, T> {
    fn drop(&mut self) {
        let mut state = self.machine.lock();
        let open = state.opening(self.ticket).is_some();
        state.give_up(self.ticket, None);
        drop(state);
        if open {
            self.machine.changed.notify_all();
        }
    }
}

/// Something runs that does so once.
struct Running<'m, T: Parts> {
    machine: &'m Machine<T>,
    ticket: Ticket,
    outcome: Result<(), Ended<T::Once>>,
}

impl<T: Parts> Drop for Running<'_, T> {
    fn drop(&mut self) {
        let mut state = self.machine.lock();
        let ours = |once: &&mut Once<T::Once>| matches!(once.state, OnceState::Running(ticket) if ticket == self.ticket);
        if let Some(once) = state.once.iter_mut().find(ours) {
            once.state = OnceState::Done(std::mem::replace(&mut self.outcome, Err(Ended::Lost)));
        }
        state.waiting.end(self.ticket);
        drop(state);
        self.machine.changed.notify_all();
    }
}

/// The system's loader is this thread's until this is dropped.
pub(crate) struct Mapping<'m, T: Parts> {
    machine: &'m Machine<T>,
}

impl<T: Parts> Drop for Mapping<'_, T> {
    fn drop(&mut self) {
        let mut state = self.machine.lock();
        let LoaderState::Held { ticket, depth } = state.loader else { return };
        if depth > 1 {
            state.loader = LoaderState::Held { ticket, depth: depth - 1 };
            return;
        }
        state.loader = LoaderState::Free;
        state.waiting.end(ticket);
        drop(state);
        self.machine.changed.notify_all();
    }
}
