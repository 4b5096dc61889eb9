//! What types read from: a deserializer that makes up what they ask for, and notes what that was.

use super::super::Shape;
use super::graph::{Changed, Kind, Parts, Place, What};
use super::samples::{BYTES, CHARACTERS, ELEMENTS, FRACTIONS, NUMBERS, TEXTS, ZEROS};
use super::{DEPTH, End, Open, Shapes};
use serde::de::{self, DeserializeSeed, Deserializer, IntoDeserializer, Visitor};
use std::any::type_name;
use std::fmt::{self, Display};
use std::mem::discriminant;

/// Ends a pass.
#[derive(Debug)]
pub(super) struct Stop(pub(super) String);

impl Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Stop {}

impl de::Error for Stop {
    fn custom<T: Display>(what: T) -> Stop {
        Stop(what.to_string())
    }
}

/// The type that is read in a place.
pub(super) struct Read<'t> {
    pub(super) shapes: &'t mut Shapes,
    pub(super) place: Place,
}

impl Shapes {
    fn stop<T>(&mut self, end: End) -> Result<T, Stop> {
        let what = match &end {
            End::Rejected(what) | End::Impossible(what) => what.clone(),
            End::Endless => String::new(),
        };
        self.end = Some(end);
        Err(Stop(what))
    }

    fn impossible<T>(&mut self, what: impl Into<String>) -> Result<T, Stop> {
        self.stop(End::Impossible(what.into()))
    }

    fn enter<'de, V: Visitor<'de>>(
        &mut self,
        place: Place,
        kind: Kind,
        what: impl FnOnce() -> What,
    ) -> Result<usize, Stop> {
        let key = (type_name::<V>(), type_name::<V::Value>(), kind);
        match self.graph.enter(place, key, what) {
            Ok(node) => Ok(node),
            Err(Changed) => self.impossible(format!("`{}` isn't read in the same way each time", key.1)),
        }
    }

    /// Reads what has parts.
    fn within<T>(
        &mut self,
        node: usize,
        variant: Option<usize>,
        read: impl FnOnce(&mut Shapes) -> Result<T, Stop>,
    ) -> Result<T, Stop> {
        if self.open.len() >= DEPTH {
            return self.impossible(format!("values in it lie in each other more than {DEPTH} times"));
        }
        self.open.push(Open { node, variant });
        let value = read(self)?;
        self.open.pop();
        Ok(value)
    }
}

impl Read<'_> {
    fn plain<'de, V: Visitor<'de>>(&mut self, shape: Shape) -> Result<(), Stop> {
        let kind = Kind::Plain(discriminant(&shape));
        self.shapes.enter::<V>(self.place, kind, || What::Plain(shape)).map(drop)
    }

    fn sample<T: Copy>(&mut self, samples: &[T]) -> Result<T, Stop> {
        let at = self.shapes.tries.sample(self.place, samples.len());
        match samples.get(at) {
            Some(sample) => Ok(*sample),
            None => self.shapes.impossible("it isn't read in the same way each time"),
        }
    }

    fn number<T: TryFrom<i8> + Copy>(&mut self) -> Result<T, Stop> {
        let numbers: Vec<T> = NUMBERS.iter().filter_map(|number| T::try_from(*number).ok()).collect();
        self.sample(&numbers)
    }

    fn text<V: Visitor<'static>>(mut self, visitor: V) -> Result<V::Value, Stop> {
        self.plain::<V>(Shape::Str)?;
        let text = self.sample(&TEXTS)?;
        visitor.visit_borrowed_str(text)
    }

    fn bytes<V: Visitor<'static>>(mut self, visitor: V) -> Result<V::Value, Stop> {
        self.plain::<V>(Shape::Bytes)?;
        let count = self.sample(&BYTES)?;
        visitor.visit_borrowed_bytes(ZEROS.get(..count).unwrap_or(&[]))
    }

    /// How many elements a list or a map has now.
    fn elements(&mut self, node: usize) -> Result<usize, Stop> {
        let at = self.shapes.tries.sample(self.place, ELEMENTS.len());
        if at == 0 && !self.shapes.looks_into(node) {
            return Ok(0);
        }
        Ok(ELEMENTS.get(at).copied().unwrap_or(0))
    }

    /// What has its parts one after the other.
    fn parts<V: Visitor<'static>>(self, node: usize, count: usize, visitor: V) -> Result<V::Value, Stop> {
        self.shapes.within(node, None, |shapes| {
            visitor.visit_seq(Several { shapes, node, variant: None, next: 0, end: count, is_same: false })
        })
    }

    fn structure<V: Visitor<'static>>(
        self,
        name: &'static str,
        parts: Parts,
        count: usize,
        visitor: V,
    ) -> Result<V::Value, Stop> {
        let node = self.shapes.enter::<V>(self.place, Kind::Struct, || What::Struct(name, parts))?;
        self.parts(node, count, visitor)
    }
}

macro_rules! numbers {
    ($($method:ident $visit:ident $shape:ident;)*) => {
        $(fn $method<V: Visitor<'static>>(mut self, visitor: V) -> Result<V::Value, Stop> {
            self.plain::<V>(Shape::$shape)?;
            visitor.$visit(self.number()?)
        })*
    };
}

impl Deserializer<'static> for Read<'_> {
    type Error = Stop;

    fn is_human_readable(&self) -> bool {
        false
    }

    fn deserialize_any<V: Visitor<'static>>(self, _: V) -> Result<V::Value, Stop> {
        let path = type_name::<V::Value>();
        self.shapes
            .impossible(format!("`{path}` has to be told what comes next, and what is sent doesn't say that"))
    }

    fn deserialize_ignored_any<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, Stop> {
        self.deserialize_any(visitor)
    }

    fn deserialize_identifier<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, Stop> {
        self.deserialize_any(visitor)
    }

    numbers! {
        deserialize_i8 visit_i8 I8;
        deserialize_i16 visit_i16 I16;
        deserialize_i32 visit_i32 I32;
        deserialize_i64 visit_i64 I64;
        deserialize_i128 visit_i128 I128;
        deserialize_u8 visit_u8 U8;
        deserialize_u16 visit_u16 U16;
        deserialize_u32 visit_u32 U32;
        deserialize_u64 visit_u64 U64;
        deserialize_u128 visit_u128 U128;
    }

    fn deserialize_bool<V: Visitor<'static>>(mut self, visitor: V) -> Result<V::Value, Stop> {
        self.plain::<V>(Shape::Bool)?;
        visitor.visit_bool(self.sample(&[false, true])?)
    }

    fn deserialize_f32<V: Visitor<'static>>(mut self, visitor: V) -> Result<V::Value, Stop> {
        self.plain::<V>(Shape::F32)?;
        visitor.visit_f32(self.sample(&FRACTIONS)?)
    }

    fn deserialize_f64<V: Visitor<'static>>(mut self, visitor: V) -> Result<V::Value, Stop> {
        self.plain::<V>(Shape::F64)?;
        visitor.visit_f64(self.sample(&FRACTIONS)?.into())
    }

    fn deserialize_char<V: Visitor<'static>>(mut self, visitor: V) -> Result<V::Value, Stop> {
        self.plain::<V>(Shape::Char)?;
        visitor.visit_char(self.sample(&CHARACTERS)?)
    }

    fn deserialize_str<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, Stop> {
        self.text(visitor)
    }

    fn deserialize_string<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, Stop> {
        self.text(visitor)
    }

    fn deserialize_bytes<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, Stop> {
        self.bytes(visitor)
    }

    fn deserialize_byte_buf<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, Stop> {
        self.bytes(visitor)
    }

    fn deserialize_unit<V: Visitor<'static>>(mut self, visitor: V) -> Result<V::Value, Stop> {
        self.plain::<V>(Shape::Unit)?;
        visitor.visit_unit()
    }

    fn deserialize_option<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, Stop> {
        let node = self.shapes.enter::<V>(self.place, Kind::Option, || What::Option(None))?;
        if !self.shapes.looks_into(node) {
            return visitor.visit_none();
        }
        self.shapes.within(node, None, |shapes| {
            visitor.visit_some(Read { shapes, place: Place::part(node, None, 0) })
        })
    }

    fn deserialize_unit_struct<V: Visitor<'static>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Stop> {
        self.shapes.enter::<V>(self.place, Kind::Struct, || What::Struct(name, Parts::Nothing))?;
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'static>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Stop> {
        let what = || What::Struct(name, Parts::One(None));
        let node = self.shapes.enter::<V>(self.place, Kind::Struct, what)?;
        self.shapes.within(node, None, |shapes| {
            visitor.visit_newtype_struct(Read { shapes, place: Place::part(node, None, 0) })
        })
    }

    fn deserialize_tuple_struct<V: Visitor<'static>>(
        self,
        name: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, Stop> {
        self.structure(name, Parts::elements(len), len, visitor)
    }

    fn deserialize_struct<V: Visitor<'static>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        self.structure(name, Parts::fields(fields), fields.len(), visitor)
    }

    fn deserialize_tuple<V: Visitor<'static>>(self, len: usize, visitor: V) -> Result<V::Value, Stop> {
        let what = || What::Tuple(vec![None; len]);
        let node = self.shapes.enter::<V>(self.place, Kind::Tuple, what)?;
        self.parts(node, len, visitor)
    }

    fn deserialize_seq<V: Visitor<'static>>(mut self, visitor: V) -> Result<V::Value, Stop> {
        let node = self.shapes.enter::<V>(self.place, Kind::List, || What::List(None))?;
        let end = self.elements(node)?;
        self.shapes.within(node, None, |shapes| {
            visitor.visit_seq(Several { shapes, node, variant: None, next: 0, end, is_same: true })
        })
    }

    fn deserialize_map<V: Visitor<'static>>(mut self, visitor: V) -> Result<V::Value, Stop> {
        let node = self.shapes.enter::<V>(self.place, Kind::Map, || What::Map([None; 2]))?;
        let end = self.elements(node)?;
        self.shapes.within(node, None, |shapes| visitor.visit_map(Entries { shapes, node, left: end }))
    }

    fn deserialize_enum<V: Visitor<'static>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        let what = || What::variants(name, variants);
        let node = self.shapes.enter::<V>(self.place, Kind::Enum, what)?;
        let Some((variant, is_short)) = self.shapes.choose(node) else {
            return match self.shapes.graph.variants(node) {
                [] => self.shapes.impossible(format!("`{name}` has no variant")),
                _ => self.shapes.stop(End::Endless),
            };
        };
        let before = (self.shapes.is_short, self.shapes.height);
        self.shapes.is_short |= is_short;
        self.shapes.height = 0;
        let value = self
            .shapes
            .within(node, Some(variant), |shapes| visitor.visit_enum(Chosen { shapes, node, variant }))?;
        let height = self.shapes.height + 1;
        self.shapes.graph.read(node, variant, height);
        self.shapes.is_short = before.0;
        self.shapes.height = before.1.max(height);
        Ok(value)
    }
}

/// Parts one after the other.
struct Several<'t> {
    shapes: &'t mut Shapes,
    node: usize,
    variant: Option<usize>,
    next: usize,
    end: usize,
    /// Whether all are of one type.
    is_same: bool,
}

impl<'t> de::SeqAccess<'static> for Several<'t> {
    type Error = Stop;

    fn next_element_seed<S: DeserializeSeed<'static>>(&mut self, seed: S) -> Result<Option<S::Value>, Stop> {
        if self.next == self.end {
            return Ok(None);
        }
        let position = if self.is_same { 0 } else { self.next };
        self.next += 1;
        let place = Place::part(self.node, self.variant, position);
        seed.deserialize(Read { shapes: self.shapes, place }).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.end - self.next)
    }
}

/// Keys and values.
struct Entries<'t> {
    shapes: &'t mut Shapes,
    node: usize,
    left: usize,
}

impl<'t> de::MapAccess<'static> for Entries<'t> {
    type Error = Stop;

    fn next_key_seed<S: DeserializeSeed<'static>>(&mut self, seed: S) -> Result<Option<S::Value>, Stop> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        seed.deserialize(Read { shapes: self.shapes, place: Place::part(self.node, None, 0) }).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'static>>(&mut self, seed: S) -> Result<S::Value, Stop> {
        seed.deserialize(Read { shapes: self.shapes, place: Place::part(self.node, None, 1) })
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left)
    }
}

/// A variant that was chosen.
struct Chosen<'t> {
    shapes: &'t mut Shapes,
    node: usize,
    variant: usize,
}

impl Chosen<'_> {
    fn contents(&mut self, parts: Parts) -> Result<(), Stop> {
        match self.shapes.graph.contents(self.node, self.variant, parts) {
            Ok(()) => Ok(()),
            Err(Changed) => self.shapes.impossible("a variant isn't read in the same way each time"),
        }
    }

    fn several<V: Visitor<'static>>(self, end: usize, visitor: V) -> Result<V::Value, Stop> {
        let Chosen { shapes, node, variant } = self;
        visitor.visit_seq(Several { shapes, node, variant: Some(variant), next: 0, end, is_same: false })
    }
}

impl de::EnumAccess<'static> for Chosen<'_> {
    type Error = Stop;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'static>>(self, seed: S) -> Result<(S::Value, Self), Stop> {
        let Ok(number) = u32::try_from(self.variant) else {
            return self.shapes.impossible("it has too many variants");
        };
        let number: de::value::U32Deserializer<Stop> = number.into_deserializer();
        Ok((seed.deserialize(number)?, self))
    }
}

impl de::VariantAccess<'static> for Chosen<'_> {
    type Error = Stop;

    fn unit_variant(mut self) -> Result<(), Stop> {
        self.contents(Parts::Nothing)
    }

    fn newtype_variant_seed<S: DeserializeSeed<'static>>(mut self, seed: S) -> Result<S::Value, Stop> {
        self.contents(Parts::One(None))?;
        seed.deserialize(Read { place: Place::part(self.node, Some(self.variant), 0), shapes: self.shapes })
    }

    fn tuple_variant<V: Visitor<'static>>(mut self, len: usize, visitor: V) -> Result<V::Value, Stop> {
        self.contents(Parts::elements(len))?;
        self.several(len, visitor)
    }

    fn struct_variant<V: Visitor<'static>>(
        mut self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        self.contents(Parts::fields(fields))?;
        self.several(fields.len(), visitor)
    }
}
