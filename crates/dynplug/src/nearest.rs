//! Names that somebody may have meant.

/// How many are worth reading.
const MOST: usize = 3;

/// The names of `names` that are nearest to `wanted`, the nearest first.
pub(crate) fn to<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let limit = (wanted.chars().count() / 3).max(1) + 1;
    let mut near: Vec<(usize, &str)> =
        names.map(|name| (distance(wanted, name), name)).filter(|(d, _)| *d <= limit).collect();
    near.sort_unstable();
    near.into_iter().take(MOST).map(|(_, name)| name.to_owned()).collect()
}

/// How many characters have to be changed, added, taken away or exchanged with their neighbour, the case left aside.
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().flat_map(char::to_lowercase).collect();
    let b: Vec<char> = b.chars().flat_map(char::to_lowercase).collect();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_come_first_and_the_far_not_at_all() {
        let names = ["greet", "Greet", "great", "version", "meet"];
        assert_eq!(to("gret", names.into_iter()), ["Greet", "great", "greet"]);
        assert_eq!(to("f", ["V", "F", "run"].into_iter()), ["F", "V"]);
        assert!(to("something else", names.into_iter()).is_empty());
    }

    #[test]
    fn exchanged_neighbours_are_one_mistake() {
        assert_eq!(distance("ab", "ba"), 1);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("straße", "strasse"), 2);
    }
}
