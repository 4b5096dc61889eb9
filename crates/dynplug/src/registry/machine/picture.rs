//! All that the machine holds, as text, for those who look at every order of events. Two machines with one picture go on
//! in the same way: what is left out (the numbers of tickets, the order of lists that nobody reads in order) makes no
//! difference.
//!
//! Each structure is taken apart whole, so that a new field does not compile before somebody has decided about it.

use super::super::waiting::{Ticket, Waiting};
use super::{
    Ended, File, FileState, Id, IdState, LoaderState, Machine, Once, OnceState, Parts, Place, Seen, State,
};
use std::fmt::Debug;
use std::sync::atomic::Ordering;
use std::thread::ThreadId;

/// The list in an order of its own.
fn sorted(lines: impl Iterator<Item = String>) -> Vec<String> {
    let mut lines: Vec<String> = lines.collect();
    lines.sort();
    lines
}

fn ended<E: Debug>(ended: &Ended<E>) -> String {
    match ended {
        Ended::With(error) => format!("{error:?}"),
        Ended::Lost => "lost".to_owned(),
    }
}

impl<T: Parts> Machine<T>
where
    T::File: Debug,
    T::Stamp: Debug,
    T::Content: Debug,
    T::Plugin: Debug,
    T::Error: Debug,
    T::Once: Debug,
{
    /// `thread` numbers the threads.
    pub(in crate::registry) fn picture(&self, thread: &dyn Fn(ThreadId) -> usize) -> String {
        let Machine { state, changed: _, forked } = self;
        let State { files, paths, spellings, ids, openings, once, loader, waiting } = &*state.look();
        let Waiting { last: _, tasks, waits } = waiting;
        // Tickets are compared only, and later ones are larger.
        let ticket = |ticket: &Ticket| tasks.iter().position(|task| task.ticket == *ticket);
        let seen = |table: &super::Table<Seen<T>>| {
            sorted(table.iter().map(|Seen { path, file, stamp }| format!("{path:?} {file:?} {stamp:?}")))
        };
        let files = sorted(files.iter().map(|File { file, state }| match state {
            FileState::Opening(t) => format!("{file:?} opening {:?}", ticket(t)),
            FileState::Ready(plugin) => format!("{file:?} ready {plugin:?}"),
        }));
        let ids = sorted(ids.iter().map(|Id { id, state, failed }| {
            let state = match state {
                IdState::Free => "free".to_owned(),
                IdState::Loading(t) => format!("loading {:?}", ticket(t)),
                IdState::Loaded(path, _) => format!("loaded {path:?}"),
            };
            let failed = sorted(failed.iter().map(|(content, e)| format!("{content:?} {}", ended(e))));
            format!("{id:?} {state} {failed:?}")
        }));
        let openings = sorted(openings.iter().map(|place| {
            let Place { ticket: t, file, canonical, claimed, mapping } = place;
            format!("{:?} {file:?} {canonical:?} {claimed:?} {mapping}", ticket(t))
        }));
        let once = sorted(once.iter().map(|Once { what, state }| match state {
            OnceState::Running(t) => format!("{what:?} running {:?}", ticket(t)),
            OnceState::Done(outcome) => format!("{what:?} done {:?}", outcome.as_ref().map_err(ended)),
        }));
        let loader = match loader {
            LoaderState::Free => "free".to_owned(),
            LoaderState::Held { ticket: t, depth } => format!("held {:?} {depth}", ticket(t)),
            LoaderState::Lost => "lost".to_owned(),
        };
        let tasks: Vec<_> = tasks.iter().map(|task| (thread(task.thread), &task.step)).collect();
        let waits = sorted(waits.iter().map(|(who, t)| format!("{} for {:?}", thread(*who), ticket(t))));
        let forked = forked.load(Ordering::Relaxed);
        format!(
            "{files:?}\n{:?}\n{:?}\n{ids:?}\n{openings:?}\n{once:?}\n{loader}\n{tasks:?}\n{waits:?}\n{forked}",
            seen(paths),
            seen(spellings),
        )
    }
}
