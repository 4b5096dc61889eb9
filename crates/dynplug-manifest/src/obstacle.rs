//! What keeps an exported item from being called from another process, in words: the type that serde can't carry.

use std::fmt;

use crate::record::{Fields, Kind, OBSTACLE_ITEM, OBSTACLE_RESULT, OBSTACLES_UNKNOWN};

/// Something that is in the way of a call from another process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Obstacle<'a> {
    /// An argument that serde can't carry.
    Argument {
        /// Which, counted from 0.
        number: usize,
        /// Its type as it is written.
        ty: &'a str,
    },
    /// What the function returns.
    Result {
        /// Its type as it is written.
        ty: &'a str,
    },
    /// The value of a static.
    Value {
        /// Its type as it is written.
        ty: &'a str,
    },
    /// The function is `unsafe`, or has more arguments than are looked at.
    Item,
}

impl fmt::Display for Obstacle<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Obstacle::Argument { number, ty } => {
                write!(f, "serde can't carry argument {}, `{ty}`", number + 1)
            }
            Obstacle::Result { ty } => write!(f, "serde can't carry the result, `{ty}`"),
            Obstacle::Value { ty } => write!(f, "serde can't carry the value, `{ty}`"),
            Obstacle::Item => f.write_str("the function is unsafe"),
        }
    }
}

impl<'a> Fields<'a> {
    /// What keeps the item from being called from another process, or the value of a static from being read there; nothing
    /// where it can be. None where nobody has asked, since dynplug was built without its feature `process`.
    ///
    /// # Examples
    ///
    /// ```
    /// # use dynplug_manifest::obstacle::Obstacle;
    /// # use dynplug_manifest::record::{Fields, Kind};
    /// # let fields = Fields {
    /// #     kind: Kind::Function, flags: 0, line: 3, column: 1, obstacles: 0b10,
    /// #     name: "f", signature: "fn f(count: u8, each: &dyn Fn(u8) -> u8)", docs: "", package: "hello", version: "0.1.0",
    /// #     module: "hello", file: "src/lib.rs", below: "",
    /// # };
    /// assert_eq!(fields.signature, "fn f(count: u8, each: &dyn Fn(u8) -> u8)");
    /// assert_eq!(fields.obstacles, 0b10);
    /// let obstacles = fields.in_the_way().expect("somebody has asked");
    /// assert_eq!(obstacles, [Obstacle::Argument { number: 1, ty: "&dyn Fn(u8) -> u8" }]);
    /// ```
    pub fn in_the_way(&self) -> Option<Vec<Obstacle<'a>>> {
        if self.obstacles & OBSTACLES_UNKNOWN != 0 {
            return None;
        }
        let (arguments, result) = types(self.signature);
        let is_set = |bit: u32| self.obstacles >> bit & 1 != 0;
        let mut found: Vec<Obstacle<'a>> = (0..OBSTACLE_RESULT)
            .filter(|bit| is_set(*bit))
            .filter_map(|bit| usize::try_from(bit).ok())
            .map(|number| Obstacle::Argument { number, ty: arguments.get(number).copied().unwrap_or("?") })
            .collect();
        if is_set(OBSTACLE_RESULT) {
            found.push(match self.kind {
                Kind::Static => Obstacle::Value { ty: result },
                Kind::Function | Kind::Init => Obstacle::Result { ty: result },
            });
        }
        if is_set(OBSTACLE_ITEM) {
            found.push(Obstacle::Item);
        }
        Some(found)
    }
}

/// The types of the arguments and of the result in the text of a signature, or of a static.
fn types(signature: &str) -> (Vec<&str>, &str) {
    // Behind the name and what the function is generic over.
    let Some(open) = outside(signature, |rest| rest.starts_with('(')) else {
        return (Vec::new(), behind_colon(signature));
    };
    let (_, inner) = signature.split_at(open + 1);
    let Some(close) = outside(inner, |rest| rest.starts_with(')')) else { return (Vec::new(), "?") };
    let (mut list, after) = inner.split_at(close);
    let mut arguments = Vec::new();
    while !list.is_empty() {
        let end = outside(list, |rest| rest.starts_with(',')).unwrap_or(list.len());
        let (argument, rest) = list.split_at(end);
        arguments.push(behind_colon(argument));
        list = rest.strip_prefix(',').unwrap_or(rest).trim_start();
    }
    let result = after.split_once("->").map_or("()", |(_, ty)| ty.trim());
    (arguments, result)
}

/// What stands behind the colon that parts a name or pattern from its type.
fn behind_colon(text: &str) -> &str {
    match outside(text, |rest| rest.starts_with(": ")) {
        Some(at) => text.get(at + 2..).unwrap_or("?").trim(),
        None => "?",
    }
}

/// Where something is found outside of all brackets.
fn outside(text: &str, is_it: impl Fn(&str) -> bool) -> Option<usize> {
    let mut depth = 0_usize;
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        if depth == 0 && text.get(at..).is_some_and(&is_it) {
            return Some(at);
        }
        match c {
            '(' | '[' | '{' | '<' => depth += 1,
            // The end of an arrow closes nothing.
            '>' if before == '-' || before == '=' => {}
            ')' | ']' | '}' | '>' => depth = depth.saturating_sub(1),
            _ => {}
        }
        before = c;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::types;

    #[test]
    fn types_are_found_in_signatures() {
        assert_eq!(types("fn f()"), (vec![], "()"));
        assert_eq!(types("static COUNT: AtomicI64"), (vec![], "AtomicI64"));
        assert_eq!(
            types(
                "async fn f<'a, 'b: 'a>(first: &'a [(u8, u16)], each: Box<dyn Fn(u8) -> u8 + 'b>) -> Vec<&'a str>"
            ),
            (vec!["&'a [(u8, u16)]", "Box<dyn Fn(u8) -> u8 + 'b>"], "Vec<&'a str>"),
        );
        assert_eq!(
            types(
                "unsafe extern \"C\" fn f((a, b): (u8, [u8; 2]), Point { x, y }: path::Point) -> fn(u8) -> u8"
            ),
            (vec!["(u8, [u8; 2])", "path::Point"], "fn(u8) -> u8"),
        );
        assert_eq!(types("fn f(_: u8, pair: <T as A>::B)"), (vec!["u8", "<T as A>::B"], "()"));
    }

    #[test]
    fn what_is_no_signature_has_no_types() {
        assert_eq!(types(""), (vec![], "?"));
        assert_eq!(types("fn f(a"), (vec![], "?"));
        assert_eq!(types("fn f)>("), (vec![], "?"));
        assert_eq!(types("fn f(a, b) ->"), (vec!["?", "?"], ""));
    }
}
