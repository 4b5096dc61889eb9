//! What this program prints: colours, links and progress where somebody looks at a terminal, and nothing of them elsewhere.
//!
//! Standard output has what was asked for, standard error everything that is said on the way.

use crate::cli::{Color, MessageArguments};
use crate::diagnostic::Diagnostic;
use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Effects, Style};
use clap::ValueEnum;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::ffi::OsString;
use std::io::{ErrorKind, IsTerminal, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// The exit code of a program that goes on printing when nobody reads any more, as shells tell it.
const NOBODY_READS: i32 = 141;

/// Whether links are shown, whatever the terminal is.
static LINKS: AtomicBool = AtomicBool::new(false);
/// Whether people want to be told how things go.
static TALKS: AtomicBool = AtomicBool::new(false);

/// Finds out about colours before the command line is understood, since what is said of that may be coloured too.
/// `--color` comes before cargo's own setting, and that before `NO_COLOR`, `CLICOLOR_FORCE` and what the terminal can.
pub fn prepare(words: &[OsString]) -> clap::ColorChoice {
    let setting = || std::env::var("CARGO_TERM_COLOR").ok().and_then(|v| Color::from_str(&v, true).ok());
    let (stream, clap) = match asked_for(words).or_else(setting) {
        Some(Color::Always) => (ColorChoice::Always, clap::ColorChoice::Always),
        Some(Color::Never) => (ColorChoice::Never, clap::ColorChoice::Never),
        Some(Color::Auto) | None => (ColorChoice::Auto, clap::ColorChoice::Auto),
    };
    stream.write_global();
    LINKS.store(is_coloured(), Ordering::Relaxed);
    clap
}

fn asked_for(words: &[OsString]) -> Option<Color> {
    let words: Vec<_> = words.iter().map(|w| w.to_string_lossy()).take_while(|w| w != "--").collect();
    let value = words.iter().enumerate().rev().find_map(|(at, word)| match word.as_ref() {
        "--color" => words.get(at + 1).map(|w| w.to_string()),
        word => word.strip_prefix("--color=").map(str::to_owned),
    });
    Color::from_str(&value?, true).ok()
}

/// Takes to heart what the command line says of printing.
pub fn settle(messages: &MessageArguments) {
    TALKS.store(messages.talks(), Ordering::Relaxed);
}

/// Prints a line to standard output. Where nobody reads any more, the program ends.
pub fn print_line(text: &str) {
    let mut stream = AutoStream::auto(std::io::stdout()).lock();
    let printed = stream.write_all(text.as_bytes()).and_then(|()| stream.write_all(b"\n"));
    if let Err(error) = printed.and_then(|()| stream.flush()) {
        if error.kind() == ErrorKind::BrokenPipe {
            std::process::exit(NOBODY_READS);
        }
        say(&format!("error: could not print: {error}\n"));
        std::process::exit(1);
    }
}

/// Prints to standard error, as it is. Nobody can be told when that fails.
pub fn say(text: &str) {
    let mut stream = AutoStream::auto(std::io::stderr()).lock();
    let _ = stream.write_all(text.as_bytes()).and_then(|()| stream.flush());
}

/// Passes on to standard error what another program has printed for the same terminal.
pub fn say_as_it_is(bytes: &[u8]) {
    let mut stream = std::io::stderr().lock();
    let _ = stream.write_all(bytes).and_then(|()| stream.flush());
}

/// Whether what is said on standard error has colours.
pub fn is_coloured() -> bool {
    AutoStream::choice(&std::io::stderr()) != ColorChoice::Never
}

/// How wide the terminal is that standard error leads to, if it leads to one that can show progress.
pub fn columns() -> Option<u16> {
    let terminal = console::Term::stderr();
    let can = std::io::stderr().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
    can.then(|| terminal.size_checked()).flatten().map(|(_, columns)| columns)
}

/// A line for standard output.
macro_rules! line {
    () => { $crate::terminal::print_line("") };
    ($($words:tt)*) => { $crate::terminal::print_line(&format!($($words)*)) };
}
pub(crate) use line;

/// A diagnostic for people.
pub fn diagnostic(diagnostic: &Diagnostic) {
    say(&diagnostic.coloured());
}

/// A word that begins an error without a code.
pub fn error(text: &str) {
    let style = crate::diagnostic::Level::Error.style();
    say(&format!("{style}error{style:#}: {text}\n"));
}

/// A line on what is done or was done, in cargo's manner.
pub fn status(verb: &str, what: &str) {
    say(&format!("{} {what}\n", headed(verb)));
}

/// The same with a folder or file, which terminals that can do it open.
pub fn status_of_file(verb: &str, path: &Path, more: &str) {
    status(verb, &format!("{}{more}", linked(path, Stream::Error)));
}

/// A verb as cargo has it at the beginning of a line.
pub fn headed(verb: &str) -> String {
    let style = AnsiColor::BrightGreen.on_default().effects(Effects::BOLD);
    format!("{style}{verb:>12}{style:#}")
}

/// Where a text is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Output,
    /// Standard error.
    Error,
}

/// A path, with a link to the file where the terminal takes links.
pub fn linked(path: &Path, stream: Stream) -> String {
    let shown = path.display().to_string();
    let stream = match stream {
        Stream::Output => supports_hyperlinks::Stream::Stdout,
        Stream::Error => supports_hyperlinks::Stream::Stderr,
    };
    if !LINKS.load(Ordering::Relaxed) || !supports_hyperlinks::on(stream) {
        return shown;
    }
    match std::path::absolute(path) {
        Ok(absolute) => format!("\u{1b}]8;;{}\u{1b}\\{shown}\u{1b}]8;;\u{1b}\\", address(&absolute)),
        Err(_) => shown,
    }
}

/// The address of a file.
fn address(path: &Path) -> String {
    let text = path.to_string_lossy().replace('\\', "/");
    let mut address = String::from(if text.starts_with('/') { "file://" } else { "file:///" });
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'/' | b'-' | b'.' | b'_' | b'~' | b':' => {
                address.push(char::from(byte));
            }
            byte => address.push_str(&format!("%{byte:02X}")),
        }
    }
    address
}

/// The name of a thing in a listing.
pub fn emphasised(text: &str) -> String {
    let style = Style::new().effects(Effects::BOLD);
    format!("{style}{text}{style:#}")
}

/// A bar for something long about which nothing else is said. It shows itself only on a terminal, to people who want to be
/// told, and when it takes its time.
pub struct Progress {
    bar: Option<ProgressBar>,
    begun: Instant,
}

/// How long something may take without a bar.
const PATIENCE: Duration = Duration::from_millis(300);

impl Progress {
    /// A bar over this many bytes.
    pub fn of_bytes(verb: &str, total: u64) -> Self {
        Self::new(verb, total, "{bytes}/{total_bytes}", true)
    }

    /// A bar over this many files, whose lines go to standard output.
    pub fn of_files(verb: &str, total: usize) -> Self {
        // Where the lines can be seen, they are the progress.
        let seen = std::io::stdout().is_terminal();
        Self::new(verb, total as u64, "{pos}/{len}", total > 1 && !seen)
    }

    fn new(verb: &str, total: u64, count: &str, wanted: bool) -> Self {
        let shown = wanted && TALKS.load(Ordering::Relaxed) && std::io::stderr().is_terminal();
        let bar = shown.then(|| {
            let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::hidden());
            let style = ProgressStyle::with_template(&format!("{{prefix}} [{{bar:27}}] {count}"));
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> "));
            bar.set_prefix(if is_coloured() { headed(verb) } else { format!("{verb:>12}") });
            bar
        });
        Progress { bar, begun: Instant::now() }
    }

    /// So much more is done.
    pub fn more(&self, amount: u64) {
        let Some(bar) = &self.bar else { return };
        if bar.is_hidden() && self.begun.elapsed() > PATIENCE {
            bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        bar.inc(amount);
    }

    /// Counts what is read.
    pub fn reading<R>(&self, inner: R) -> Reading<'_, R> {
        Reading { inner, progress: self }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// A reader that moves a bar.
pub struct Reading<'a, R> {
    inner: R,
    progress: &'a Progress,
}

impl<R: std::io::Read> std::io::Read for Reading<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.progress.more(read as u64);
        Ok(read)
    }
}

impl<R: std::io::BufRead> std::io::BufRead for Reading<'_, R> {
    fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.progress.more(amount as u64);
        self.inner.consume(amount);
    }
}

impl<R> Reading<'_, R> {
    /// What is left to be read.
    pub fn into_inner(self) -> R {
        self.inner
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_on_colours_before_the_hosts_own_arguments_counts() {
        let words = |words: &[&str]| asked_for(&words.iter().map(OsString::from).collect::<Vec<_>>());
        assert_eq!(words(&["build", "--color", "never"]), Some(Color::Never));
        assert_eq!(words(&["--color=never", "build", "--color=always"]), Some(Color::Always));
        assert_eq!(words(&["run", "--", "--color=always"]), None);
        assert_eq!(words(&["build", "--color"]), None);
        assert_eq!(words(&["build", "--color=pink"]), None);
    }

    #[test]
    fn addresses_of_files_have_no_letter_that_ends_them() {
        assert_eq!(address(Path::new("/a b/ä;.so")), "file:///a%20b/%C3%A4%3B.so");
    }
}
