//! What was seen, as what is sent and compared: types by their names.

use super::super::{Contents, Described, Error, Shape, Type};
use super::graph::{Graph, Node, Parts, Slot, What};
use super::{DEPTH, unread};
use std::collections::{BTreeMap, HashMap};

/// Everything that can be reached.
pub(super) fn described(graph: &Graph) -> Result<Described, Error> {
    let mut names = Names { graph, given: HashMap::new(), types: BTreeMap::new(), depth: 0 };
    let shapes = names.all(&graph.roots)?;
    let types = names.types.into_iter().filter_map(|(name, of)| Some((name, of?))).collect();
    Ok(Described { shapes, types })
}

struct Names<'a> {
    graph: &'a Graph,
    given: HashMap<usize, String>,
    /// The types, which are nothing as long as they are looked at.
    types: BTreeMap<String, Option<Type>>,
    depth: usize,
}

impl Names<'_> {
    fn all(&mut self, slots: &[Slot]) -> Result<Vec<Shape>, Error> {
        slots.iter().map(|slot| self.shape(*slot)).collect()
    }

    fn shape(&mut self, slot: Slot) -> Result<Shape, Error> {
        let graph = self.graph;
        let at = slot.ok_or_else(unread)?;
        let node = graph.nodes.get(at).ok_or_else(unread)?;
        self.depth += 1;
        if self.depth > DEPTH {
            let what = format!("`{}` contains itself, and there is no structure or enum between", node.path);
            return Err(Error::Shape(what));
        }
        let shape = match &node.what {
            What::Plain(shape) => shape.clone(),
            What::Option(inner) => Shape::Option(Box::new(self.shape(*inner)?)),
            What::List(each) => Shape::List(Box::new(self.shape(*each)?)),
            What::Map([key, value]) => Shape::Map(Box::new(self.shape(*key)?), Box::new(self.shape(*value)?)),
            What::Tuple(parts) => tuple(self.all(parts)?),
            What::Struct(name, parts) => {
                self.named(at, node, name, |names| names.contents(parts).map(Type::Struct))?
            }
            What::Enum(name, variants) => self.named(at, node, name, |names| {
                let variants = (0..).zip(variants).map(|(number, variant)| {
                    let contents = match (&variant.unseen, &variant.parts) {
                        (Some(why), _) => Contents::Unseen(why.clone()),
                        (None, Some(parts)) => names.contents(parts)?,
                        (None, None) => return Err(unread()),
                    };
                    Ok((number, (variant.name.to_owned(), contents)))
                });
                variants.collect::<Result<_, _>>().map(Type::Enum)
            })?,
        };
        self.depth -= 1;
        Ok(shape)
    }

    /// The name of a type, which is looked at when it is met for the first time.
    fn named(
        &mut self,
        at: usize,
        node: &Node,
        name: &str,
        look: impl FnOnce(&mut Self) -> Result<Type, Error>,
    ) -> Result<Shape, Error> {
        if let Some(given) = self.given.get(&at) {
            return Ok(Shape::Type(given.clone()));
        }
        // Two types may have one name, and one path even: what is local to functions, say.
        let numbered = (2..).map(|number| format!("{} ({number})", node.path));
        let names = [name.to_owned(), node.path.to_owned()].into_iter().chain(numbered);
        let free = |name: &String| !self.types.contains_key(name);
        let Some(given) = names.into_iter().find(free) else { return Ok(Shape::Unit) };
        self.given.insert(at, given.clone());
        self.types.insert(given.clone(), None);
        // A chain of types isn't a value that contains itself.
        let depth = std::mem::take(&mut self.depth);
        let of = look(self)?;
        self.depth = depth;
        self.types.insert(given.clone(), Some(of));
        Ok(Shape::Type(given))
    }

    fn contents(&mut self, parts: &Parts) -> Result<Contents, Error> {
        Ok(match parts {
            Parts::Nothing => Contents::Nothing,
            Parts::One(one) => Contents::One(self.shape(*one)?),
            Parts::Elements(parts) => Contents::Elements(self.all(parts)?),
            Parts::Fields(names, parts) => {
                let shapes = self.all(parts)?;
                Contents::Fields(names.iter().map(|name| (*name).to_owned()).zip(shapes).collect())
            }
        })
    }
}

/// An array, where all parts are of one shape: nobody can tell it from one.
fn tuple(parts: Vec<Shape>) -> Shape {
    match parts.split_first() {
        Some((first, rest)) if rest.iter().all(|part| part == first) => {
            Shape::Array(Box::new(first.clone()), parts.len() as u64)
        }
        _ => Shape::Tuple(parts),
    }
}
