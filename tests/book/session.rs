//! A reader at work: a folder, a shell, and what the page shows compared with what is there.
//!
//! A reader has the clone of the repository beside the project, as `dynplug`. What pages
//! build goes through one folder for intermediate files, so that the runtime is compiled once for all of them; a package's name
//! is therefore given to one page only.

use super::links::clean;
use super::output;
use super::page::{Block, Kind, Page};
use crate::harness::{Fixture, Ran, TOOL, repository, shared_target, skipped};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Names that the page and the folders have in common, and whose each package is.
static PACKAGES: Mutex<BTreeMap<String, String>> = Mutex::new(BTreeMap::new());

/// A reader of a page.
pub struct Session {
    page: Page,
    fixture: Fixture,
    /// Where the reader stands.
    folder: PathBuf,
    /// Where the reader has the clone. It isn't there: what lies elsewhere would be compiled once more, so the files that
    /// speak of it get the path of the clone itself.
    clone: PathBuf,
    /// Corrections of the page, where it is to be renewed.
    renewed: Vec<(std::ops::Range<usize>, String)>,
}

impl Session {
    /// A reader in an empty folder.
    pub fn new(path: &str) -> Session {
        let page = Page::read(&repository(), path).unwrap_or_else(|wrong| panic!("{wrong}"));
        let name = Path::new(path).with_extension("").display().to_string().replace('/', "-");
        let fixture = Fixture::folder(&format!("book-{name}"));
        let folder = fixture.root().join("work");
        make(&folder);
        let bin = fixture.root().join("bin");
        make(&bin);
        link(Path::new(TOOL), &bin.join("cargo-dynplug"));
        // Plain cargo keeps what is made on the way where all pages have it; where products lie is as ever.
        let real = fixture.run(Path::new("sh")).args(["-c", "command -v cargo"]).go();
        let shim = format!(
            "#!/bin/sh\n[ \"$1\" = dynplug ] || export CARGO_BUILD_BUILD_DIR='{}'\nexec '{}' \"$@\"\n",
            shared_target().join("book").display(),
            real.ok().stdout.trim(),
        );
        std::fs::write(bin.join("cargo"), shim).expect("a file can be written");
        fixture.run(Path::new("chmod")).args(["+x", "bin/cargo"]).go().ok();
        let clone = folder.join("dynplug");
        Session { page, fixture, folder, clone, renewed: Vec::new() }
    }

    /// A reader who stands in the clone. Its examples are there, without what somebody built in them.
    pub fn in_the_clone(mut self) -> Session {
        self.clone = self.folder.clone();
        let mut sources = Vec::new();
        files(&repository().join("examples"), "examples/", &mut sources)
            .unwrap_or_else(|why| panic!("{why}"));
        for path in sources {
            let contents = std::fs::read_to_string(repository().join(&path));
            let contents = contents.unwrap_or_else(|e| panic!("{path}: {e}"));
            self.write(Path::new(&path), &contents).unwrap_or_else(|why| panic!("{why}"));
        }
        self
    }

    /// Does what the page says, to its end.
    pub fn read(mut self) {
        let mut blocks = 0..self.page.blocks.len();
        let failed = blocks.find_map(|index| Some((index, self.block(index).err()?)));
        if !self.renewed.is_empty() {
            let mut text = self.page.text.clone();
            for (place, new) in self.renewed.iter().rev() {
                text.replace_range(place.clone(), new);
            }
            std::fs::write(repository().join(&self.page.path), text).expect("the page can be written");
        }
        if let Some((index, why)) = failed {
            panic!("{}:{}: {why}\n", self.page.path, self.page.blocks[index].line);
        }
    }

    fn block(&mut self, index: usize) -> Result<(), String> {
        let Block { line, kind, needs, text, .. } = &self.page.blocks[index];
        if let Some(tool) = needs.as_ref().filter(|tool| !self.has(tool)) {
            skipped(&format!("{}:{line}: there is no {tool}", self.page.path));
            return Ok(());
        }
        match kind.clone() {
            Kind::NotRun => Ok(()),
            Kind::Write(path) => self.write(&path, text),
            Kind::Append(path) => {
                let before = self.contents(&path)?;
                self.write(&path, &format!("{before}{text}"))
            }
            Kind::Change(path) => {
                let changed = patched(&self.contents(&path)?, text)?;
                self.write(&path, &changed)
            }
            Kind::Shown(path) => {
                let shown: Vec<&str> = text.trim_matches('\n').split("\n…\n").collect();
                let contents = self.contents(&path)?;
                let mut rest = &*contents;
                for part in shown {
                    let part = part.trim_start_matches("…\n").trim_end_matches("\n…");
                    let Some((_, after)) = rest.split_once(part) else {
                        return Err(format!("{} doesn't hold, in this place:\n{part}", path.display()));
                    };
                    rest = after;
                }
                Ok(())
            }
            Kind::Tree(path) => self.tree(&path, text),
            Kind::Run(exit) => {
                let text = text.clone();
                self.console(index, &text, exit)
            }
        }
    }

    fn contents(&self, path: &Path) -> Result<String, String> {
        let path = self.folder.join(path);
        let text = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        Ok(text.replace(&real_runtime(), &self.runtime_from(&path)))
    }

    fn write(&self, path: &Path, text: &str) -> Result<(), String> {
        let path = self.folder.join(path);
        if let Some(parent) = path.parent() {
            make(parent);
        }
        let text = text.replace(&self.runtime_from(&path), &real_runtime());
        std::fs::write(&path, &text).map_err(|e| format!("{}: {e}", path.display()))?;
        let lock = path.with_file_name("Cargo.lock");
        if path.ends_with("Cargo.toml") && text.contains("[workspace]") && !lock.exists() {
            // Versions that are known to work; cargo drops what nobody has a use for.
            let from = repository().join("tests/book/versions/Cargo.lock");
            std::fs::copy(&from, &lock).map_err(|e| format!("{}: {e}", from.display()))?;
        }
        Ok(())
    }

    /// Where the runtime is for the reader, as the file at this path would say it.
    fn runtime_from(&self, path: &Path) -> String {
        let path = clean(path);
        let common = path.ancestors().skip(1).find(|folder| self.clone.starts_with(folder));
        let common = common.unwrap_or(Path::new("/"));
        let depth = path.components().count() - common.components().count() - 1;
        let rest = self.clone.strip_prefix(common).unwrap_or(&self.clone).join("crates/dynplug");
        format!("\"{}{}\"", "../".repeat(depth), rest.display())
    }

    /// A folder's contents, as a page draws them: a folder or file in a line, deeper ones indented by two blanks, with
    /// remarks behind two blanks.
    fn tree(&self, path: &Path, text: &str) -> Result<(), String> {
        let mut lines = text.lines().filter(|line| !line.trim().is_empty());
        let first = lines.next().unwrap_or_default().trim().trim_end_matches('/');
        if !path.ends_with(first) && Path::new(first) != path {
            return Err(format!("the first line is not {}", path.display()));
        }
        let mut shown = Vec::new();
        let mut parents: Vec<&str> = Vec::new();
        for line in lines {
            let name = line.trim_start();
            let depth = (line.len() - name.len()) / 2;
            let name = name.split("  ").next().unwrap_or(name);
            parents.truncate(depth.saturating_sub(1));
            match name.strip_suffix('/') {
                Some(folder) => parents.push(folder),
                None => shown.push([&parents[..], &[name]].concat().join("/")),
            }
        }
        let mut there = Vec::new();
        files(&self.folder.join(path), "", &mut there)?;
        let missing: Vec<&String> =
            shown.iter().filter(|s| !there.iter().any(|t| output::equal(s, t))).collect();
        let more: Vec<&String> =
            there.iter().filter(|t| !shown.iter().any(|s| output::equal(s, t))).collect();
        match missing.is_empty() && more.is_empty() {
            true => Ok(()),
            false => Err(format!("not there: {missing:?}; there and not shown: {more:?}")),
        }
    }

    /// Types the commands of a transcript.
    fn console(&mut self, index: usize, text: &str, exit: i32) -> Result<(), String> {
        let mut commands: Vec<(String, String)> = Vec::new();
        let mut continued = false;
        for line in text.lines() {
            match (line.strip_prefix("$ "), commands.last_mut()) {
                (Some(command), _) => commands.push((command.to_owned(), String::new())),
                (None, None) => return Err(format!("this is no command: {line}")),
                (None, Some((command, _))) if continued => *command += &format!("\n{line}"),
                (None, Some((_, shown))) => *shown += &format!("{line}\n"),
            }
            continued = line.ends_with('\\') && commands.last().is_some_and(|(_, shown)| shown.is_empty());
        }
        let renews = std::env::var_os("DYNPLUG_RENEW").is_some();
        let mut new = String::new();
        for (number, (command, shown)) in commands.iter().enumerate() {
            let expected = if number + 1 == commands.len() { exit } else { 0 };
            let ran = self.type_in(command)?;
            let printed = ran.stdout.clone();
            if ran.code() != Some(expected) {
                return Err(format!("`{command}` was to end with {expected}\n{ran}"));
            }
            // Who shows nothing doesn't care.
            let right = if shown.trim().is_empty() { Ok(()) } else { output::compare(shown, &printed) };
            let _ = writeln!(new, "$ {command}");
            match right {
                Ok(()) => new += shown,
                Err(_) if renews => {
                    let lines = printed.lines().filter(|line| !output::is_progress(line));
                    new.extend(lines.map(|line| format!("{}\n", self.nameless(line))));
                }
                Err(right) => {
                    let next = shown.lines().nth(right).unwrap_or("(nothing more)");
                    return Err(format!(
                        "`{command}` prints something else from line {} of what is shown: {next}\n\
                         --- shown\n{shown}--- printed\n{}",
                        right + 1,
                        self.nameless(&printed),
                    ));
                }
            }
        }
        if renews && new != *text {
            self.renewed.push((self.page.blocks[index].place.clone(), new));
        }
        Ok(())
    }

    /// A text without folders of this machine.
    fn nameless(&self, text: &str) -> String {
        let clone = repository().display().to_string();
        text.replace(&self.fixture.root().join("work").display().to_string(), "…")
            .replace(&clone, "…/dynplug")
    }

    /// Runs a command in the reader's shell, which keeps its folder and its exported variables.
    fn type_in(&mut self, command: &str) -> Result<Ran, String> {
        self.prepare()?;
        let root = self.fixture.root().to_owned();
        let (folder, variables) = (root.join("folder"), root.join("variables"));
        let script = format!(
            "[ ! -f '{vars}' ] || . '{vars}'\n{{ {command}\n}} 2>&1\ncode=$?\n\
             pwd -P > '{folder}'; export -p > '{vars}'\nexit $code",
            vars = variables.display(),
            folder = folder.display(),
        );
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::join_paths(
            [root.join("bin"), root.join("tools")].into_iter().chain(std::env::split_paths(&path)),
        );
        let ran = self
            .fixture
            .run(Path::new("bash"))
            .args(["-c", &script])
            .env("PATH", path.map_err(|e| e.to_string())?)
            .env("DYNPLUG_CACHE", shared_target().join("unpacked SDKs"))
            .env("LC_ALL", "C.UTF-8")
            .folder(&self.folder)
            .takes_long()
            .go();
        if let Ok(now) = std::fs::read_to_string(&folder) {
            self.folder = PathBuf::from(now.trim_end());
        }
        Ok(ran)
    }

    /// Lets every workspace that is there build by way of the folder that all pages share.
    fn prepare(&self) -> Result<(), String> {
        let mut manifests = Vec::new();
        find_manifests(&self.fixture.root().join("work"), &mut manifests);
        for manifest in manifests {
            let text =
                std::fs::read_to_string(&manifest).map_err(|e| format!("{}: {e}", manifest.display()))?;
            let Ok(toml) = text.parse::<toml::Table>() else { continue };
            if let Some(name) = toml.get("package").and_then(|p| p.get("name")).and_then(|n| n.as_str()) {
                let mut packages = PACKAGES.lock().unwrap_or_else(PoisonError::into_inner);
                let owner = packages.entry(name.to_owned()).or_insert_with(|| self.page.path.clone());
                if *owner != self.page.path {
                    return Err(format!("the package `{name}` is also in {owner}: give it another name"));
                }
            }
            let build = manifest.with_file_name("target").join("dynplug").join("build");
            if toml.contains_key("workspace") && !build.exists() {
                make(build.parent().unwrap_or(&build));
                let shared = shared_target().join("dynplug").join("build");
                make(&shared);
                link(&shared, &build);
            }
        }
        Ok(())
    }

    /// Whether a tool is there.
    fn has(&self, tool: &str) -> bool {
        let script = match tool {
            "second-compiler" => "[ -x /usr/bin/rustc ]".to_owned(),
            // Crates that only one page wants may not be at hand.
            "network" => {
                let manifest = repository().join("tests/book/versions/Cargo.toml");
                format!("cargo fetch --locked --manifest-path '{}'", manifest.display())
            }
            name => format!("command -v {name}"),
        };
        self.fixture.run(Path::new("sh")).args(["-c", &script]).takes_long().go().code() == Some(0)
    }
}

/// Where the runtime really is, as a `Cargo.toml` says it.
fn real_runtime() -> String {
    format!("\"{}/crates/dynplug\"", repository().display())
}

/// What a diff makes of a file. Lines of it that are not the file's are an error; where it has none, it is a new file.
fn patched(contents: &str, diff: &str) -> Result<String, String> {
    let (mut old, mut new) = (String::new(), String::new());
    for line in diff.lines() {
        let (sign, rest) = line.split_at_checked(1).unwrap_or((" ", ""));
        match sign {
            "-" => old += &format!("{rest}\n"),
            "+" => new += &format!("{rest}\n"),
            " " => {
                old += &format!("{rest}\n");
                new += &format!("{rest}\n");
            }
            _ => return Err(format!("a line of a diff begins with +, - or a blank: {line}")),
        }
    }
    match contents.matches(&old).count() {
        1 if !old.is_empty() => Ok(contents.replace(&old, &new)),
        n => Err(format!("the file holds this {n} times:\n{old}\n--- the file\n{contents}")),
    }
}

/// All files below a folder, without those that are made on the way.
fn files(folder: &Path, prefix: &str, found: &mut Vec<String>) -> Result<(), String> {
    let entries = std::fs::read_dir(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        match entry.path().is_dir() {
            true if name == "target" || name.starts_with('.') => {}
            true => files(&entry.path(), &format!("{prefix}{name}/"), found)?,
            false if name.starts_with('.') => {}
            false => found.push(format!("{prefix}{name}")),
        }
    }
    Ok(())
}

fn find_manifests(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        // Links lead out of the page.
        let is_folder = entry.file_type().is_ok_and(|t| t.is_dir());
        if is_folder && entry.file_name() != "target" && entry.file_name() != "sdk" {
            find_manifests(&entry.path(), found);
        } else if entry.file_name() == "Cargo.toml" {
            found.push(entry.path());
        }
    }
}

fn make(folder: &Path) {
    std::fs::create_dir_all(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
}

fn link(to: &Path, at: &Path) {
    std::os::unix::fs::symlink(to, at).unwrap_or_else(|e| panic!("{}: {e}", at.display()));
}
