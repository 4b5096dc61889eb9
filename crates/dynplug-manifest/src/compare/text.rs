//! The words for a person at a terminal. What stands in a manifest is somebody else's word: nothing of it reaches the
//! terminal that could move the cursor, and nothing reaches a command line that a shell would take for more than a word.

use super::{Difference, Mismatch, Side};
use crate::diagnostics::Code;
use crate::manifest::CrateInfo;
use std::fmt::{self, Write};

/// The longest piece of a manifest that is printed, in characters.
const LONGEST: usize = 300;

/// A text without control characters and of a bearable length.
///
/// It is displayed and not made into a `String`: many of these stand in each of the many texts of a comparison, and
/// what has to be freed again takes more code than the comparison itself.
pub(super) struct Printable<'a>(pub(super) &'a dyn fmt::Display);

impl fmt::Display for Printable<'_> {
    #[inline(never)]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(Escaping { to: f, count: 0 }, "{}", self.0)
    }
}

/// What a [`Printable`] is written through.
struct Escaping<'f, 'o> {
    to: &'f mut fmt::Formatter<'o>,
    /// The characters so far.
    count: usize,
}

impl fmt::Write for Escaping<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            if self.count > LONGEST {
                break;
            }
            self.count += 1;
            // Marks that turn the direction of writing could make a text look like another.
            let turns =
                matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
            if self.count > LONGEST {
                self.to.write_char('…')?;
            } else if c.is_control() || turns || matches!(c, '\u{2028}' | '\u{2029}') {
                write!(self.to, "{}", c.escape_default())?;
            } else {
                self.to.write_char(c)?;
            }
        }
        Ok(())
    }
}

/// A text as one word of a shell's command line.
pub(super) struct Word<'a>(pub(super) &'a dyn fmt::Display);

impl fmt::Display for Word<'_> {
    #[inline(never)]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = Printable(self.0).to_string();
        let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '+' | '@' | '/' | ':');
        if !text.is_empty() && !text.starts_with('-') && text.chars().all(plain) {
            return f.write_str(&text);
        }
        f.write_char('\'')?;
        for c in text.chars() {
            match c {
                '\'' => f.write_str(r"'\''")?,
                _ => f.write_char(c)?,
            }
        }
        f.write_char('\'')
    }
}

/// A crate as people speak of it: its package and version.
pub(super) struct Title<'a>(pub(super) &'a CrateInfo);

impl fmt::Display for Title<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Printable(&format_args!("{} {}", self.0.package, self.0.version)).fmt(f)
    }
}

/// Names with commas between them.
pub(super) struct Joined<'a>(pub(super) &'a [&'a str]);

impl fmt::Display for Joined<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut before = "";
        for name in self.0 {
            write!(f, "{before}{name}")?;
            before = ", ";
        }
        Ok(())
    }
}

/// Names, each as it can be printed and between backticks, with commas between them.
pub(super) struct Quoted<'a>(pub(super) &'a [&'a str]);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut before = "";
        for name in self.0 {
            write!(f, "{before}`{}`", Printable(name))?;
            before = ", ";
        }
        Ok(())
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Difference { code, what, host, plugin, side, remedy } = self;
        write!(f, "[{code}]")?;
        words(f, what, code.name().len() + 3)?;
        row(f, "host", host)?;
        row(f, "plugin", plugin)?;
        let change = match side {
            Side::Plugin => "in the plugin",
            Side::Host => "in the host",
            Side::Either => "in the plugin or the host",
        };
        row(f, "to fix", &format!("{change}: {remedy}"))
    }
}

/// The width at which lines are broken, and where they go on.
const WIDTH: usize = 100;
const INDENT: usize = 10;

/// A new line with a name and a text.
fn row(f: &mut fmt::Formatter<'_>, name: &str, text: &str) -> fmt::Result {
    write!(f, "\n{name:>9}:")?;
    words(f, text, INDENT)
}

/// A text behind `used` columns. What stands between backticks is there to be copied and stays on one line.
fn words(f: &mut fmt::Formatter<'_>, text: &str, mut used: usize) -> fmt::Result {
    let mut quoted = false;
    let ends = |c: char| {
        quoted ^= c == '`';
        c == ' ' && !quoted
    };
    for word in text.split(ends) {
        let length = word.chars().count() + 1;
        if used > INDENT && used + length > WIDTH {
            write!(f, "\n{:INDENT$}", "")?;
            used = INDENT;
        }
        write!(f, " {word}")?;
        used += length;
    }
    Ok(())
}

/// How many differences of one kind are told in full; the others follow the same rule and get one line together.
const IN_FULL: usize = 5;

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Mismatch { plugin, version, differences } = self;
        let count = differences.len();
        let title = format_args!("`{plugin}` {version}");
        write!(f, "the plugin {} does not fit this host: ", Printable(&title))?;
        match count {
            1 => f.write_str("1 difference")?,
            _ => write!(f, "{count} differences")?,
        }
        f.write_str("; nothing of it has run")?;
        // One bit for each kind that has been told.
        let mut told = 0u64;
        for Difference { code, .. } in differences {
            if told & (1 << *code as u32) != 0 {
                continue;
            }
            told |= 1 << *code as u32;
            let mut those = differences.iter().filter(|difference| difference.code == *code);
            for difference in those.by_ref().take(IN_FULL) {
                write!(f, "\n\n{difference}")?;
            }
            let rest = those.count();
            if rest != 0 {
                write!(f, "\n\n[{code}] and {rest} more of this kind")?;
            }
        }
        Ok(())
    }
}

const _: () = assert!(Code::ALL.len() <= u64::BITS as usize);
