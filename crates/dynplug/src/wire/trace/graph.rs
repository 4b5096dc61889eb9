//! What has been seen of types: each is a node, and knows which are in it.

use super::super::Shape;
use super::DEPTH;
use std::collections::HashMap;
use std::mem::Discriminant;

/// Where a type is read: as which part of which other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Place {
    /// Nothing for what is asked about itself.
    node: Option<usize>,
    variant: Option<usize>,
    position: usize,
}

impl Place {
    pub(super) fn root(position: usize) -> Place {
        Place { node: None, variant: None, position }
    }

    pub(super) fn part(node: usize, variant: Option<usize>, position: usize) -> Place {
        Place { node: Some(node), variant, position }
    }
}

/// A type that isn't known yet, or its node.
pub(super) type Slot = Option<usize>;

/// What tells types from each other: what reads them, what is read, and how they want to be read.
pub(super) type Key = (&'static str, &'static str, Kind);

/// How a type wants to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    /// As which plain value.
    Plain(Discriminant<Shape>),
    Option,
    List,
    Map,
    Tuple,
    Struct,
    Enum,
}

pub(super) struct Node {
    pub(super) what: What,
    /// The whole name of the type.
    pub(super) path: &'static str,
    /// Whether nothing is missing, in what is in it neither.
    pub(super) is_complete: bool,
    /// How often it was looked into in this pass.
    pub(super) looks: usize,
    turn: usize,
}

pub(super) enum What {
    Plain(Shape),
    Option(Slot),
    List(Slot),
    Map([Slot; 2]),
    Tuple(Vec<Slot>),
    Struct(&'static str, Parts),
    Enum(&'static str, Vec<Variant>),
}

/// What is in a structure or a variant.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Parts {
    Nothing,
    One(Slot),
    Elements(Vec<Slot>),
    Fields(&'static [&'static str], Vec<Slot>),
}

impl Parts {
    pub(super) fn elements(count: usize) -> Parts {
        Parts::Elements(vec![None; count])
    }

    pub(super) fn fields(names: &'static [&'static str]) -> Parts {
        Parts::Fields(names, vec![None; names.len()])
    }

    fn slots(&self) -> &[Slot] {
        match self {
            Parts::Nothing => &[],
            Parts::One(slot) => std::slice::from_ref(slot),
            Parts::Elements(slots) | Parts::Fields(_, slots) => slots,
        }
    }

    fn slots_mut(&mut self) -> &mut [Slot] {
        match self {
            Parts::Nothing => &mut [],
            Parts::One(slot) => std::slice::from_mut(slot),
            Parts::Elements(slots) | Parts::Fields(_, slots) => slots,
        }
    }

    /// Whether this is the same kind of thing, whatever is known of its parts.
    fn is_like(&self, other: &Parts) -> bool {
        match (self, other) {
            (Parts::Fields(names, _), Parts::Fields(others, _)) => names == others,
            _ => {
                std::mem::discriminant(self) == std::mem::discriminant(other)
                    && self.slots().len() == other.slots().len()
            }
        }
    }
}

pub(super) struct Variant {
    pub(super) name: &'static str,
    /// What is in it, once it was read.
    pub(super) parts: Option<Parts>,
    /// How many enums lie in each other in the flattest value of it that was read whole.
    pub(super) height: Option<u32>,
    /// It isn't to be chosen in the next pass.
    is_postponed: bool,
    /// Why it can't be read.
    pub(super) unseen: Option<String>,
}

impl Variant {
    fn new(name: &'static str) -> Variant {
        Variant { name, parts: None, height: None, is_postponed: false, unseen: None }
    }

    pub(super) fn is_usable(&self) -> bool {
        !self.is_postponed && self.unseen.is_none()
    }
}

/// All that was seen.
#[derive(Default)]
pub(super) struct Graph {
    pub(super) nodes: Vec<Node>,
    pub(super) roots: Vec<Slot>,
    keys: HashMap<Key, usize>,
    /// Grows with everything that is new.
    pub(super) learned: usize,
}

/// Something isn't what it was before.
pub(super) struct Changed;

impl Graph {
    /// The node of a type, which is noted for its place.
    pub(super) fn enter(
        &mut self,
        place: Place,
        key: Key,
        what: impl FnOnce() -> What,
    ) -> Result<usize, Changed> {
        let node = match self.keys.get(&key) {
            Some(&node) => node,
            None => {
                let node = self.nodes.len();
                self.nodes.push(Node { what: what(), path: key.1, is_complete: false, looks: 0, turn: 0 });
                self.keys.insert(key, node);
                self.learned += 1;
                node
            }
        };
        let slot = match place.node {
            None => {
                if self.roots.len() <= place.position {
                    self.roots.resize(place.position + 1, None);
                }
                self.roots.get_mut(place.position)
            }
            Some(outer) => self.slots_mut(outer, place.variant).get_mut(place.position),
        };
        match slot.ok_or(Changed)? {
            Some(other) if *other != node => return Err(Changed),
            Some(_) => {}
            slot => {
                *slot = Some(node);
                self.learned += 1;
            }
        }
        Ok(node)
    }

    /// Notes what kind of thing is in a variant.
    pub(super) fn contents(&mut self, node: usize, variant: usize, parts: Parts) -> Result<(), Changed> {
        let What::Enum(_, variants) = &mut self.nodes[node].what else { return Err(Changed) };
        match &mut variants.get_mut(variant).ok_or(Changed)?.parts {
            Some(known) if known.is_like(&parts) => Ok(()),
            Some(_) => Err(Changed),
            unknown => {
                *unknown = Some(parts);
                self.learned += 1;
                Ok(())
            }
        }
    }

    /// A variant was read whole.
    pub(super) fn read(&mut self, node: usize, variant: usize, height: u32) {
        if let What::Enum(_, variants) = &mut self.nodes[node].what
            && let Some(variant) = variants.get_mut(variant)
            && variant.height.is_none_or(|known| known > height)
        {
            variant.height = Some(height);
            self.learned += 1;
        }
    }

    /// Leaves a variant for later. Says no if that was done already.
    pub(super) fn postpone(&mut self, node: usize, variant: usize) -> bool {
        let What::Enum(_, variants) = &mut self.nodes[node].what else { return false };
        let Some(variant) = variants.get_mut(variant).filter(|variant| variant.is_usable()) else {
            return false;
        };
        variant.is_postponed = true;
        true
    }

    /// Leaves a variant for good, if the enum has another.
    pub(super) fn give_up(&mut self, node: usize, variant: usize, why: &str) -> bool {
        let What::Enum(_, variants) = &mut self.nodes[node].what else { return false };
        if variants.iter().filter(|variant| variant.unseen.is_none()).count() < 2 {
            return false;
        }
        let Some(variant) = variants.get_mut(variant) else { return false };
        variant.unseen = Some(why.to_owned());
        self.learned += 1;
        true
    }

    pub(super) fn variants(&self, node: usize) -> &[Variant] {
        match &self.nodes[node].what {
            What::Enum(_, variants) => variants,
            _ => &[],
        }
    }

    /// Before a pass.
    pub(super) fn begin(&mut self) {
        self.nodes.iter_mut().for_each(|node| node.looks = 0);
    }

    /// The next turn of an enum, of which several variants want to be read.
    pub(super) fn turn(&mut self, node: usize) -> usize {
        let node = &mut self.nodes[node];
        node.turn += 1;
        node.turn
    }

    /// Whether something is missing in a variant.
    pub(super) fn is_missing(&self, node: usize, variant: usize) -> bool {
        let variant = &self.variants(node)[variant];
        variant.unseen.is_none()
            && (variant.height.is_none()
                || variant.parts.as_ref().is_none_or(|parts| self.is_any_missing(parts.slots())))
    }

    /// How many passes it can take until each variant of an enum had its turn.
    pub(super) fn turns(&self) -> usize {
        let counts = (0..self.nodes.len()).map(|node| self.variants(node).len());
        counts.max().unwrap_or(0).saturating_mul(DEPTH.min(self.nodes.len())) + 1
    }

    pub(super) fn is_complete(&self) -> bool {
        !self.is_any_missing(&self.roots)
    }

    /// After a pass: finds what is complete now, and lets be chosen again what was postponed.
    pub(super) fn look_over(&mut self) {
        for node in &mut self.nodes {
            node.is_complete = true;
            if let What::Enum(_, variants) = &mut node.what {
                variants.iter_mut().for_each(|variant| variant.is_postponed = false);
            }
        }
        // What is in something has mostly come later.
        loop {
            let mut has_changed = false;
            for at in (0..self.nodes.len()).rev() {
                if self.nodes[at].is_complete && self.is_part_missing(at) {
                    self.nodes[at].is_complete = false;
                    has_changed = true;
                }
            }
            if !has_changed {
                return;
            }
        }
    }

    fn is_part_missing(&self, node: usize) -> bool {
        match &self.nodes[node].what {
            What::Plain(_) => false,
            What::Option(slot) | What::List(slot) => self.is_any_missing(&[*slot]),
            What::Map(slots) => self.is_any_missing(slots),
            What::Tuple(slots) => self.is_any_missing(slots),
            What::Struct(_, parts) => self.is_any_missing(parts.slots()),
            What::Enum(_, variants) => (0..variants.len()).any(|variant| self.is_missing(node, variant)),
        }
    }

    fn is_any_missing(&self, slots: &[Slot]) -> bool {
        slots.iter().any(|slot| slot.is_none_or(|node| !self.nodes[node].is_complete))
    }

    fn slots_mut(&mut self, node: usize, variant: Option<usize>) -> &mut [Slot] {
        match (&mut self.nodes[node].what, variant) {
            (What::Option(slot) | What::List(slot), _) => std::slice::from_mut(slot),
            (What::Map(slots), _) => slots,
            (What::Tuple(slots), _) => slots,
            (What::Struct(_, parts), _) => parts.slots_mut(),
            (What::Enum(_, variants), Some(variant)) => {
                let parts = variants.get_mut(variant).and_then(|variant| variant.parts.as_mut());
                parts.map_or(&mut [], Parts::slots_mut)
            }
            (What::Plain(_) | What::Enum(..), _) => &mut [],
        }
    }
}

impl What {
    pub(super) fn variants(name: &'static str, variants: &'static [&'static str]) -> What {
        What::Enum(name, variants.iter().map(|name| Variant::new(name)).collect())
    }
}
