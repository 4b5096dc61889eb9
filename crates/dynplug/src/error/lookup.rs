//! Why a lookup gave nothing.

use crate::nearest::{write_names, write_nearest};
use std::error::Error;
use std::fmt;

/// Why a lookup gave nothing.
///
/// `Debug` prints the same text as `Display`, for hosts whose `main` returns it.
///
/// # Examples
///
/// ```no_run
/// # fn f(plugin: &'static dynplug::Plugin) {
/// use dynplug::LookupError;
///
/// match plugin.lookup::<fn(&str) -> String>("greet") {
///     Ok(greet) => println!("{}", greet("world")),
///     Err(LookupError::NotFound { nearest, .. }) => println!("it greets nobody; it has {nearest:?}"),
///     // Prints the type that was asked for and the one that it has.
///     Err(error) => println!("{error}"),
/// }
/// # }
/// ```
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum LookupError {
    /// The plugin exports no such name.
    #[non_exhaustive]
    NotFound {
        /// The plugin's name.
        plugin: String,
        /// The name that was asked for.
        name: String,
        /// Names that it does export, the nearest first.
        nearest: Vec<String>,
        /// How many names it exports.
        exports: usize,
        /// The first of them, in their order.
        first: Vec<String>,
    },
    /// It exports the name with another type.
    WrongType(WrongType),
    /// It runs in a process of its own, and the name can be used in the host's process only.
    #[non_exhaustive]
    InProcessOnly {
        /// The plugin's name.
        plugin: String,
        /// The name that was asked for.
        name: String,
        /// What is in the way: the types that serde can't carry, as they are written.
        obstacles: Vec<String>,
    },
}

/// A symbol has another type than the one that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct WrongType {
    /// The plugin's name.
    pub plugin: String,
    /// The symbol's name.
    pub name: String,
    /// The type that it has.
    pub have: String,
    /// The type that was asked for.
    pub want: String,
    /// Where the two have one name: the crates of which the plugin has a copy of its own.
    pub copies: Vec<String>,
}

impl fmt::Display for LookupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LookupError::NotFound { plugin, name, nearest, exports, first } => {
                write!(f, "the plugin `{plugin}` exports no symbol `{name}`")?;
                match exports {
                    0 => {
                        f.write_str(", nor any other: mark what hosts are to find with `#[dynplug::export]`")
                    }
                    _ if nearest.is_empty() => {
                        f.write_str("; it exports ")?;
                        write_names(f, first)?;
                        match exports.saturating_sub(first.len()) {
                            0 => Ok(()),
                            more => write!(f, " and {more} more"),
                        }
                    }
                    _ => write_nearest(f, nearest),
                }
            }
            LookupError::WrongType(wrong) => write!(f, "{wrong}"),
            LookupError::InProcessOnly { plugin, name, obstacles } => {
                write!(
                    f,
                    "the plugin `{plugin}` runs in a process of its own, where `{name}` can't be reached: {}; let it run in the host's process, or export a function whose arguments and result serde can carry",
                    obstacles.join(", ")
                )
            }
        }
    }
}

impl fmt::Debug for LookupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for WrongType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let WrongType { plugin, name, have, want, copies } = self;
        write!(f, "the symbol `{name}` of the plugin `{plugin}` has the type `{have}`, not `{want}`")?;
        if have == want {
            let (crates, them) = match &copies[..] {
                [] => ("a crate", "it"),
                [_] => ("the crate ", "it"),
                _ => ("the crates ", "them"),
            };
            write!(f, ": the two have one name but come from two copies of {crates}")?;
            write_names(f, copies)?;
            write!(f, "; put {them} into the API crate, so that host and plugin share it")?;
        }
        Ok(())
    }
}

impl Error for LookupError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            LookupError::WrongType(wrong) => Some(wrong),
            LookupError::NotFound { .. } | LookupError::InProcessOnly { .. } => None,
        }
    }
}

impl Error for WrongType {}
