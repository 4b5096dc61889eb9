//! Names that somebody may have meant, and how they are said.

use std::fmt;

/// How many are worth reading.
const MOST: usize = 3;

/// The names that are nearest to one, the nearest first.
pub(crate) struct Nearest<'a> {
    wanted: Vec<char>,
    limit: usize,
    /// How far each is, in order.
    near: Vec<(usize, &'a str)>,
}

impl<'a> Nearest<'a> {
    pub(crate) fn to(wanted: &str) -> Nearest<'a> {
        let limit = (wanted.chars().count() / 3).max(1) + 1;
        Nearest { wanted: lower(wanted), limit, near: Vec::new() }
    }

    /// Looks at one of the names that there are.
    pub(crate) fn add(&mut self, name: &'a str) {
        let next = (distance(&self.wanted, &lower(name)), name);
        let place = self.near.iter().take_while(|near| **near <= next).count();
        let known = place.checked_sub(1).and_then(|place| self.near.get(place)) == Some(&next);
        if next.0 <= self.limit && place < MOST && !known {
            self.near.insert(place, next);
            self.near.truncate(MOST);
        }
    }

    pub(crate) fn names(self) -> Vec<String> {
        self.near.iter().map(|(_, name)| (*name).to_owned()).collect()
    }
}

/// The case is left aside.
#[inline(never)]
fn lower(name: &str) -> Vec<char> {
    let mut lower = Vec::with_capacity(name.len());
    for char in name.chars() {
        char.to_lowercase().for_each(|char| lower.push(char));
    }
    lower
}

/// How many characters have to be changed, added, taken away or exchanged with their neighbour.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let mut least = (last[j] + usize::from(x != y)).min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                least = least.min(before[j - 1] + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

/// Names that may have been meant.
pub(crate) fn write_nearest(f: &mut fmt::Formatter<'_>, nearest: &[String]) -> fmt::Result {
    match nearest {
        [] => Ok(()),
        [one] => write!(f, "; did you mean `{one}`?"),
        several => {
            f.write_str("; the nearest are ")?;
            write_names(f, several)
        }
    }
}

/// Names, with commas between.
pub(crate) fn write_names(f: &mut fmt::Formatter<'_>, names: &[String]) -> fmt::Result {
    for (place, name) in names.iter().enumerate() {
        f.write_str(if place == 0 { "`" } else { ", `" })?;
        f.write_str(name)?;
        f.write_str("`")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> Vec<String> {
        let mut near = Nearest::to(wanted);
        names.for_each(|name| near.add(name));
        near.names()
    }

    fn distance(a: &str, b: &str) -> usize {
        super::distance(&lower(a), &lower(b))
    }

    #[test]
    fn the_nearest_come_first_and_the_far_not_at_all() {
        let names = ["greet", "Greet", "great", "version", "meet"];
        assert_eq!(to("gret", names.into_iter()), ["Greet", "great", "greet"]);
        assert_eq!(to("f", ["V", "F", "run"].into_iter()), ["F", "V"]);
        assert!(to("something else", names.into_iter()).is_empty());
        assert_eq!(to("gret", ["greet", "great", "greet"].into_iter()), ["great", "greet"]);
    }

    #[test]
    fn exchanged_neighbours_are_one_mistake() {
        assert_eq!(distance("ab", "ba"), 1);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("straße", "strasse"), 2);
    }
}
