//! What `--help` has beyond the options: how it looks, what one may want to do, and examples.

use super::Cli;
use clap::builder::StyledStr;
use clap::builder::styling::{AnsiColor, Effects, Styles};
use clap::{Command, CommandFactory};
use std::fmt::Write;

/// As cargo's own help looks.
const STYLES: Styles = Styles::styled()
    .header(AnsiColor::BrightGreen.on_default().effects(Effects::BOLD))
    .usage(AnsiColor::BrightGreen.on_default().effects(Effects::BOLD))
    .literal(AnsiColor::BrightCyan.on_default().effects(Effects::BOLD))
    .placeholder(AnsiColor::Cyan.on_default())
    .error(AnsiColor::BrightRed.on_default().effects(Effects::BOLD))
    .valid(AnsiColor::BrightCyan.on_default().effects(Effects::BOLD))
    .invalid(AnsiColor::Yellow.on_default().effects(Effects::BOLD));

/// The subcommands, by what one wants to do.
const GROUPS: &[(&str, &[&str])] = &[
    ("Begin a project", &["new", "sync"]),
    ("Build and run", &["build", "run", "watch", "link", "clean"]),
    ("Test and look after the code", &["test", "clippy", "doc"]),
    ("Hand out", &["sdk", "bundle"]),
    ("Say whom to trust", &["keygen", "sign", "verify", "pin"]),
    ("Look at files", &["inspect", "check"]),
    ("Get help", &["explain", "help", "completions", "man"]),
];

/// What people do with each subcommand: in words, and as a command.
const EXAMPLES: &[(&str, &[(&str, &str)])] = &[
    (
        "new",
        &[
            ("A host with its API crate and a first plugin", "cargo dynplug new app --host"),
            ("A plugin for the host of an SDK", "cargo dynplug new hello --sdk app-api-0.1.0.sdk.tar.zst"),
            ("One more plugin, inside of the host's workspace", "cargo dynplug new plugins/hello"),
        ],
    ),
    (
        "build",
        &[
            ("Everything in the workspace", "cargo dynplug build"),
            ("One plugin, optimised", "cargo dynplug build -p hello --release"),
            ("A plugin for a host that is built elsewhere", "cargo dynplug build --sdk app-api.sdk.tar.zst"),
            ("Where the products lie, for a program", "cargo dynplug build --message-format json"),
        ],
    ),
    (
        "run",
        &[
            ("The host of the workspace", "cargo dynplug run"),
            ("One of several executables, with arguments", "cargo dynplug run --bin server -- --port 8080"),
        ],
    ),
    (
        "watch",
        &[
            ("The host with one plugin, and an argument", "cargo dynplug watch -p hello -- --port 8080"),
            ("A command after each build", "cargo dynplug watch --exec true"),
        ],
    ),
    (
        "test",
        &[
            ("All tests, those of hosts with the plugins at hand", "cargo dynplug test"),
            ("The tests of one plugin with `parse` in their names", "cargo dynplug test -p hello parse"),
            ("One integration test of a host", "cargo dynplug test -p app --test opens"),
            ("Arguments for the test executables", "cargo dynplug test -- --nocapture"),
        ],
    ),
    ("clippy", &[("Warnings are errors", "cargo dynplug clippy --all-targets -- -D warnings")]),
    ("doc", &[("In the browser", "cargo dynplug doc -p hello --open")]),
    (
        "sdk",
        &[
            ("For the release of a host", "cargo dynplug sdk --release"),
            ("Into a folder", "cargo dynplug sdk --release -o dist/"),
        ],
    ),
    (
        "bundle",
        &[
            ("The host with all plugins, in a folder", "cargo dynplug bundle --release -o app/"),
            (
                "As a packed archive, laid out as distributions have it",
                "cargo dynplug bundle -p app --release --layout fhs -o app.tar.zst",
            ),
            (
                "Without what only debuggers read, which goes elsewhere",
                "cargo dynplug bundle --release --debug-files debug/",
            ),
            ("With the plugins signed", "cargo dynplug bundle --release --sign release.key"),
            (
                "Plugins alone, with the API library that they need beside hosts of other versions",
                "cargo dynplug bundle --plugins",
            ),
        ],
    ),
    (
        "sync",
        &[
            ("Follow a newer SDK of the host", "cargo dynplug sync --sdk app-api.sdk.tar.zst"),
            ("In CI: whether the lock file is in step", "cargo dynplug sync --dry-run"),
        ],
    ),
    (
        "link",
        &[
            ("The host with a member of its workspace", "cargo dynplug link --with hello --release"),
            (
                "The host with plugins from a registry and a folder",
                "cargo dynplug link -p app --with hello@1.2 --with other=../other -o app-with-plugins",
            ),
        ],
    ),
    (
        "inspect",
        &[
            ("What a plugin exports, and for which host it is", "cargo dynplug inspect libhello.so"),
            ("The exports of many, by a program", "cargo dynplug inspect --json plugins/* | jq .exports"),
        ],
    ),
    (
        "check",
        &[
            ("Plugins that are to fit a host", "cargo dynplug check plugins/* --host target/dynplug/release"),
            (
                "A host that is not at hand, by its SDK",
                "cargo dynplug check libhello.so --sdk app-api.sdk.tar.zst",
            ),
        ],
    ),
    (
        "explain",
        &[
            ("A code that a build has printed", "cargo dynplug explain dynplug::no-sdk"),
            ("All codes", "cargo dynplug explain"),
        ],
    ),
    (
        "keygen",
        &[
            (
                "With a password, which you are asked for",
                "cargo dynplug keygen -p release.pub -s release.key",
            ),
            ("Without one, for a machine that signs by itself", "cargo dynplug keygen -W"),
        ],
    ),
    (
        "sign",
        &[
            ("A plugin", "cargo dynplug sign -s release.key libhello.so"),
            (
                "All of a build, for a year or so",
                "cargo dynplug sign -s release.key --expires 2027-12-31 target/dynplug/release/plugins/*.so",
            ),
        ],
    ),
    (
        "verify",
        &[
            ("By a public key in a file", "cargo dynplug verify -p release.pub libhello.so"),
            ("By pinned hashes", "cargo dynplug verify --pins plugins.sha256 libhello.so"),
        ],
    ),
    (
        "pin",
        &[
            ("Write a list, or bring it up to date", "cargo dynplug pin -o plugins.sha256 plugins/*.so"),
            ("Only look", "cargo dynplug pin libhello.so"),
        ],
    ),
    (
        "completions",
        &[
            (
                "bash; then source the file in ~/.bashrc",
                "cargo dynplug completions bash > ~/.local/share/cargo-dynplug.bash",
            ),
            ("fish", "cargo dynplug completions fish > ~/.config/fish/conf.d/cargo-dynplug.fish"),
        ],
    ),
    (
        "clean",
        &[
            ("What was made of one plugin", "cargo dynplug clean -p hello"),
            ("How much it is", "cargo dynplug clean -n"),
        ],
    ),
    (
        "man",
        &[
            ("For the user", "cargo dynplug man -o ~/.local/share/man/man1"),
            ("One page, now", "cargo dynplug man build | man -l -"),
        ],
    ),
];

/// The command line, with all that `--help` says.
pub fn command() -> Command {
    let mut command = Cli::command().styles(STYLES);
    for (name, examples) in EXAMPLES {
        command = command.mut_subcommand(name, |sub| sub.after_long_help(shown(examples)));
    }
    let template = template(&command);
    command.help_template(template)
}

fn shown(examples: &[(&str, &str)]) -> StyledStr {
    let (header, literal) = (STYLES.get_header(), STYLES.get_literal());
    let mut out = StyledStr::new();
    // Writing to a string can't fail.
    let _ = write!(out, "{header}Examples:{header:#}");
    for (what, command) in examples {
        let _ = write!(out, "\n  {what}:\n    {literal}{command}{literal:#}");
    }
    out
}

/// The help of the program itself: the subcommands in their groups, then the options of all.
fn template(command: &Command) -> StyledStr {
    let (header, literal) = (STYLES.get_header(), STYLES.get_literal());
    let mut out = StyledStr::new();
    let _ = write!(out, "{{about-with-newline}}\n{{usage-heading}} {{usage}}\n");
    for (title, rows) in grouped(command) {
        let _ = write!(out, "\n{header}{title}:{header:#}\n");
        for (name, about) in rows {
            let _ = writeln!(out, "  {literal}{name:<11}{literal:#}  {about}");
        }
    }
    let _ = write!(out, "\n{header}Options:{header:#}\n{{options}}\n\n");
    let _ = write!(
        out,
        "`{literal}cargo dynplug help <COMMAND>{literal:#}` says more of a command, with examples."
    );
    out
}

/// The groups that have a subcommand, with a line on each.
fn grouped(command: &Command) -> Vec<(&'static str, Vec<(String, String)>)> {
    let row = |name: &str| -> Option<(String, String)> {
        let about = match name {
            "help" => "Say what a command does, and its options".to_owned(),
            _ => command.find_subcommand(name)?.get_about()?.to_string(),
        };
        Some((name.to_owned(), about))
    };
    let group = |(title, names): &(&'static str, &[&str])| {
        let rows: Vec<_> = names.iter().filter_map(|name| row(name)).collect();
        (!rows.is_empty()).then_some((*title, rows))
    };
    GROUPS.iter().filter_map(group).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_subcommand_has_a_group_and_an_example_that_is_understood() {
        let command = command();
        for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
            let name = sub.get_name();
            assert!(GROUPS.iter().any(|(_, names)| names.contains(&name)), "{name}: no group");
            assert!(EXAMPLES.iter().any(|(n, _)| *n == name), "{name}: no example");
            assert!(sub.get_long_about().is_some(), "{name}: the long help says no more than the short");
        }
        for (name, examples) in EXAMPLES {
            for (_, example) in *examples {
                let words = example.split(" | ").next().unwrap().split(" > ").next().unwrap();
                let words = words.split(' ').skip(1);
                let parsed = super::super::parse(words.map(Into::into).collect());
                assert!(parsed.is_ok(), "{name}: `{example}`: {}", parsed.unwrap_err());
            }
        }
    }

    #[test]
    fn help_for_pipes_has_no_colours_and_long_help_has_groups_and_examples() {
        let help = command().render_long_help().to_string();
        for (title, _) in GROUPS {
            assert!(help.contains(&format!("{title}:\n")), "{help}");
        }
        let mut command = command();
        command.build();
        let sub = command.find_subcommand_mut("build").unwrap();
        let help = sub.render_long_help().to_string();
        assert!(!help.contains('\u{1b}'));
        for part in ["Packages:", "Features:", "Compilation:", "Places:", "Output:", "Examples:"] {
            assert!(help.contains(part), "{part}\n{help}");
        }
        assert!(!sub.render_help().to_string().contains("Examples:"));
    }
}
