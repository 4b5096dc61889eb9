//! The words for a person at a terminal. What stands in a manifest is somebody else's word: nothing of it reaches the
//! terminal that could move the cursor, and nothing reaches a command line that a shell would take for more than a word.

use super::{Difference, Mismatch, Side};
use crate::diagnostics::Code;
use std::fmt;

/// The longest piece of a manifest that is printed, in characters.
const LONGEST: usize = 300;

/// The text without control characters and of a bearable length.
pub(super) fn printable(text: &str) -> String {
    let mut out = String::new();
    for (at, c) in text.chars().enumerate() {
        if at == LONGEST {
            out.push('…');
            break;
        }
        // Marks that turn the direction of writing could make a text look like another.
        let turns = matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if c.is_control() || turns || matches!(c, '\u{2028}' | '\u{2029}') {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

/// The text as one word of a shell's command line.
pub(super) fn command_word(text: &str) -> String {
    let text = printable(text);
    let plain = |c: char| c.is_alphanumeric() || "_-.+@/:".contains(c);
    if !text.is_empty() && !text.starts_with('-') && text.chars().all(plain) {
        return text;
    }
    format!("'{}'", text.replace('\'', r"'\''"))
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
        let title = printable(&format!("`{plugin}` {version}"));
        write!(f, "the plugin {title} does not fit this host: ")?;
        match count {
            1 => f.write_str("1 difference")?,
            _ => write!(f, "{count} differences")?,
        }
        f.write_str("; nothing of it has run")?;
        let mut kinds: Vec<(Code, Vec<&Difference>)> = Vec::new();
        for difference in differences {
            // Kinds are few, whatever the number of differences.
            match kinds.iter_mut().find(|(code, _)| *code == difference.code) {
                Some((_, those)) => those.push(difference),
                None => kinds.push((difference.code, vec![difference])),
            }
        }
        for (code, those) in kinds {
            for difference in those.iter().take(IN_FULL) {
                write!(f, "\n\n{difference}")?;
            }
            let rest = those.get(IN_FULL..).unwrap_or_default();
            if !rest.is_empty() {
                write!(f, "\n\n[{code}] and {} more of this kind", rest.len())?;
            }
        }
        Ok(())
    }
}
