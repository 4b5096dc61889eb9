//! A page of Markdown as what a reader does with it, block after block.
//!
//! What a block is stands in its info string, behind a comma, where neither mdBook nor GitHub shows it:
//!
//! | info string | what the reader does |
//! |---|---|
//! | `LANGUAGE,file=PATH` | writes the file |
//! | `LANGUAGE,file=PATH,append` | adds it to the end of the file |
//! | `diff,file=PATH` | changes the file |
//! | `LANGUAGE,file=PATH,shown` | looks at the file: these are lines of it; a line `…` stands for any others |
//! | `text,tree=PATH` | looks at a folder: it holds this |
//! | `console` | types what follows `$ `, and sees the rest; `exit=N` is the last command's exit code |
//! | `LANGUAGE,not-run=REASON` | nothing; the reasons are in `REASONS` |
//!
//! `needs=TOOL` skips a block where the tool is missing. A file's name has to stand in the text above its block, since that
//! is all that a reader sees.

use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd};
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Why a block is not run.
pub const REASONS: [(&str, &str); 5] = [
    ("installs", "it would install something for the user who runs the tests"),
    ("measures", "it measures, which takes long and wants a quiet machine"),
    ("message", "it is made of the schema of messages, with which `messages.rs` compares it"),
    ("serves", "it runs until it is stopped, and takes minutes to compile"),
    ("whole-suite", "it is what runs this test"),
];

/// Tools that may be missing, and how to see whether they are there.
pub const TOOLS: [&str; 8] = ["dpkg-deb", "gdb", "go", "lldb", "network", "perf", "second-compiler", "strip"];

/// What a reader does with a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// Writes a file.
    Write(PathBuf),
    /// Adds to a file.
    Append(PathBuf),
    /// Changes a file, as a diff says.
    Change(PathBuf),
    /// Looks at a file.
    Shown(PathBuf),
    /// Looks at a folder.
    Tree(PathBuf),
    /// Types commands. The last one ends with this exit code, the others with 0.
    Run(i32),
    /// Nothing.
    NotRun,
}

/// A code block.
pub struct Block {
    /// Its first line in the page, from 1.
    pub line: usize,
    /// What it is.
    pub kind: Kind,
    /// The tool that it needs.
    pub needs: Option<String>,
    /// Its contents.
    pub text: String,
    /// Where its contents are in the page.
    pub place: Range<usize>,
}

/// A heading, or a link.
pub struct Mark {
    /// Its line in the page, from 1.
    pub line: usize,
    /// The text of the heading, or where the link leads.
    pub text: String,
}

/// A page.
pub struct Page {
    /// Its path from the repository's root.
    pub path: String,
    /// All of it.
    pub text: String,
    /// Its code blocks.
    pub blocks: Vec<Block>,
    /// Its headings.
    pub headings: Vec<Mark>,
    /// Its links and pictures.
    pub links: Vec<Mark>,
}

impl Page {
    /// Reads a page. Everything that is wrong with its blocks is said at once.
    pub fn read(root: &Path, path: &str) -> Result<Page, String> {
        let (page, wrong) = Page::parse(root, path)?;
        match wrong.is_empty() {
            true => Ok(page),
            false => Err(wrong.join("\n")),
        }
    }

    /// Reads a page whose blocks need not say what they are.
    pub fn headings_and_links(root: &Path, path: &str) -> Result<Page, String> {
        Ok(Page::parse(root, path)?.0)
    }

    /// A page, and what is wrong with its blocks.
    fn parse(root: &Path, path: &str) -> Result<(Page, Vec<String>), String> {
        let text = std::fs::read_to_string(root.join(path)).map_err(|e| format!("{path}: {e}"))?;
        let mut page = Page {
            path: path.to_owned(),
            blocks: Vec::new(),
            headings: Vec::new(),
            links: Vec::new(),
            text: text.clone(),
        };
        let mut wrong = Vec::new();
        // What the reader has read above a block, and whether a block has ended since.
        let mut above = String::new();
        let mut ended = false;
        let mut block: Option<(String, Range<usize>)> = None;
        let mut heading: Option<String> = None;
        let options = Options::ENABLE_TABLES | Options::ENABLE_FOOTNOTES | Options::ENABLE_STRIKETHROUGH;
        for (event, range) in Parser::new_ext(&text, options).into_offset_iter() {
            let line = line_of(&text, range.start);
            match event {
                Event::Start(Tag::CodeBlock(CodeBlockKind::Indented)) => {
                    wrong.push(format!("{path}:{line}: an indented block can't say what it is: use ```"));
                }
                Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info))) => {
                    block = Some((info.into_string(), range.end..range.start));
                }
                Event::End(TagEnd::CodeBlock) => {
                    let Some((info, place)) = block.take() else { continue };
                    let place = if place.start > place.end { place.end..place.end } else { place };
                    match kind(&info, &above) {
                        Ok((kind, needs)) => page.blocks.push(Block {
                            line,
                            kind,
                            needs,
                            text: text[place.clone()].to_owned(),
                            place,
                        }),
                        Err(why) => wrong.push(format!("{path}:{line}: {why}")),
                    }
                    ended = true;
                }
                Event::Start(Tag::Heading { level, .. }) => {
                    heading = Some(String::new());
                    if level <= HeadingLevel::H2 {
                        above.clear();
                    }
                }
                Event::End(TagEnd::Heading(_)) => {
                    let text = heading.take().unwrap_or_default();
                    page.headings.push(Mark { line, text });
                }
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    page.links.push(Mark { line, text: dest_url.into_string() });
                }
                Event::Text(words) | Event::Code(words) => match (&mut block, &mut heading) {
                    (Some((_, place)), _) => {
                        *place = place.start.min(range.start)..place.end.max(range.end);
                    }
                    (None, Some(heading)) => *heading += &words,
                    (None, None) => {
                        // Blocks that follow each other have their text in common.
                        if std::mem::take(&mut ended) {
                            above.clear();
                        }
                        above = above + &words + " ";
                    }
                },
                Event::SoftBreak => above.push(' '),
                _ => {}
            }
        }
        Ok((page, wrong))
    }

    /// What links to a heading end in, for each heading, as GitHub and mdBook make them.
    pub fn anchors(&self) -> Vec<String> {
        let mut anchors: Vec<String> = Vec::new();
        for heading in &self.headings {
            let keep = |c: char| c.is_alphanumeric() || c == '-' || c == '_' || c == ' ';
            let anchor: String = heading.text.to_lowercase().chars().filter(|c| keep(*c)).collect();
            let anchor = anchor.replace(' ', "-");
            let before = anchors.iter().filter(|a| **a == anchor).count();
            anchors.push(if before == 0 { anchor } else { format!("{anchor}-{before}") });
        }
        anchors
    }
}

/// The line in which something stands, from 1.
fn line_of(text: &str, place: usize) -> usize {
    text[..place].matches('\n').count() + 1
}

/// What an info string says.
fn kind(info: &str, above: &str) -> Result<(Kind, Option<String>), String> {
    let mut words = info.split(',').map(str::trim);
    let language = words.next().unwrap_or_default();
    let (mut file, mut tree, mut exit, mut needs, mut reason) = (None, None, None, None, None);
    let (mut append, mut shown) = (false, false);
    for word in words {
        match word.split_once('=') {
            Some(("file", path)) => file = Some(PathBuf::from(path)),
            Some(("tree", path)) => tree = Some(PathBuf::from(path)),
            Some(("exit", code)) => exit = Some(code.parse().map_err(|_| format!("no exit code: {code}"))?),
            Some(("needs", tool)) if TOOLS.contains(&tool) => needs = Some(tool.to_owned()),
            Some(("needs", tool)) => return Err(format!("no tool that tests know: {tool}")),
            Some(("not-run", why)) => reason = Some(why.to_owned()),
            None if word == "append" => append = true,
            None if word == "shown" => shown = true,
            _ => return Err(format!("a block can't be {word:?}")),
        }
    }
    if let Some(file) = &file {
        let mut names = (0..file.components().count()).map(|n| file.iter().skip(n).collect::<PathBuf>());
        if !names.any(|name| above.contains(&*name.display().to_string())) {
            return Err(format!("the text above the block doesn't say that it is {}", file.display()));
        }
    }
    let kind = match (language, file, tree, reason) {
        ("", ..) => return Err("the block has no language".to_owned()),
        (_, None, None, Some(why)) if REASONS.iter().any(|(reason, _)| *reason == why) => Kind::NotRun,
        (_, None, None, Some(why)) => return Err(format!("{why:?} is no reason not to run it")),
        ("console", None, None, None) if !append && !shown => Kind::Run(exit.take().unwrap_or(0)),
        ("text", None, Some(path), None) if !append && !shown => Kind::Tree(path),
        ("diff", Some(path), None, None) if !append && !shown => Kind::Change(path),
        (_, Some(path), None, None) if append && !shown => Kind::Append(path),
        (_, Some(path), None, None) if shown && !append => Kind::Shown(path),
        (_, Some(path), None, None) if !append => Kind::Write(path),
        _ => return Err(format!("nobody knows what to do with {info:?}: see tests/book/page.rs")),
    };
    match exit {
        Some(_) => Err(format!("only commands have exit codes: {info}")),
        None => Ok((kind, needs)),
    }
}
