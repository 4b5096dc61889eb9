//! The trusted comment of a signature: what is signed along with the file. In one line it says of which plugin the file is,
//! and until when the signature counts: claims such as `plugin:hello`, with tabs between them, as minisign writes its own.

use crate::time::Moment;
use dynplug_manifest::Manifest;
use std::fmt;

/// A trusted comment.
///
/// A comment that claims nothing, as `minisign -S` makes it, contradicts nothing. What it claims has to be true.
///
/// # Examples
///
/// ```
/// use dynplug_trust::Comment;
///
/// let comment = Comment::new("timestamp:1767225600\tplugin:hello\texpires:2027-03-01");
/// assert_eq!(comment.claim("plugin"), Some("hello"));
/// assert_eq!(comment.claim("target"), None);
/// assert_eq!(comment.expires().unwrap().unwrap().to_string(), "2027-03-01 23:59:59 UTC");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment(String);

/// A claim of a comment that is not so.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Claim {
    /// What it is about: `plugin`, `version`, `id`, `identity`, `target`, `expires`.
    pub name: String,
    /// What the comment says.
    pub claimed: String,
    /// What the manifest says; of `expires`, what it would have to look like.
    pub have: String,
}

impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Neither is to tell a terminal what to do, or to be read from right to left.
        let (claimed, have) = (self.claimed.escape_debug(), self.have.escape_debug());
        write!(f, "{} is signed as `{claimed}` and is `{have}`", self.name)
    }
}

impl Comment {
    /// A comment in minisign's words.
    pub fn new(text: impl Into<String>) -> Comment {
        Comment(text.into())
    }

    /// The comment for the file that has this manifest.
    ///
    /// # Examples
    ///
    /// ```
    /// # use dynplug_manifest::{Identity, LibraryReference, Manifest, Product};
    /// # let api = LibraryReference { package: "api".into(), version: "1.0.0".into(), crate_name: "api".into(),
    /// #     soname: "libapi.so".into(), identity: Identity([2; 32]) };
    /// # let manifest = Manifest { product: Product::Plugin, package: "hello".into(), version: "1.2.0".into(),
    /// #     crate_name: "hello".into(), tool: String::new(), rustc: String::new(),
    /// #     target: "x86_64-unknown-linux-gnu".into(), profile: String::new(), cpu_features: vec![],
    /// #     id: Identity([1; 32]), api, crates: vec![], libraries: vec![], with_sdk: false,
    /// #     records: 0 };
    /// use dynplug_trust::{Comment, Moment};
    ///
    /// let comment = Comment::of(&manifest, Moment::now(), Some("2027-03-01".parse()?));
    /// assert_eq!(comment.claim("version"), Some("1.2.0"));
    /// assert!(comment.contradictions(&manifest).is_empty());
    /// # Ok::<(), dynplug_trust::MomentError>(())
    /// ```
    pub fn of(manifest: &Manifest, signed: Moment, expires: Option<Moment>) -> Comment {
        let mut text = format!("timestamp:{}", signed.seconds());
        for (name, value) in claims(manifest) {
            text.push_str(&format!("\t{name}:{}", plain(&value)));
        }
        if let Some(expires) = expires {
            text.push_str(&format!("\texpires:{}", expires.seconds()));
        }
        Comment(text)
    }

    /// The whole comment.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// The first claim of this name.
    pub fn claim(&self, name: &str) -> Option<&str> {
        self.claims(name).next()
    }

    fn claims(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.split('\t').filter_map(move |part| part.trim().strip_prefix(name)?.strip_prefix(':'))
    }

    /// When it was signed, where it says so as minisign does.
    pub fn signed(&self) -> Option<Moment> {
        self.claim("timestamp").and_then(|text| text.parse().ok())
    }

    /// Until when the signature counts, where it says so: the earliest, if it says several. What is no time is an error.
    ///
    /// # Errors
    ///
    /// The claim that is no time.
    pub fn expires(&self) -> Result<Option<Moment>, Claim> {
        let mut earliest: Option<Moment> = None;
        for text in self.claims("expires") {
            let moment: Moment = text.parse().map_err(|error| Claim {
                name: "expires".to_owned(),
                claimed: text.to_owned(),
                have: format!("no time: {error}"),
            })?;
            earliest = Some(earliest.map_or(moment, |other| other.min(moment)));
        }
        Ok(earliest)
    }

    /// What it claims of a file and the file's manifest contradicts.
    pub fn contradictions(&self, manifest: &Manifest) -> Vec<Claim> {
        let mut found = Vec::new();
        for (name, have) in claims(manifest) {
            for claimed in self.claims(name).filter(|claimed| *claimed != plain(&have)) {
                found.push(Claim { name: name.to_owned(), claimed: claimed.to_owned(), have: have.clone() });
            }
        }
        found
    }
}

impl fmt::Display for Comment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a comment says of a file.
fn claims(manifest: &Manifest) -> [(&'static str, String); 5] {
    [
        ("plugin", manifest.package.clone()),
        ("version", manifest.version.clone()),
        ("id", manifest.id.to_string()),
        ("identity", manifest.api.identity.to_string()),
        ("target", manifest.target.clone()),
    ]
}

/// A value without what would end it, or the comment.
fn plain(value: &str) -> String {
    value.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>().trim().to_owned()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use dynplug_manifest::{Identity, LibraryReference, Product};

    pub(crate) fn manifest() -> Manifest {
        Manifest {
            product: Product::Plugin,
            package: "hello".into(),
            version: "1.2.0".into(),
            crate_name: "hello".into(),
            tool: "0.1.0".into(),
            rustc: "rustc 1.95.0".into(),
            target: "x86_64-unknown-linux-gnu".into(),
            profile: "release".into(),
            cpu_features: vec![],
            id: Identity([1; 32]),
            api: LibraryReference {
                package: "api".into(),
                version: "1.0.0".into(),
                crate_name: "api".into(),
                soname: "libapi.so".into(),
                identity: Identity([2; 32]),
            },
            crates: vec![],
            libraries: vec![],
            with_sdk: false,
            records: 0,
        }
    }

    #[test]
    fn each_claim_is_compared() {
        let good = Comment::of(&manifest(), Moment::now(), None);
        assert_eq!(good.contradictions(&manifest()), []);
        type Change = fn(&mut Manifest);
        let others: [(&str, Change); 5] = [
            ("plugin", |m| m.package.push('x')),
            ("version", |m| m.version.push('1')),
            ("id", |m| m.id = Identity([3; 32])),
            ("identity", |m| m.api.identity = Identity([3; 32])),
            ("target", |m| m.target.push('x')),
        ];
        for (name, change) in others {
            let mut other = manifest();
            change(&mut other);
            let found = good.contradictions(&other);
            assert_eq!(found.iter().map(|claim| &*claim.name).collect::<Vec<_>>(), [name]);
        }
    }

    #[test]
    fn a_claim_that_stands_twice_is_no_way_around_it() {
        let twice = Comment::new("plugin:hello\tplugin:other\texpires:2031-01-01\texpires:2030-01-01");
        assert_eq!(twice.contradictions(&manifest()).len(), 1);
        assert_eq!(twice.expires(), Ok("2030-01-01".parse().ok()));
        assert!(Comment::new("expires:2030-01-01\texpires:never").expires().is_err());
    }

    #[test]
    fn what_minisign_writes_by_itself_claims_nothing() {
        let comment = Comment::new("timestamp:1556193335\tfile:libhello.so\thashed");
        assert_eq!(comment.contradictions(&manifest()), []);
        assert_eq!(comment.expires(), Ok(None));
        assert_eq!(comment.signed().unwrap().to_string(), "2019-04-25 11:55:35 UTC");
    }

    #[test]
    fn no_claim_tells_a_terminal_what_to_do() {
        let comment = Comment::new("plugin:\u{1b}[2Jgood\u{202e}\tversion:1\rx");
        let said: Vec<String> = comment.contradictions(&manifest()).iter().map(ToString::to_string).collect();
        assert_eq!(said[0], "plugin is signed as `\\u{1b}[2Jgood\\u{202e}` and is `hello`");
        assert_eq!(said[1], "version is signed as `1\\rx` and is `1.2.0`");
    }

    #[test]
    fn no_value_makes_another_claim() {
        let mut hostile = manifest();
        hostile.package = "hello\texpires:1\nx".to_owned();
        let comment = Comment::of(&hostile, Moment::now(), None);
        assert_eq!(comment.expires(), Ok(None));
        assert_eq!(comment.text().lines().count(), 1);
        assert_eq!(comment.contradictions(&hostile), []);
    }
}
