//! Whether two names of types mean the same signature, where they come from different compilers and different versions of crates.

/// Whether the names are alike but for lifetimes, which some compilers write and others don't, and for the modules in which types are:
/// these can be moved and found under the same path as before. What a value is made of is compared apart from that.
pub(super) fn is_alike(one: &str, other: &str) -> bool {
    words(one) == words(other)
}

/// The names and signs of which the name of a type consists.
fn words(name: &str) -> Vec<&str> {
    let mut words: Vec<&str> = Vec::new();
    let mut rest = name.trim_start();
    while let Some(first) = rest.chars().next() {
        let is_part = |sign: char| sign.is_alphanumeric() || sign == '_';
        let length = match first {
            '\'' => 1 + length(&rest[1..], is_part),
            _ if is_part(first) => length(rest, is_part),
            _ if rest.starts_with("::") => 2,
            _ if rest.starts_with("->") => 2,
            _ => first.len_utf8(),
        };
        let (word, after) = rest.split_at(length);
        rest = after.trim_start();
        match word {
            "for" if rest.starts_with('<') => {
                rest = rest.split_once('>').map_or("", |(_, after)| after).trim_start()
            }
            // The module that it follows.
            "::" => drop(words.pop_if(|word| word.starts_with(is_part))),
            _ if first == '\'' => {}
            _ => words.push(word),
        }
    }
    words
}

fn length(text: &str, is_part: impl Fn(char) -> bool) -> usize {
    text.find(|sign| !is_part(sign)).unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::is_alike;

    #[test]
    fn lifetimes_and_modules_dont_count() {
        for (one, other) in [
            ("fn(&'_ str) -> alloc::string::String", "fn(&str) -> alloc::string::String"),
            ("fn(&'_ str)", "for<'a> fn(&'a str)"),
            ("for<'a, 'b> fn(&'a [u8], &'b str)", "fn(&[u8], &str)"),
            ("fn(&'static mut a::B)", "fn(&mut c::d::B)"),
            (
                "core::option::Option<std::collections::hash::map::HashMap<u8, a::B>>",
                "Option<HashMap<u8,b::B>>",
            ),
            ("fn([u8; 4])", "fn([u8;4])"),
            ("", ""),
        ] {
            assert!(is_alike(one, other), "{one} {other}");
            assert!(is_alike(other, one), "{one} {other}");
        }
    }

    #[test]
    fn everything_else_does() {
        for (one, other) in [
            ("fn(&str)", "fn(&mut str)"),
            ("fn(&str)", "fn(*const str)"),
            ("fn(u8)", "fn(u8) -> u8"),
            ("fn(u8)", "fn(u8, u8)"),
            ("fn((u8, u8))", "fn(u8, u8)"),
            ("fn(a::B)", "fn(a::C)"),
            ("Option<a::B>", "Option<a::C>"),
            ("fn([u8; 4])", "fn([u8; 5])"),
            ("fn(&[u8])", "fn(alloc::vec::Vec<u8>)"),
            ("unsafe fn(u8)", "fn(u8)"),
            ("fn(a::B<u8>)", "fn(a::B)"),
        ] {
            assert!(!is_alike(one, other), "{one} {other}");
        }
    }

    #[test]
    fn whatever_is_written_is_read_to_its_end() {
        for name in ["::", "'", "for<", "a::", "ä::ö<'ü>", "::<>::", "for", "'a'b ", "->::->"] {
            assert!(is_alike(name, name));
        }
        assert!(!is_alike("for<", "b"));
    }
}
