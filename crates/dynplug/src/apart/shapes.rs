//! Whether what is sent is what the other side expects, where host and plugin were built with different API libraries.
//!
//! The plugin says what shape the arguments and the result of a function have, as serde sees them: which fields, in which order, of
//! which types, and which variants. The shape of a result is compared before the first call. Arguments may be borrowed, and then no
//! shape can be had of their types alone; so each value is followed through its shape before it is sent. Names of types count for
//! nothing, and names of fields and variants do, though they aren't sent.

mod follow;

use crate::wire::{Contents, Described, Shape, Shapes, Type};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::Write;

/// The types that shapes name.
type Types = BTreeMap<String, Type>;

/// Compares the type of a result with what the plugin gives.
pub(super) fn gives<R: DeserializeOwned>(expected: &Described) -> Result<(), String> {
    let own = Shapes::of(Shapes::trace::<R>).map_err(|error| format!("the result: {error}"))?;
    let (Some(here), Some(there)) = (own.shapes.first(), expected.shapes.last()) else {
        return Err("the plugin doesn't say what its function gives".to_owned());
    };
    let (here_types, there_types) = (&own.types, &expected.types);
    let (seen, path, open) = (BTreeSet::new(), "the result".to_owned(), VecDeque::new());
    Both { here: here_types, there: there_types, seen, path, level: 0, open }.all_of(here, there)
}

/// Follows arguments, as a tuple, through what the plugin wants.
pub(super) fn wants(expected: &Described, arguments: &impl Serialize) -> Result<(), String> {
    let wanted = expected.shapes.split_last().map_or(&[][..], |(_, wanted)| wanted);
    follow::arguments(arguments, wanted, &expected.types)
}

/// Two types that are compared, the host's and the plugin's.
struct Both<'a> {
    here: &'a Types,
    there: &'a Types,
    /// What has been compared or is to be, since types may contain themselves.
    seen: BTreeSet<(&'a str, &'a str)>,
    /// Which part is compared, in words.
    path: String,
    /// In how many types it lies.
    level: usize,
    /// What is still to be compared, with the place of each. The plugin's types may be any number that lie in each other, so this
    /// is no recursion.
    open: VecDeque<Pair<'a>>,
}

/// Two types by their names.
struct Pair<'a> {
    here: &'a str,
    there: &'a str,
    path: String,
    level: usize,
}

/// In how many others a type may lie to be compared: no value that lies deeper is ever read.
const LEVELS: usize = 128;

impl<'a> Both<'a> {
    /// Compares all that is in two shapes, the nearest first.
    fn all_of(mut self, here: &'a Shape, there: &'a Shape) -> Result<(), String> {
        self.compare(here, there)?;
        while let Some(Pair { here, there, path, level }) = self.open.pop_front() {
            if level > LEVELS {
                break;
            }
            (self.path, self.level) = (path, level);
            match (self.here.get(here), self.there.get(there)) {
                (Some(Type::Struct(one)), Some(Type::Struct(other))) => self.contents(one, other)?,
                (Some(Type::Enum(ones)), Some(Type::Enum(others))) => self.variants(ones, others)?,
                (Some(one), Some(other)) => return self.differs(kind(one), kind(other)),
                (one, other) => {
                    let words = |of: Option<&Type>| of.map_or("nothing of that name", kind);
                    return self.differs(words(one), words(other));
                }
            }
        }
        Ok(())
    }

    fn within(
        &mut self,
        part: std::fmt::Arguments<'_>,
        compare: impl FnOnce(&mut Self) -> Result<(), String>,
    ) -> Result<(), String> {
        let len = self.path.len();
        // Writing to a string can't fail.
        let _ = self.path.write_fmt(part);
        compare(self)?;
        self.path.truncate(len);
        Ok(())
    }

    fn differs(&self, here: &str, there: &str) -> Result<(), String> {
        Err(differs(&self.path, here, there))
    }

    fn compare(&mut self, here: &'a Shape, there: &'a Shape) -> Result<(), String> {
        match (here, there) {
            (Shape::Type(one), Shape::Type(other)) => {
                if self.seen.insert((one, other)) {
                    let (path, level) = (self.path.clone(), self.level + 1);
                    self.open.push_back(Pair { here: one, there: other, path, level });
                }
                Ok(())
            }
            (Shape::Option(one), Shape::Option(other)) => {
                self.within(format_args!(", in the option"), |both| both.compare(one, other))
            }
            (Shape::List(one), Shape::List(other)) => {
                self.within(format_args!(", each element"), |both| both.compare(one, other))
            }
            (Shape::Map(key, value), Shape::Map(other_key, other_value)) => {
                self.within(format_args!(", each key"), |both| both.compare(key, other_key))?;
                self.within(format_args!(", each value"), |both| both.compare(value, other_value))
            }
            (Shape::Tuple(ones), Shape::Tuple(others)) => self.all(ones, others),
            (Shape::Array(one, size), Shape::Array(other, other_size)) if size == other_size => {
                self.within(format_args!(", each element"), |both| both.compare(one, other))
            }
            (one, other) if one == other => Ok(()),
            (one, other) => self.differs(&name(one), &name(other)),
        }
    }

    fn all(&mut self, ones: &'a [Shape], others: &'a [Shape]) -> Result<(), String> {
        if ones.len() != others.len() {
            return self.differs(&format!("{} elements", ones.len()), &format!("{}", others.len()));
        }
        for (at, (one, other)) in ones.iter().zip(others).enumerate() {
            self.within(format_args!(", element {at}"), |both| both.compare(one, other))?;
        }
        Ok(())
    }

    fn contents(&mut self, one: &'a Contents, other: &'a Contents) -> Result<(), String> {
        match (one, other) {
            (Contents::Unseen(why), _) | (_, Contents::Unseen(why)) => Err(unseen(&self.path, why)),
            (Contents::Nothing, Contents::Nothing) => Ok(()),
            (Contents::One(one), Contents::One(other)) => self.compare(one, other),
            (Contents::Elements(ones), Contents::Elements(others)) => self.all(ones, others),
            (Contents::Fields(ones), Contents::Fields(others)) => {
                for at in 0..ones.len().max(others.len()) {
                    match (ones.get(at), others.get(at)) {
                        (Some((one, here)), Some((other, there))) if one == other => {
                            self.within(format_args!(", field `{one}`"), |both| both.compare(here, there))?;
                        }
                        (one, other) => return self.differs(&field(one), &field(other)),
                    }
                }
                Ok(())
            }
            (one, other) => self.differs(contents_name(one), contents_name(other)),
        }
    }

    fn variants(
        &mut self,
        ones: &'a BTreeMap<u32, (String, Contents)>,
        others: &'a BTreeMap<u32, (String, Contents)>,
    ) -> Result<(), String> {
        let numbers: BTreeSet<&u32> = ones.keys().chain(others.keys()).collect();
        for number in numbers {
            match (ones.get(number), others.get(number)) {
                (Some((one, here)), Some((other, there))) if one == other => {
                    self.within(format_args!(", variant `{one}`"), |both| both.contents(here, there))?;
                }
                (one, other) => return self.differs(&variant(one), &variant(other)),
            }
        }
        Ok(())
    }
}

fn differs(path: &str, here: &str, there: &str) -> String {
    format!("{path}: the host has {here}, and the plugin has {there}")
}

fn unseen(path: &str, why: &str) -> String {
    format!("{path}: it has no shape that could be compared: {why}")
}

/// What a shape is called, for people.
fn name(shape: &Shape) -> String {
    let word = match shape {
        Shape::Type(name) => return format!("`{name}`"),
        Shape::Unit => "`()`",
        Shape::Bool => "`bool`",
        Shape::I8 => "`i8`",
        Shape::I16 => "`i16`",
        Shape::I32 => "`i32`",
        Shape::I64 => "`i64`",
        Shape::I128 => "`i128`",
        Shape::U8 => "`u8`",
        Shape::U16 => "`u16`",
        Shape::U32 => "`u32`",
        Shape::U64 => "`u64`",
        Shape::U128 => "`u128`",
        Shape::F32 => "`f32`",
        Shape::F64 => "`f64`",
        Shape::Char => "`char`",
        Shape::Str => "a text",
        Shape::Bytes => "bytes",
        Shape::Option(_) => "an option",
        Shape::List(_) => "a list",
        Shape::Map(..) => "a map",
        Shape::Tuple(parts) => return format!("a tuple of {}", parts.len()),
        Shape::Array(_, size) => return format!("an array of {size}"),
    };
    word.to_owned()
}

fn kind(of: &Type) -> &'static str {
    match of {
        Type::Struct(contents) => contents_name(contents),
        Type::Enum(_) => "an enum",
    }
}

fn contents_name(contents: &Contents) -> &'static str {
    match contents {
        Contents::Nothing => "nothing in it",
        Contents::One(_) => "one element",
        Contents::Elements(_) => "elements",
        Contents::Fields(_) => "fields",
        Contents::Unseen(_) => "nothing that could be seen",
    }
}

fn field(field: Option<&(String, Shape)>) -> String {
    field.map_or("no more fields".to_owned(), |(name, _)| format!("the field `{name}`"))
}

fn variant(variant: Option<&(String, Contents)>) -> String {
    variant.map_or("no such variant".to_owned(), |(name, _)| format!("the variant `{name}`"))
}

#[cfg(test)]
mod tests;
