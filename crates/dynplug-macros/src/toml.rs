//! As much of TOML as `Cargo.toml` needs: what is there is found, and what is wrong is passed over, since cargo has read
//! the file before and would have said so. The crates that read all of TOML take longer to compile than all of this.

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Text(String),
    List(Vec<Value>),
    Table(Table),
    /// A number, `true`, a date: as it stands there.
    Bare(String),
}

/// Keys and values, in their order.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Table(Vec<(String, Value)>);

impl Table {
    /// Reads a file.
    pub(crate) fn parse(text: &str) -> Table {
        let mut root = Table::default();
        let mut here: Vec<String> = Vec::new();
        let mut reader = Reader { rest: text };
        loop {
            reader.skip_lines();
            if reader.rest.is_empty() {
                return root;
            }
            let before = reader.rest.len();
            if reader.takes("[[") {
                here = reader.path();
                root.make(&here, true);
            } else if reader.takes("[") {
                here = reader.path();
                root.make(&here, false);
            } else {
                reader.pair(root.make(&here, false));
            }
            reader.skip_to_end_of_line();
            if reader.rest.len() == before {
                return root;
            }
        }
    }

    /// The value at a path of keys.
    pub(crate) fn get(&self, path: &[&str]) -> Option<&Value> {
        let (first, rest) = path.split_first()?;
        let value = self.0.iter().find(|(key, _)| key == first).map(|(_, value)| value)?;
        match (value, rest) {
            (value, []) => Some(value),
            (Value::Table(table), rest) => table.get(rest),
            _ => None,
        }
    }

    pub(crate) fn text(&self, path: &[&str]) -> Option<&str> {
        match self.get(path)? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn table(&self, path: &[&str]) -> Option<&Table> {
        match self.get(path)? {
            Value::Table(table) => Some(table),
            _ => None,
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(key, value)| (&**key, value))
    }

    /// The table at a path, made where it isn't; in a list of tables the last, and with `next` a new one.
    fn make(&mut self, path: &[String], next: bool) -> &mut Table {
        let Some((first, rest)) = path.split_first() else { return self };
        let place = self.0.iter().position(|(key, _)| key == first).unwrap_or_else(|| {
            self.0.push((first.clone(), Value::Table(Table::default())));
            self.0.len() - 1
        });
        let empty = || Value::Table(Table::default());
        let value = &mut self.0[place].1;
        if rest.is_empty() && next {
            if !matches!(value, Value::List(_)) {
                *value = Value::List(Vec::new());
            }
            if let Value::List(list) = value {
                list.push(empty());
            }
        }
        let last = match value {
            Value::List(list) => list.len().checked_sub(1),
            _ => None,
        };
        let value = match (value, last) {
            (Value::List(list), Some(last)) => &mut list[last],
            (other, _) => other,
        };
        if !matches!(value, Value::Table(_)) {
            *value = empty();
        }
        match value {
            Value::Table(table) => table.make(rest, next),
            _ => unreachable!("it was made a table just now"),
        }
    }
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn takes(&mut self, word: &str) -> bool {
        let after = self.rest.strip_prefix(word);
        self.rest = after.unwrap_or(self.rest);
        after.is_some()
    }

    fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t']);
    }

    /// Blanks, ends of lines, comments.
    fn skip_lines(&mut self) {
        loop {
            self.rest = self.rest.trim_start();
            if !self.rest.starts_with('#') {
                return;
            }
            self.skip_to_end_of_line();
        }
    }

    fn skip_to_end_of_line(&mut self) {
        self.rest = self.rest.find('\n').map_or("", |end| &self.rest[end + 1..]);
    }

    /// Keys with dots between, and the bracket behind them if there is one.
    fn path(&mut self) -> Vec<String> {
        let mut path = Vec::new();
        loop {
            self.skip_blanks();
            let quoted = self.rest.starts_with(['"', '\'']);
            path.push(match self.value() {
                Value::Text(key) if quoted => key,
                Value::Bare(key) => key,
                _ => return path,
            });
            self.skip_blanks();
            if !self.takes(".") {
                return path;
            }
        }
    }

    /// `key = value`.
    fn pair(&mut self, table: &mut Table) {
        let path = self.path();
        let Some((last, path)) = path.split_last() else { return };
        self.skip_blanks();
        if !self.takes("=") {
            return;
        }
        self.skip_blanks();
        // A number or a date has dots of its own.
        let value = match self.value() {
            Value::Bare(start) => {
                let end = self.rest.find([',', ']', '}', '\n', '#']).unwrap_or(self.rest.len());
                let (more, rest) = self.rest.split_at(end);
                self.rest = rest;
                Value::Bare(format!("{start}{more}").trim().to_owned())
            }
            value => value,
        };
        table.make(path, false).0.push((last.clone(), value));
    }

    /// A value; a bare one up to what can't be in a key.
    fn value(&mut self) -> Value {
        for (quote, escapes) in [("\"\"\"", true), ("'''", false), ("\"", true), ("'", false)] {
            if self.takes(quote) {
                return Value::Text(self.text(quote, escapes));
            }
        }
        if self.takes("[") {
            let mut list = Vec::new();
            loop {
                self.skip_lines();
                if self.takes("]") || self.rest.is_empty() {
                    return Value::List(list);
                }
                let before = self.rest.len();
                list.push(self.value());
                self.skip_lines();
                self.takes(",");
                if self.rest.len() == before {
                    self.rest = &self.rest[self.rest.chars().next().map_or(0, char::len_utf8)..];
                }
            }
        }
        if self.takes("{") {
            let mut table = Table::default();
            loop {
                self.skip_lines();
                if self.takes("}") || self.rest.is_empty() {
                    return Value::Table(table);
                }
                let before = self.rest.len();
                self.pair(&mut table);
                self.skip_lines();
                self.takes(",");
                if self.rest.len() == before {
                    self.rest = &self.rest[self.rest.chars().next().map_or(0, char::len_utf8)..];
                }
            }
        }
        let end = self.rest.find(|c: char| !c.is_alphanumeric() && c != '_' && c != '-');
        let (bare, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        Value::Bare(bare.to_owned())
    }

    fn text(&mut self, quote: &str, escapes: bool) -> String {
        let mut text = String::new();
        while !self.rest.is_empty() && !self.takes(quote) {
            let mut chars = self.rest.chars();
            match chars.next() {
                Some('\\') if escapes => match chars.next() {
                    Some('n') => text.push('\n'),
                    Some('t') => text.push('\t'),
                    Some('r') => text.push('\r'),
                    Some(digits @ ('u' | 'U')) => {
                        let count = if digits == 'u' { 4 } else { 8 };
                        let number: String = chars.by_ref().take(count).collect();
                        text.extend(u32::from_str_radix(&number, 16).ok().and_then(char::from_u32));
                    }
                    // The end of a line, and what the next begins with.
                    Some(c) if c.is_whitespace() => {
                        self.rest = chars.as_str().trim_start();
                        continue;
                    }
                    Some(c) => text.push(c),
                    None => {}
                },
                Some(c) => text.push(c),
                None => {}
            }
            self.rest = chars.as_str();
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_write_a_dependency_is_read() {
        let table = Table::parse(
            r#"
            # A comment with "quotes' and [brackets].
            [package]
            name = "pl\"ug\u00fcn" # behind
            version.workspace = true
            description = """
several "lines" \
   and = [more]"""
            [lib]
            crate-type = [
                "lib", # both
                'cdylib',
            ]

            [dependencies]
            one = "1.2"
            two = { version = "2", path = "../two", features = ["a", "b"], optional = true }
            three.workspace = true
            "four" = { package = 'real-four', git = "https://example.org/four" }

            [dependencies.five]
            path = '..\five'

            [target.'cfg(unix)'.dependencies]
            six = { path = "../six" }

            [[bin]]
            name = "first"
            [[bin]]
            name = "second"
            [profile.release.package."a.b"]
            opt-level = 3
            since = 2024-01-01T00:00:00.5Z
            "#,
        );
        assert_eq!(table.text(&["package", "name"]), Some("pl\"ugün"));
        assert_eq!(table.text(&["package", "description"]), Some("\nseveral \"lines\" and = [more]"));
        assert_eq!(table.get(&["package", "version", "workspace"]), Some(&Value::Bare("true".to_owned())));
        let types = ["lib", "cdylib"].map(|text| Value::Text(text.to_owned())).to_vec();
        assert_eq!(table.get(&["lib", "crate-type"]), Some(&Value::List(types)));
        let names: Vec<&str> = table.table(&["dependencies"]).unwrap().iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["one", "two", "three", "four", "five"]);
        assert_eq!(table.text(&["dependencies", "two", "path"]), Some("../two"));
        assert_eq!(table.text(&["dependencies", "four", "package"]), Some("real-four"));
        assert_eq!(table.text(&["dependencies", "five", "path"]), Some("..\\five"));
        assert_eq!(table.text(&["target", "cfg(unix)", "dependencies", "six", "path"]), Some("../six"));
        let Some(Value::List(bins)) = table.get(&["bin"]) else { panic!("{table:?}") };
        assert_eq!(bins.len(), 2);
        let since = table.get(&["profile", "release", "package", "a.b", "since"]);
        assert_eq!(since, Some(&Value::Bare("2024-01-01T00:00:00.5Z".to_owned())));
    }

    #[test]
    fn what_is_no_toml_ends() {
        for text in [
            "[",
            "[[",
            "a",
            "a =",
            "a = [",
            "a = {",
            "a = {b",
            "= 1",
            "a = \"",
            "a = [}]",
            "a = {]}",
            "]]\nb = 1",
        ] {
            Table::parse(text);
            Table::parse(&format!("{text}\n{text}"));
        }
    }
}
