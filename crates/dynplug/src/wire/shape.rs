//! What shape values have, as serde sees them: what is compared where types aren't the same on both sides.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The shape of a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Shape {
    /// `()`
    Unit,
    /// `bool`
    Bool,
    /// `i8`
    I8,
    /// `i16`
    I16,
    /// `i32`
    I32,
    /// `i64`
    I64,
    /// `i128`
    I128,
    /// `u8`
    U8,
    /// `u16`
    U16,
    /// `u32`
    U32,
    /// `u64`
    U64,
    /// `u128`
    U128,
    /// `f32`
    F32,
    /// `f64`
    F64,
    /// `char`
    Char,
    /// A text.
    Str,
    /// Bytes.
    Bytes,
    /// A structure or enum, by its name.
    Type(String),
    /// A value or none.
    Option(Box<Shape>),
    /// Any number of values.
    List(Box<Shape>),
    /// Keys and values.
    Map(Box<Shape>, Box<Shape>),
    /// Values of different shapes.
    Tuple(Vec<Shape>),
    /// So many values of one shape.
    Array(Box<Shape>, u64),
}

/// What is in a structure or a variant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Contents {
    /// Nothing.
    Nothing,
    /// One value without a name.
    One(Shape),
    /// Values without names.
    Elements(Vec<Shape>),
    /// Values with names.
    Fields(Vec<(String, Shape)>),
    /// Nobody could see it, and why: nothing of it is sent.
    Unseen(String),
}

/// What a type is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Type {
    /// A structure.
    Struct(Contents),
    /// Variants by their numbers.
    Enum(BTreeMap<u32, (String, Contents)>),
}

/// The shapes of several values, and the types that these name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Described {
    /// The shapes: of a function's arguments, and behind them of its result.
    pub shapes: Vec<Shape>,
    /// The types.
    pub types: BTreeMap<String, Type>,
}
