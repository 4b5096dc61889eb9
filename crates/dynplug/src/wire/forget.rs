//! Data that outlives nothing, for types that may want it to live for ever.
//!
//! A type that a function names without a lifetime may still have one: `type Name = &'static str`. Whether it does can't be
//! told from its tokens, and a bound like `T: for<'a> Deserialize<'a>` is an error where it doesn't hold, not an answer. So
//! such types are asked to be `Deserialize<'static>`, which all of them are, and get data through a deserializer that never
//! lends any: who wants to keep a borrowed string is told that there is none.

use dynplug_process::channel::room;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error, MapAccess, SeqAccess, VariantAccess, Visitor,
};
use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;

/// Something of serde's for data that lives for `'i`, as one for data of which nothing is lent.
pub(crate) struct Forget<'i, 'c, T> {
    inner: T,
    bounds: Bounds<'c>,
    lifetime: PhantomData<&'i ()>,
}

/// What a message may come to, whoever wrote it.
#[derive(Clone, Copy)]
struct Bounds<'c> {
    /// How many elements there may still be, of all sequences and maps together, so that those whose elements take no bytes come to
    /// an end.
    left: &'c Cell<usize>,
    /// Whether what is gone through is a list or a map, and not a tuple or a structure.
    is_list: bool,
    /// How deep values may still be nested in each other, so that the stack is large enough.
    depth: u8,
}

impl Bounds<'_> {
    /// One element more.
    fn count<E: Error>(self) -> Result<(), E> {
        if !self.is_list {
            return Ok(());
        }
        let left = self.left.get().checked_sub(1);
        self.left.set(left.ok_or_else(|| E::custom("there are more elements than such a message can have"))?);
        Ok(())
    }

    /// Within a list, whatever it is that is listed.
    fn list(self) -> Self {
        Bounds { is_list: true, ..self }
    }

    fn deeper<E: Error>(self) -> Result<Self, E> {
        match self.depth.checked_sub(1) {
            Some(depth) => Ok(Bounds { depth, is_list: false, ..self }),
            None => Err(E::custom(format_args!("values are nested in each other more than {DEEPEST} times"))),
        }
    }
}

/// So many bytes are worth an allocation of their own kind.
const LARGE: usize = 1 << 20;

/// As in other formats that are read from strangers.
const DEEPEST: u8 = 128;

/// How many elements a message of so many bytes may have: one for each byte, and a few that take none.
pub(crate) fn elements(bytes: usize) -> usize {
    const WITHOUT_BYTES: usize = 1 << 16;
    bytes.saturating_add(WITHOUT_BYTES)
}

impl<'c, T> Forget<'_, 'c, T> {
    /// Of a message that may have so many elements.
    pub(crate) fn new(inner: T, left: &'c Cell<usize>) -> Self {
        let bounds = Bounds { left, is_list: false, depth: DEEPEST };
        Forget { inner, bounds, lifetime: PhantomData }
    }

    fn with(bounds: Bounds<'c>, inner: T) -> Self {
        Forget { inner, bounds, lifetime: PhantomData }
    }
}

macro_rules! pass_on {
    ($($method:ident($($argument:ident: $type:ty),*))*) => {
        $(
            fn $method<V: Visitor<'static>>(self, $($argument: $type,)* visitor: V) -> Result<V::Value, Self::Error> {
                self.inner.$method($($argument,)* Forget::with(self.bounds, visitor))
            }
        )*
    };
}

impl<'i, 'c, D: Deserializer<'i>> Deserializer<'static> for Forget<'i, 'c, D> {
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
        deserialize_tuple(len: usize)
        deserialize_tuple_struct(name: &'static str, len: usize)
        deserialize_struct(name: &'static str, fields: &'static [&'static str])
        deserialize_enum(name: &'static str, variants: &'static [&'static str])
        deserialize_identifier()
        deserialize_ignored_any()
    }

    fn deserialize_seq<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        self.inner.deserialize_seq(Forget::with(self.bounds.list(), visitor))
    }

    fn deserialize_map<V: Visitor<'static>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        self.inner.deserialize_map(Forget::with(self.bounds.list(), visitor))
    }

    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}

/// A copy of what is large.
fn large(bytes: &[u8]) -> Option<Vec<u8>> {
    if bytes.len() < LARGE {
        return None;
    }
    let mut copy = room(bytes.len()).ok()?;
    copy.extend_from_slice(bytes);
    Some(copy)
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

impl<'i, 'c, V: Visitor<'static>> Visitor<'i> for Forget<'i, 'c, V> {
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
        visit_string(String)
        visit_byte_buf(Vec<u8>)
    }

    /// Who wants an owned string gets what is large in memory of the better kind; see [`room`].
    fn visit_str<E: Error>(self, value: &str) -> Result<V::Value, E> {
        match large(value.as_bytes()).map(String::from_utf8) {
            Some(Ok(text)) => self.inner.visit_string(text),
            _ => self.inner.visit_str(value),
        }
    }

    /// As above.
    fn visit_bytes<E: Error>(self, value: &[u8]) -> Result<V::Value, E> {
        match large(value) {
            Some(bytes) => self.inner.visit_byte_buf(bytes),
            None => self.inner.visit_bytes(value),
        }
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
        let bounds = self.bounds.deeper()?;
        self.inner.visit_some(Forget::with(bounds, deserializer))
    }

    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.inner.visit_unit()
    }

    fn visit_newtype_struct<D: Deserializer<'i>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        let bounds = self.bounds.deeper()?;
        self.inner.visit_newtype_struct(Forget::with(bounds, deserializer))
    }

    fn visit_seq<A: SeqAccess<'i>>(self, items: A) -> Result<V::Value, A::Error> {
        self.inner.visit_seq(Forget::with(self.bounds, items))
    }

    fn visit_map<A: MapAccess<'i>>(self, entries: A) -> Result<V::Value, A::Error> {
        self.inner.visit_map(Forget::with(self.bounds, entries))
    }

    fn visit_enum<A: EnumAccess<'i>>(self, variant: A) -> Result<V::Value, A::Error> {
        self.inner.visit_enum(Forget::with(self.bounds, variant))
    }
}

impl<'i, 'c, S: DeserializeSeed<'static>> DeserializeSeed<'i> for Forget<'i, 'c, S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'i>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        let bounds = self.bounds.deeper()?;
        self.inner.deserialize(Forget::with(bounds, deserializer))
    }
}

impl<'i, 'c, A: SeqAccess<'i>> SeqAccess<'static> for Forget<'i, 'c, A> {
    type Error = A::Error;

    fn next_element_seed<S: DeserializeSeed<'static>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, A::Error> {
        let element = self.inner.next_element_seed(Forget::with(self.bounds, seed))?;
        element.is_some().then(|| self.bounds.count()).transpose()?;
        Ok(element)
    }

    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint()
    }
}

impl<'i, 'c, A: MapAccess<'i>> MapAccess<'static> for Forget<'i, 'c, A> {
    type Error = A::Error;

    fn next_key_seed<S: DeserializeSeed<'static>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        let key = self.inner.next_key_seed(Forget::with(self.bounds, seed))?;
        key.is_some().then(|| self.bounds.count()).transpose()?;
        Ok(key)
    }

    fn next_value_seed<S: DeserializeSeed<'static>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        self.inner.next_value_seed(Forget::with(self.bounds, seed))
    }

    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint()
    }
}

impl<'i, 'c, A: EnumAccess<'i>> EnumAccess<'static> for Forget<'i, 'c, A> {
    type Error = A::Error;
    type Variant = Forget<'i, 'c, A::Variant>;

    fn variant_seed<S: DeserializeSeed<'static>>(
        self,
        seed: S,
    ) -> Result<(S::Value, Self::Variant), A::Error> {
        let bounds = self.bounds;
        let (value, content) = self.inner.variant_seed(Forget::with(bounds, seed))?;
        Ok((value, Forget::with(bounds, content)))
    }
}

impl<'i, 'c, A: VariantAccess<'i>> VariantAccess<'static> for Forget<'i, 'c, A> {
    type Error = A::Error;

    fn unit_variant(self) -> Result<(), A::Error> {
        self.inner.unit_variant()
    }

    fn newtype_variant_seed<S: DeserializeSeed<'static>>(self, seed: S) -> Result<S::Value, A::Error> {
        self.inner.newtype_variant_seed(Forget::with(self.bounds, seed))
    }

    fn tuple_variant<V: Visitor<'static>>(self, len: usize, visitor: V) -> Result<V::Value, A::Error> {
        self.inner.tuple_variant(len, Forget::with(self.bounds, visitor))
    }

    fn struct_variant<V: Visitor<'static>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        self.inner.struct_variant(fields, Forget::with(self.bounds, visitor))
    }
}

#[cfg(test)]
mod tests {
    use crate::wire::{Input, Source};
    use serde::Deserialize;
    use serde::de::DeserializeOwned;

    #[derive(Deserialize, Debug)]
    enum Nested {
        End,
        Deeper(Box<Nested>),
    }

    fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
        Input::new(bytes).forgetting().read().map_err(|error| error.to_string())
    }

    /// What a visitor of bytes was given.
    #[derive(Debug, PartialEq)]
    enum Given {
        Lent(usize),
        Owned(Vec<u8>),
    }

    impl<'de> Deserialize<'de> for Given {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Given, D::Error> {
            struct Takes;
            impl serde::de::Visitor<'_> for Takes {
                type Value = Given;

                fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str("bytes")
                }

                fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Given, E> {
                    Ok(Given::Lent(bytes.len()))
                }

                fn visit_byte_buf<E>(self, bytes: Vec<u8>) -> Result<Given, E> {
                    Ok(Given::Owned(bytes))
                }
            }
            deserializer.deserialize_byte_buf(Takes)
        }
    }

    #[test]
    fn what_is_large_is_given_away_where_somebody_wants_to_own_it() {
        let text = |length| "ä".repeat(length / 2);
        for length in [2, super::LARGE - 2, super::LARGE, super::LARGE + 7_000_000] {
            let text = text(length);
            let message = postcard::to_allocvec(&text).unwrap();
            assert_eq!(read::<String>(&message).as_ref(), Ok(&text));
            let given =
                if length < super::LARGE { Given::Lent(length) } else { Given::Owned(text.into_bytes()) };
            assert!(read::<Given>(&message).unwrap() == given, "{length}");
        }
        let mut broken = postcard::to_allocvec(&text(super::LARGE)).unwrap();
        broken.pop();
        assert!(read::<String>(&broken).is_err());
        broken.push(b'a');
        assert!(read::<String>(&broken).is_err());
    }

    #[test]
    fn what_is_nested_without_end_comes_to_an_end() {
        let mut bytes = vec![1; 100];
        bytes.push(0);
        let mut nested = read::<Nested>(&bytes).unwrap();
        let mut depth = 0;
        while let Nested::Deeper(inner) = nested {
            (nested, depth) = (*inner, depth + 1);
        }
        assert_eq!(depth, 100);
        assert!(read::<Nested>(&vec![1; 1_000_000]).is_err());
    }

    #[test]
    fn what_has_bytes_is_never_too_much() {
        #[derive(Deserialize)]
        struct Outer {
            inner: Inner,
        }
        #[derive(Deserialize)]
        struct Inner((), Vec<(u8,)>);
        let count: u32 = 300_000;
        let head = postcard::to_allocvec(&count).unwrap();
        let empty = [&head[..], &vec![0; count as usize]].concat();
        let lists = read::<Vec<Outer>>(&empty).unwrap();
        assert!(lists.len() == count as usize && lists.iter().all(|outer| outer.inner.1.is_empty()));
        let full = [&head[..], &[1, 7].repeat(count as usize)].concat();
        let lists = read::<Vec<Outer>>(&full).unwrap();
        assert!(lists.iter().all(|outer| outer.inner.1 == [(7,)]));
    }

    #[test]
    fn a_list_of_nothing_comes_to_an_end() {
        assert_eq!(read::<Vec<()>>(&[100]).unwrap().len(), 100);
        // The longest that there is.
        let bytes = [[0xff; 9].as_slice(), &[1]].concat();
        assert!(read::<Vec<()>>(&bytes).is_err());
        assert!(read::<Vec<String>>(&bytes).is_err());
        assert!(read::<std::collections::BTreeMap<(), ()>>(&bytes).is_err());
        // Many of them.
        let many = [&postcard::to_allocvec(&60_000).unwrap()[..], &bytes.repeat(60_000)].concat();
        assert!(read::<Vec<Vec<()>>>(&many).is_err());
    }
}
