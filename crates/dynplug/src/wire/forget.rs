//! Data that outlives nothing, for types that may want it to live for ever.
//!
//! A type that a function names without a lifetime may still have one: `type Name = &'static str`. Whether it does can't be
//! told from its tokens, and a bound like `T: for<'a> Deserialize<'a>` is an error where it doesn't hold, not an answer. So
//! such types are asked to be `Deserialize<'static>`, which all of them are, and get data through a deserializer that never
//! lends any: who wants to keep a borrowed string is told that there is none.

use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error, MapAccess, SeqAccess, VariantAccess, Visitor,
};
use std::fmt;
use std::marker::PhantomData;

/// Something of serde's for data that lives for `'i`, as one for data of which nothing is lent.
pub(crate) struct Forget<'i, T> {
    inner: T,
    /// How many elements a sequence may claim to have, so that one whose elements take no bytes comes to an end.
    most: usize,
    lifetime: PhantomData<&'i ()>,
}

/// So many elements any sequence may have, whatever the message's length.
const ALWAYS: usize = 1 << 16;

impl<T> Forget<'_, T> {
    /// Of a message of so many bytes.
    pub(crate) fn new(inner: T, bytes: usize) -> Self {
        Forget { inner, most: bytes.max(ALWAYS), lifetime: PhantomData }
    }

    fn with(most: usize, inner: T) -> Self {
        Forget { inner, most, lifetime: PhantomData }
    }
}

macro_rules! pass_on {
    ($($method:ident($($argument:ident: $type:ty),*))*) => {
        $(
            fn $method<V: Visitor<'static>>(self, $($argument: $type,)* visitor: V) -> Result<V::Value, Self::Error> {
                self.inner.$method($($argument,)* Forget::with(self.most, visitor))
            }
        )*
    };
}

impl<'i, D: Deserializer<'i>> Deserializer<'static> for Forget<'i, D> {
    type Error = D::Error;

    pass_on! {
        deserialize_any()
        deserialize_bool()
        deserialize_i8()
        deserialize_i16()
        deserialize_i32()
        deserialize_i64()
        deserialize_i128()
        deserialize_u8()
        deserialize_u16()
        deserialize_u32()
        deserialize_u64()
        deserialize_u128()
        deserialize_f32()
        deserialize_f64()
        deserialize_char()
        deserialize_str()
        deserialize_string()
        deserialize_bytes()
        deserialize_byte_buf()
        deserialize_option()
        deserialize_unit()
        deserialize_unit_struct(name: &'static str)
        deserialize_newtype_struct(name: &'static str)
        deserialize_seq()
        deserialize_tuple(len: usize)
        deserialize_tuple_struct(name: &'static str, len: usize)
        deserialize_map()
        deserialize_struct(name: &'static str, fields: &'static [&'static str])
        deserialize_enum(name: &'static str, variants: &'static [&'static str])
        deserialize_identifier()
        deserialize_ignored_any()
    }

    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}

macro_rules! visit_plain {
    ($($method:ident($type:ty))*) => {
        $(
            fn $method<E: Error>(self, value: $type) -> Result<V::Value, E> {
                self.inner.$method(value)
            }
        )*
    };
}

impl<'i, V: Visitor<'static>> Visitor<'i> for Forget<'i, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.expecting(f)
    }

    visit_plain! {
        visit_bool(bool)
        visit_i8(i8)
        visit_i16(i16)
        visit_i32(i32)
        visit_i64(i64)
        visit_i128(i128)
        visit_u8(u8)
        visit_u16(u16)
        visit_u32(u32)
        visit_u64(u64)
        visit_u128(u128)
        visit_f32(f32)
        visit_f64(f64)
        visit_char(char)
        visit_str(&str)
        visit_string(String)
        visit_bytes(&[u8])
        visit_byte_buf(Vec<u8>)
    }

    fn visit_borrowed_str<E: Error>(self, value: &'i str) -> Result<V::Value, E> {
        self.inner.visit_str(value)
    }

    fn visit_borrowed_bytes<E: Error>(self, value: &'i [u8]) -> Result<V::Value, E> {
        self.inner.visit_bytes(value)
    }

    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        self.inner.visit_none()
    }

    fn visit_some<D: Deserializer<'i>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        self.inner.visit_some(Forget::with(self.most, deserializer))
    }

    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.inner.visit_unit()
    }

    fn visit_newtype_struct<D: Deserializer<'i>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        self.inner.visit_newtype_struct(Forget::with(self.most, deserializer))
    }

    fn visit_seq<A: SeqAccess<'i>>(self, items: A) -> Result<V::Value, A::Error> {
        if items.size_hint().is_some_and(|count| count > self.most) {
            return Err(A::Error::custom("a sequence claims more elements than the message has bytes"));
        }
        self.inner.visit_seq(Forget::with(self.most, items))
    }

    fn visit_map<A: MapAccess<'i>>(self, entries: A) -> Result<V::Value, A::Error> {
        if entries.size_hint().is_some_and(|count| count > self.most) {
            return Err(A::Error::custom("a map claims more entries than the message has bytes"));
        }
        self.inner.visit_map(Forget::with(self.most, entries))
    }

    fn visit_enum<A: EnumAccess<'i>>(self, variant: A) -> Result<V::Value, A::Error> {
        self.inner.visit_enum(Forget::with(self.most, variant))
    }
}

impl<'i, S: DeserializeSeed<'static>> DeserializeSeed<'i> for Forget<'i, S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'i>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        self.inner.deserialize(Forget::with(self.most, deserializer))
    }
}

impl<'i, A: SeqAccess<'i>> SeqAccess<'static> for Forget<'i, A> {
    type Error = A::Error;

    fn next_element_seed<S: DeserializeSeed<'static>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, A::Error> {
        self.inner.next_element_seed(Forget::with(self.most, seed))
    }

    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint()
    }
}

impl<'i, A: MapAccess<'i>> MapAccess<'static> for Forget<'i, A> {
    type Error = A::Error;

    fn next_key_seed<S: DeserializeSeed<'static>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        self.inner.next_key_seed(Forget::with(self.most, seed))
    }

    fn next_value_seed<S: DeserializeSeed<'static>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        self.inner.next_value_seed(Forget::with(self.most, seed))
    }

    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint()
    }
}

impl<'i, A: EnumAccess<'i>> EnumAccess<'static> for Forget<'i, A> {
    type Error = A::Error;
    type Variant = Forget<'i, A::Variant>;

    fn variant_seed<S: DeserializeSeed<'static>>(
        self,
        seed: S,
    ) -> Result<(S::Value, Self::Variant), A::Error> {
        let most = self.most;
        let (value, content) = self.inner.variant_seed(Forget::with(most, seed))?;
        Ok((value, Forget::with(most, content)))
    }
}

impl<'i, A: VariantAccess<'i>> VariantAccess<'static> for Forget<'i, A> {
    type Error = A::Error;

    fn unit_variant(self) -> Result<(), A::Error> {
        self.inner.unit_variant()
    }

    fn newtype_variant_seed<S: DeserializeSeed<'static>>(self, seed: S) -> Result<S::Value, A::Error> {
        self.inner.newtype_variant_seed(Forget::with(self.most, seed))
    }

    fn tuple_variant<V: Visitor<'static>>(self, len: usize, visitor: V) -> Result<V::Value, A::Error> {
        self.inner.tuple_variant(len, Forget::with(self.most, visitor))
    }

    fn struct_variant<V: Visitor<'static>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        self.inner.struct_variant(fields, Forget::with(self.most, visitor))
    }
}
