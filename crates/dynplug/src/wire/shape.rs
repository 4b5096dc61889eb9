//! What shape values have, as serde sees them: what is compared where types aren't the same on both sides.

use super::{Done, Error};
use serde::{Deserialize, Serialize};
use serde_reflection::{ContainerFormat, Format, Named, Samples, Tracer, TracerConfig, VariantFormat};
use std::collections::{BTreeMap, BTreeSet};

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

/// Notes shapes, as they are asked about one after the other.
pub struct Shapes {
    tracer: Tracer,
    formats: Vec<Format>,
}

/// How often types are looked at: each time a variant more of each enum is seen.
const LOOKS: [usize; 4] = [16, 128, 1024, 8192];

impl Shapes {
    /// The shapes that `ask` asks about. It is called again and again, until every variant of every enum has been seen.
    ///
    /// # Errors
    ///
    /// When a type can't be traced. Of an enum that is reached only through another enum's variant, and not through the first one, no
    /// more than two looks can be had, so it may have one variant.
    pub fn of(ask: impl Fn(&mut Shapes) -> Done) -> Result<Described, Error> {
        // Enums in the midst of other types have to be named for the tracer to look at them again.
        let mut enums: BTreeSet<String> = BTreeSet::new();
        let mut looks = LOOKS.into_iter().peekable();
        let mut unseen = String::new();
        while let Some(&count) = looks.peek() {
            let tracer = Tracer::new(TracerConfig::default().is_human_readable(false));
            let mut shapes = Shapes { tracer, formats: Vec::new() };
            for _ in 0..count {
                shapes.formats.clear();
                ask(&mut shapes)?;
                for name in &enums {
                    // Has it look for one that is missing.
                    let _ = shapes.tracer.check_incomplete_enum(name);
                }
            }
            let Shapes { tracer, formats } = shapes;
            match tracer.registry() {
                Ok(types) => match types.iter().find(|(_, container)| !is_seen(container)) {
                    None => {
                        let shapes = all(&formats)?;
                        let types =
                            types.iter().map(|(name, container)| Ok((name.clone(), type_of(container)?)));
                        return Ok(Described { shapes, types: types.collect::<Result<_, _>>()? });
                    }
                    Some((name, _)) => {
                        unseen.clone_from(name);
                        looks.next();
                    }
                },
                Err(serde_reflection::Error::MissingVariants(names))
                    if names.iter().any(|name| !enums.contains(name)) =>
                {
                    enums.extend(names);
                }
                Err(error) => return Err(Error::Shape(error.explanation())),
            }
        }
        Err(Error::Shape(format!(
            "the enum `{unseen}` lies too deep in others for all of its variants to be seen"
        )))
    }

    pub(crate) fn trace<T: Deserialize<'static>>(&mut self) -> Done {
        static NO_SAMPLES: std::sync::LazyLock<Samples> = std::sync::LazyLock::new(Samples::new);
        let traced = self.tracer.trace_type_once::<T>(&NO_SAMPLES);
        let (format, _) = traced.map_err(|error| Error::Shape(error.explanation()))?;
        self.formats.push(format);
        Ok(())
    }
}

/// Whether all variants of an enum were seen. Those that weren't have no numbers yet, or nothing is known of what is in them.
fn is_seen(container: &ContainerFormat) -> bool {
    let ContainerFormat::Enum(variants) = container else { return true };
    let has_numbers = (0..).zip(variants.keys()).all(|(number, key)| number == *key);
    let is_unknown = |variant: &Named<VariantFormat>| matches!(variant.value, VariantFormat::Variable(_));
    has_numbers && !variants.values().any(is_unknown)
}

fn unknown() -> Error {
    Error::Shape("a part of it is never read".to_owned())
}

fn all(formats: &[Format]) -> Result<Vec<Shape>, Error> {
    formats.iter().map(shape_of).collect()
}

fn fields(fields: &[Named<Format>]) -> Result<Contents, Error> {
    let fields = fields.iter().map(|field| Ok((field.name.clone(), shape_of(&field.value)?)));
    fields.collect::<Result<_, _>>().map(Contents::Fields)
}

fn shape_of(format: &Format) -> Result<Shape, Error> {
    let inner = |format: &Format| shape_of(format).map(Box::new);
    Ok(match format {
        Format::Variable(_) => return Err(unknown()),
        Format::TypeName(name) => Shape::Type(name.clone()),
        Format::Unit => Shape::Unit,
        Format::Bool => Shape::Bool,
        Format::I8 => Shape::I8,
        Format::I16 => Shape::I16,
        Format::I32 => Shape::I32,
        Format::I64 => Shape::I64,
        Format::I128 => Shape::I128,
        Format::U8 => Shape::U8,
        Format::U16 => Shape::U16,
        Format::U32 => Shape::U32,
        Format::U64 => Shape::U64,
        Format::U128 => Shape::U128,
        Format::F32 => Shape::F32,
        Format::F64 => Shape::F64,
        Format::Char => Shape::Char,
        Format::Str => Shape::Str,
        Format::Bytes => Shape::Bytes,
        Format::Option(one) => Shape::Option(inner(one)?),
        Format::Seq(each) => Shape::List(inner(each)?),
        Format::Map { key, value } => Shape::Map(inner(key)?, inner(value)?),
        Format::Tuple(parts) => Shape::Tuple(all(parts)?),
        Format::TupleArray { content, size } => Shape::Array(inner(content)?, *size as u64),
    })
}

fn type_of(container: &ContainerFormat) -> Result<Type, Error> {
    Ok(Type::Struct(match container {
        ContainerFormat::UnitStruct => Contents::Nothing,
        ContainerFormat::NewTypeStruct(one) => Contents::One(shape_of(one)?),
        ContainerFormat::TupleStruct(parts) => Contents::Elements(all(parts)?),
        ContainerFormat::Struct(parts) => fields(parts)?,
        ContainerFormat::Enum(variants) => {
            let variants = variants.iter().map(|(number, variant)| {
                let contents = match &variant.value {
                    VariantFormat::Variable(_) => return Err(unknown()),
                    VariantFormat::Unit => Contents::Nothing,
                    VariantFormat::NewType(one) => Contents::One(shape_of(one)?),
                    VariantFormat::Tuple(parts) => Contents::Elements(all(parts)?),
                    VariantFormat::Struct(parts) => fields(parts)?,
                };
                Ok((*number, (variant.name.clone(), contents)))
            });
            return variants.collect::<Result<_, _>>().map(Type::Enum);
        }
    }))
}
