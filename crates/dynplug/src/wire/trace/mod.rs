//! Finding out what shape a type has, by having it read what is made up for it.
//!
//! A type is read again and again, and each pass adds what it shows to a [`Graph`]: what an option holds, which fields a structure has,
//! one more variant of an enum. Where a type contains itself, the reading goes the shortest way out that is known. What is made up may
//! not please a type, a zero where it wants none; then the next sample is tried in that place.

mod graph;
mod names;
mod read;
mod samples;

use super::{Described, Done, Error};
use graph::{Graph, Place};
use read::Read;
use samples::Tries;
use serde::Deserialize;

/// How often types are read at most.
const PASSES: usize = 1 << 16;

/// How deep values may lie in each other, as where they are read.
const DEPTH: usize = 128;

/// Notes shapes, as they are asked about one after the other.
pub struct Shapes {
    graph: Graph,
    tries: Tries,
    /// What is being read, from the outside in. After an error it is what was being read then.
    open: Vec<Open>,
    /// Whether it's time to come to an end: the type that is being read contains itself.
    is_short: bool,
    /// How many enums lie in each other in what has been read.
    height: u32,
    /// Why the pass ended.
    end: Option<End>,
    /// How many types were asked about.
    asked: usize,
}

/// A value that is being read.
#[derive(Clone, Copy)]
struct Open {
    node: usize,
    /// Which variant of it, if it is an enum.
    variant: Option<usize>,
}

/// Why a pass ended early.
enum End {
    /// A type doesn't want what was made up for it.
    Rejected(String),
    /// A type can't be read in this way at all.
    Impossible(String),
    /// Each way on leads to what is being read already.
    Endless,
}

impl Shapes {
    /// The shapes that `ask` asks about. It is called again and again, until everything has been seen.
    ///
    /// # Errors
    ///
    /// When a type can't be traced: it wants to be told what comes next, as untagged enums do, it reads something else each time, or
    /// nothing that is made up for it pleases it. What only concerns one variant of an enum is no error; it is noted there.
    pub fn of(ask: impl Fn(&mut Shapes) -> Done) -> Result<Described, Error> {
        let mut shapes = Shapes {
            graph: Graph::default(),
            tries: Tries::default(),
            open: Vec::new(),
            is_short: false,
            height: 0,
            end: None,
            asked: 0,
        };
        let (mut learned, mut idle) = (0, 0);
        for _ in 0..PASSES {
            shapes.begin();
            match ask(&mut shapes) {
                Ok(()) => {
                    shapes.graph.look_over();
                    if shapes.graph.is_complete() {
                        return names::described(&shapes.graph);
                    }
                    idle = if shapes.graph.learned == learned { idle + 1 } else { 0 };
                    learned = shapes.graph.learned;
                    if idle > shapes.graph.turns() {
                        return Err(unread());
                    }
                }
                Err(error) => shapes.go_around(error)?,
            }
        }
        Err(Error::Shape("there is no end to it".to_owned()))
    }

    /// Has a type read what is made up.
    pub(crate) fn trace<T: Deserialize<'static>>(&mut self) -> Done {
        let place = Place::root(self.asked);
        self.asked += 1;
        T::deserialize(Read { shapes: self, place }).map(drop).map_err(|stop| {
            if self.end.is_none() {
                self.end = Some(End::Rejected(stop.0.clone()));
            }
            Error::Shape(stop.0)
        })
    }

    fn begin(&mut self) {
        self.graph.begin();
        self.tries.begin();
        self.open.clear();
        (self.is_short, self.height, self.end, self.asked) = (false, 0, None, 0);
    }

    /// After a pass that ended early: something is to be otherwise in the next one.
    fn go_around(&mut self, error: Error) -> Done {
        // The enums that were being read, from the inside out.
        let mut enums = self.open.iter().rev().filter_map(|open| Some((open.node, open.variant?)));
        let what = match self.end.take() {
            Some(End::Endless) => {
                // Another variant may lead out.
                if enums.clone().any(|(node, variant)| self.graph.postpone(node, variant)) {
                    return Ok(());
                }
                "it contains itself without end".to_owned()
            }
            Some(End::Rejected(what)) => {
                if self.tries.next() {
                    return Ok(());
                }
                what
            }
            Some(End::Impossible(what)) => what,
            None => return Err(error),
        };
        match enums.any(|(node, variant)| self.graph.give_up(node, variant, &what)) {
            true => Ok(()),
            false => Err(Error::Shape(what)),
        }
    }

    fn is_open(&self, node: usize) -> bool {
        self.open.iter().any(|open| open.node == node)
    }

    /// Whether the contents of an option, a list or a map are looked at: once in a pass, as long as something is missing there.
    fn looks_into(&mut self, node: usize) -> bool {
        let is_open = self.is_open(node);
        let node = &mut self.graph.nodes[node];
        let looks = !self.is_short && !node.is_complete && !is_open && node.looks == 0;
        node.looks += usize::from(looks);
        looks
    }

    /// The variant that is read now, and whether the way out is to be the shortest from here on.
    fn choose(&mut self, node: usize) -> Option<(usize, bool)> {
        let is_open = self.is_open(node);
        self.graph.nodes[node].looks += 1;
        let looks = self.graph.nodes[node].looks;
        let is_taken =
            |variant| self.open.iter().any(|open| (open.node, open.variant) == (node, Some(variant)));
        let variants = self.graph.variants(node);
        let usable = || (0..variants.len()).filter(|&number| variants[number].is_usable());
        let unread = usable().find(|&number| variants[number].height.is_none() && !is_taken(number));
        let shortest = usable()
            .filter_map(|number| variants[number].height.map(|height| (height, number)))
            .min()
            .map(|(_, number)| (number, true));
        // Types that are in each other twice, and these in others twice, would take for ever.
        if self.is_short || looks > variants.len() {
            return shortest.or(unread.map(|number| (number, true)));
        }
        if let Some(number) = unread {
            return Some((number, false));
        }
        if is_open {
            return shortest;
        }
        let incomplete: Vec<usize> = usable().filter(|&number| self.graph.is_missing(node, number)).collect();
        if incomplete.is_empty() {
            return shortest;
        }
        let turn = self.graph.turn(node);
        Some((incomplete[turn % incomplete.len()], false))
    }
}

fn unread() -> Error {
    Error::Shape("a part of it is never read".to_owned())
}

#[cfg(test)]
mod tests;
