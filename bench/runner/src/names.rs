//! The names that plugins export for the lookup, and the order in which they are asked for.

/// The name with this number: `read_table_00042`.
pub fn name(number: u32) -> String {
    let verbs = ["read", "write", "update", "remove", "convert", "open", "register"];
    let nouns =
        ["table", "image", "request", "user", "index", "session", "route", "log", "font", "order", "page"];
    let verb = verbs[number as usize % verbs.len()];
    let noun = nouns[number as usize / verbs.len() % nouns.len()];
    format!("{verb}_{noun}_{number:05}")
}

/// The variable that says how many names are many, for who only wants to see that it works.
pub const MANY: &str = "BENCH_MANY";

/// How many names are many.
pub fn many() -> u32 {
    std::env::var(MANY).ok().and_then(|text| text.parse().ok()).unwrap_or(10_000)
}

/// How many names are asked for, one after the other, whatever there are.
pub const ASKED: usize = 10_000;

/// The numbers of the names in the order in which they are asked for: drawn at random, the same in every program.
pub fn order(count: u32) -> Vec<u32> {
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random >> 33) as u32 % count
    };
    (0..ASKED).map(|_| next()).collect()
}

/// Names one after the other in one piece of memory, each with a zero behind it, so that the caller's side of a lookup
/// costs everybody the same.
#[derive(Debug)]
pub struct Asked {
    text: String,
    ends: Vec<usize>,
}

impl Asked {
    /// The names in the order in which they are asked for, of as many as there are.
    pub fn of(count: u32) -> Asked {
        let mut asked = Asked { text: String::new(), ends: Vec::new() };
        for number in order(count) {
            asked.text.push_str(&name(number));
            asked.text.push('\0');
            asked.ends.push(asked.text.len());
        }
        asked
    }

    /// They, with the zero.
    pub fn with_zero(&self) -> Vec<&str> {
        let mut start = 0;
        self.ends.iter().map(|&end| &self.text[std::mem::replace(&mut start, end)..end]).collect()
    }

    /// They, without.
    pub fn names(&self) -> Vec<&str> {
        self.with_zero().into_iter().map(|name| name.trim_end_matches('\0')).collect()
    }
}

/// The source of that many functions, for a build script: `line` makes one of a name and a number.
pub fn source(count: u32, line: impl Fn(&str, u32) -> String) -> String {
    (0..count).map(|number| line(&name(number), number) + "\n").collect()
}
