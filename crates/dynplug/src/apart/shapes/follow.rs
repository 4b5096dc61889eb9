//! Following a value through the shape that is expected of it: a serializer that writes nothing.

use super::{Types, differs, field, kind, name, unseen, variant};
use crate::wire::{Contents, Shape, Type};
use serde::ser::{self, Serialize, Serializer};
use std::fmt::{self, Display};

/// Follows arguments, as a tuple.
pub(super) fn arguments(arguments: &impl Serialize, wanted: &[Shape], types: &Types) -> Result<(), String> {
    let path = Path::Arguments;
    // Without arguments the tuple is `()`.
    let whole = if wanted.is_empty() { Shape::Unit } else { Shape::Tuple(wanted.to_vec()) };
    arguments.serialize(Follow { expected: &whole, types, path: &path }).map_err(|Differs(what)| what)
}

/// Which part of the arguments a value is, from the outside in.
enum Path<'a> {
    Arguments,
    Argument(usize),
    Part(&'a Path<'a>, Part),
}

#[derive(Clone, Copy)]
enum Part {
    Element(usize),
    Each,
    Key,
    Value,
    Field(&'static str),
    Variant(&'static str),
    Some,
}

impl Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Path::Arguments => f.write_str("the arguments"),
            Path::Argument(at) => write!(f, "argument {}", at + 1),
            Path::Part(outer, part) => {
                outer.fmt(f)?;
                match part {
                    Part::Element(at) => write!(f, ", element {at}"),
                    Part::Each => f.write_str(", each element"),
                    Part::Key => f.write_str(", each key"),
                    Part::Value => f.write_str(", each value"),
                    Part::Field(name) => write!(f, ", field `{name}`"),
                    Part::Variant(name) => write!(f, ", variant `{name}`"),
                    Part::Some => f.write_str(", in the option"),
                }
            }
        }
    }
}

/// What differs, in words.
#[derive(Debug)]
struct Differs(String);

impl Display for Differs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Differs {}

impl ser::Error for Differs {
    fn custom<T: Display>(what: T) -> Self {
        Differs(what.to_string())
    }
}

type Done = Result<(), Differs>;

/// A value that is followed.
struct Follow<'a> {
    expected: &'a Shape,
    types: &'a Types,
    path: &'a Path<'a>,
}

impl<'a> Follow<'a> {
    fn differs<T>(&self, here: &str) -> Result<T, Differs> {
        let there = match self.container() {
            Some(container) => format!("{} ({})", name(self.expected), kind(container)),
            None => name(self.expected),
        };
        Err(Differs(differs(&self.path.to_string(), here, &there)))
    }

    fn container(&self) -> Option<&'a Type> {
        match self.expected {
            Shape::Type(name) => self.types.get(name),
            _ => None,
        }
    }

    fn plain(&self, own: &Shape) -> Done {
        if own == self.expected { Ok(()) } else { self.differs(&name(own)) }
    }

    fn inner<T: Serialize + ?Sized>(&self, expected: &Shape, part: Part, value: &T) -> Done {
        let path = Path::Part(self.path, part);
        value.serialize(Follow { expected, types: self.types, path: &path })
    }

    fn variant(&self, number: u32, own: &'static str) -> Result<&'a Contents, Differs> {
        let Some(Type::Enum(variants)) = self.container() else {
            return self.differs("an enum");
        };
        match variants.get(&number) {
            Some((name, Contents::Unseen(why))) if name == own => {
                Err(Differs(unseen(&Path::Part(self.path, Part::Variant(own)).to_string(), why)))
            }
            Some((name, contents)) if name == own => Ok(contents),
            other => {
                let path = self.path.to_string();
                Err(Differs(differs(&path, &format!("the variant `{own}`"), &variant(other))))
            }
        }
    }
}

macro_rules! plain {
    ($($method:ident $type:ty, $format:ident;)*) => {
        $(fn $method(self, _: $type) -> Done {
            self.plain(&Shape::$format)
        })*
    };
}

impl<'a> Serializer for Follow<'a> {
    type Ok = ();
    type Error = Differs;
    type SerializeSeq = Parts<'a>;
    type SerializeTuple = Parts<'a>;
    type SerializeTupleStruct = Parts<'a>;
    type SerializeTupleVariant = Parts<'a>;
    type SerializeMap = Parts<'a>;
    type SerializeStruct = Parts<'a>;
    type SerializeStructVariant = Parts<'a>;

    plain! {
        serialize_bool bool, Bool;
        serialize_i8 i8, I8;
        serialize_i16 i16, I16;
        serialize_i32 i32, I32;
        serialize_i64 i64, I64;
        serialize_i128 i128, I128;
        serialize_u8 u8, U8;
        serialize_u16 u16, U16;
        serialize_u32 u32, U32;
        serialize_u64 u64, U64;
        serialize_u128 u128, U128;
        serialize_f32 f32, F32;
        serialize_f64 f64, F64;
        serialize_char char, Char;
        serialize_str &str, Str;
    }

    fn is_human_readable(&self) -> bool {
        false
    }

    fn serialize_bytes(self, _: &[u8]) -> Done {
        match self.expected {
            // The same bytes either way.
            Shape::List(each) if **each == Shape::U8 => Ok(()),
            _ => self.plain(&Shape::Bytes),
        }
    }

    fn serialize_none(self) -> Done {
        match self.expected {
            Shape::Option(_) => Ok(()),
            _ => self.differs("an option"),
        }
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Done {
        match self.expected {
            Shape::Option(inner) => self.inner(inner, Part::Some, value),
            _ => self.differs("an option"),
        }
    }

    fn serialize_unit(self) -> Done {
        self.plain(&Shape::Unit)
    }

    fn serialize_unit_struct(self, own: &'static str) -> Done {
        match self.container() {
            Some(Type::Struct(Contents::Nothing)) => Ok(()),
            _ => self.differs(&format!("`{own}`, a structure without anything")),
        }
    }

    fn serialize_unit_variant(self, _: &'static str, number: u32, own: &'static str) -> Done {
        match self.variant(number, own)? {
            Contents::Nothing => Ok(()),
            _ => self.differs(&format!("the variant `{own}` without anything")),
        }
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, own: &'static str, value: &T) -> Done {
        match self.container() {
            Some(Type::Struct(Contents::One(inner))) => self.inner(inner, Part::Element(0), value),
            _ => self.differs(&format!("`{own}`, a structure with one element")),
        }
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        number: u32,
        own: &'static str,
        value: &T,
    ) -> Done {
        match self.variant(number, own)? {
            Contents::One(inner) => self.inner(inner, Part::Variant(own), value),
            _ => self.differs(&format!("the variant `{own}` with one element")),
        }
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Parts<'a>, Differs> {
        match self.expected {
            Shape::List(each) => Ok(Parts::of(self, Kind::Each(each))),
            Shape::Bytes => Ok(Parts::of(self, Kind::Each(&Shape::U8))),
            _ => self.differs("a list"),
        }
    }

    fn serialize_tuple(self, len: usize) -> Result<Parts<'a>, Differs> {
        match self.expected {
            Shape::Tuple(parts) if parts.len() == len => Ok(Parts::of(self, Kind::List(parts))),
            Shape::Array(content, size) if *size == len as u64 => Ok(Parts::of(self, Kind::Each(content))),
            _ if matches!(self.path, Path::Arguments) => {
                let there = match self.expected {
                    Shape::Tuple(parts) => parts.len(),
                    _ => 0,
                };
                let path = self.path.to_string();
                Err(Differs(differs(&path, &format!("{len} of them"), &there.to_string())))
            }
            _ => self.differs(&format!("a tuple of {len}")),
        }
    }

    fn serialize_tuple_struct(self, own: &'static str, len: usize) -> Result<Parts<'a>, Differs> {
        match self.container() {
            Some(Type::Struct(Contents::Elements(parts))) if parts.len() == len => {
                Ok(Parts::of(self, Kind::List(parts)))
            }
            _ => self.differs(&format!("`{own}`, a structure with {len} elements")),
        }
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        number: u32,
        own: &'static str,
        len: usize,
    ) -> Result<Parts<'a>, Differs> {
        match self.variant(number, own)? {
            Contents::Elements(parts) if parts.len() == len => Ok(Parts::of(self, Kind::List(parts))),
            _ => self.differs(&format!("the variant `{own}` with {len} elements")),
        }
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Parts<'a>, Differs> {
        match self.expected {
            Shape::Map(key, value) => Ok(Parts::of(self, Kind::Map(key, value))),
            _ => self.differs("a map"),
        }
    }

    fn serialize_struct(self, own: &'static str, _: usize) -> Result<Parts<'a>, Differs> {
        match self.container() {
            Some(Type::Struct(Contents::Fields(fields))) => Ok(Parts::of(self, Kind::Fields(fields))),
            _ => self.differs(&format!("`{own}`, a structure with fields")),
        }
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        number: u32,
        own: &'static str,
        _: usize,
    ) -> Result<Parts<'a>, Differs> {
        match self.variant(number, own)? {
            Contents::Fields(fields) => Ok(Parts::of(self, Kind::Fields(fields))),
            _ => self.differs(&format!("the variant `{own}` with fields")),
        }
    }
}

/// A value that has parts, while these are followed.
struct Parts<'a> {
    follow: Follow<'a>,
    kind: Kind<'a>,
    /// How many were followed.
    done: usize,
}

#[derive(Clone, Copy)]
enum Kind<'a> {
    Each(&'a Shape),
    List(&'a [Shape]),
    Map(&'a Shape, &'a Shape),
    Fields(&'a [(String, Shape)]),
}

impl<'a> Parts<'a> {
    fn of(follow: Follow<'a>, kind: Kind<'a>) -> Parts<'a> {
        Parts { follow, kind, done: 0 }
    }

    fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
        let at = self.done;
        self.done += 1;
        match self.kind {
            Kind::Each(each) => self.follow.inner(each, Part::Each, value),
            Kind::List(parts) => match parts.get(at) {
                Some(expected) if matches!(self.follow.path, Path::Arguments) => {
                    let path = Path::Argument(at);
                    value.serialize(Follow { expected, types: self.follow.types, path: &path })
                }
                Some(expected) => self.follow.inner(expected, Part::Element(at), value),
                None => self.follow.differs("more elements"),
            },
            Kind::Map(..) | Kind::Fields(_) => self.follow.differs("elements"),
        }
    }

    fn field<T: Serialize + ?Sized>(&mut self, own: &'static str, value: &T) -> Done {
        let Kind::Fields(fields) = self.kind else { return self.follow.differs("fields") };
        let at = self.done;
        self.done += 1;
        match fields.get(at) {
            Some((name, expected)) if name == own => self.follow.inner(expected, Part::Field(own), value),
            other => {
                let path = self.follow.path.to_string();
                Err(Differs(differs(&path, &format!("the field `{own}`"), &field(other))))
            }
        }
    }

    fn finish(self) -> Done {
        let path = self.follow.path.to_string();
        match self.kind {
            Kind::Fields(fields) if fields.len() > self.done => {
                Err(Differs(differs(&path, &field(None), &field(fields.get(self.done)))))
            }
            Kind::List(parts) if parts.len() != self.done => {
                let (here, there) = (format!("{} elements", self.done), format!("{}", parts.len()));
                Err(Differs(differs(&path, &here, &there)))
            }
            _ => Ok(()),
        }
    }
}

macro_rules! elements {
    ($($of:ident $method:ident;)*) => {
        $(impl ser::$of for Parts<'_> {
            type Ok = ();
            type Error = Differs;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
                self.element(value)
            }

            fn end(self) -> Done {
                self.finish()
            }
        })*
    };
}

elements! {
    SerializeSeq serialize_element;
    SerializeTuple serialize_element;
    SerializeTupleStruct serialize_field;
    SerializeTupleVariant serialize_field;
}

impl ser::SerializeMap for Parts<'_> {
    type Ok = ();
    type Error = Differs;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Done {
        match self.kind {
            Kind::Map(expected, _) => self.follow.inner(expected, Part::Key, key),
            _ => self.follow.differs("a map"),
        }
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
        match self.kind {
            Kind::Map(_, expected) => self.follow.inner(expected, Part::Value, value),
            _ => self.follow.differs("a map"),
        }
    }

    fn end(self) -> Done {
        Ok(())
    }
}

macro_rules! fields {
    ($($of:ident)*) => {
        $(impl ser::$of for Parts<'_> {
            type Ok = ();
            type Error = Differs;

            fn serialize_field<T: Serialize + ?Sized>(&mut self, own: &'static str, value: &T) -> Done {
                self.field(own, value)
            }

            fn end(self) -> Done {
                self.finish()
            }
        })*
    };
}

fields! { SerializeStruct SerializeStructVariant }
