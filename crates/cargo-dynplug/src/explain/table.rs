//! Everything that this program says of a build, as a table: code, title, explanation, remedy. What opening a plugin says
//! has a table of its own, [`dynplug_manifest::diagnostics`].

/// One thing that is said.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    /// The stable name.
    pub(super) name: &'static str,
    /// The matter in a clause.
    pub(super) title: &'static str,
    /// A paragraph for somebody who meets it for the first time.
    pub(super) explanation: &'static str,
    /// What to do.
    pub(super) remedy: &'static str,
    /// What else to do where the plugin was built with an SDK.
    pub(super) with_sdk: Option<&'static str>,
}

const fn entry(
    name: &'static str,
    title: &'static str,
    explanation: &'static str,
    remedy: &'static str,
) -> Entry {
    Entry { name, title, explanation, remedy, with_sdk: None }
}

/// In the order of the names.
pub(super) const TABLE: &[Entry] = &[
    entry(
        "api-not-named",
        "the code never names its API crate",
        "rustc links a crate only if the code names it, whatever Cargo.toml says. A host or plugin that never names the API \
         crate would be linked with a std, an allocator and statics of its own, and share nothing. `#[export]` and `#[init]` \
         name it by themselves.",
        "Add `use API_CRATE as _;` to the host's src/main.rs or the plugin's src/lib.rs.",
    ),
    entry(
        "archive-format",
        "archives of this kind aren't made here",
        "A bundle is a folder, FILE.tar.zst, or FILE.tar, which other programs compress as they like.",
        "Name one of these, or pack the folder with a program of your own.",
    ),
    entry(
        "bad-bundle",
        "a plugin in the bundle does not fit the host in it",
        "Before a bundle is put into its place, each plugin in it is compared with the host in it, as opening it would. \
         Here one does not fit, in the words of the note. Nothing was put anywhere.",
        "Remove the folder target/dynplug/build and build again. If it happens again, it is a mistake of this program.",
    ),
    entry(
        "bad-product",
        "what was linked is not what it should be",
        "Every API library, host and plugin is read again after it was linked: its manifest must be there and whole, and it \
         must need the API library. Here the linker did otherwise, and the file was removed.",
        "Look for linker options (`-C link-arg`, `-C linker`, a linker script) that drop or change sections.",
    ),
    entry(
        "bad-time",
        "SOURCE_DATE_EPOCH is no time",
        "The files in an archive have the time that this variable says, so that the same sources make the same archive. \
         It has to be a number of seconds since 1970.",
        "Set it to such a number (`git log -1 --format=%ct` prints one), or don't set it.",
    ),
    entry(
        "bad-trust-file",
        "keys or pins can't be read",
        "What is to be trusted is named by files: public keys of minisign's, and lists of `sha256sum`'s. One of them can't be \
         read, or is something else, as the note says.",
        "Name the file that ends in `.pub`, or the key itself; a list is written by `cargo dynplug pin`.",
    ),
    entry(
        "bundle-file",
        "two files of a bundle would have one path",
        "Hosts lie side by side in a bundle, and so do plugins. Here two have the same name, or one has that of a file \
         which every bundle has.",
        "Give one of the executables or plugins another name.",
    ),
    entry(
        "cannot-strip",
        "nothing can be left out of a file",
        "Files are stripped by leaving out what lies behind all that the system maps, and by reading them again \
         afterwards. This one is of a form that this isn't done for, as the note says.",
        "Leave `--strip` away, and let the profile in Cargo.toml do it: `strip = \"debuginfo\"` or `strip = \
         \"symbols\"`.",
    ),
    entry(
        "cargo",
        "cargo did not do what it was asked for",
        "`cargo dynplug new` lets cargo begin the project, since it knows which names are allowed. The note has its words.",
        "Do as cargo says.",
    ),
    entry(
        "cargo-failed",
        "a compilation failed",
        "cargo and the compiler have said why, above.",
        "Mend what they name.",
    ),
    entry(
        "cargo-metadata",
        "cargo can't read the workspace",
        "Before anything is built, `cargo metadata` is asked which packages there are. It failed, in the words of the note.",
        "Mend Cargo.toml; `cargo metadata` alone says the same.",
    ),
    entry(
        "damaged",
        "a file of an earlier build is damaged",
        "The build keeps descriptions beside what it compiles. One of them can't be read: a disk was full, perhaps, or \
         something else wrote there.",
        "Remove the folder target/dynplug/build and build again.",
    ),
    entry(
        "damaged-lock",
        "the lock file can't be read",
        "Cargo.lock has to be in the format 3 or 4 of cargo, and whole.",
        "Let cargo write it anew: `cargo generate-lockfile`.",
    ),
    entry(
        "damaged-sdk",
        "the SDK is damaged",
        "The archive ends early, its sums don't agree, or it holds something that no SDK holds. Nothing of it was kept.",
        "Get the file again. Compare its size and its SHA-256 with those of whoever made it.",
    ),
    entry(
        "debug-files",
        "the debug information can't be put there",
        "`--debug-files` names the folder for what `--strip` takes out of the files. Something has to be taken out, and \
         the folder is not a part of the bundle.",
        "Name a folder beside the bundle, and leave `--strip` away or give `debuginfo` or `symbols`.",
    ),
    entry(
        "exported-twice",
        "one name is exported twice",
        "Hosts find exports by their names, so a plugin has each of them once.",
        "Give one of them another name: `#[export(name = \"…\")]`.",
    ),
    entry(
        "host-without-library",
        "the host's package has no library",
        "`cargo dynplug link` makes an executable that calls the host's `main` and names the plugins. Another crate can call \
         `main` only if it is in a library.",
        "Move the program to src/lib.rs, with `pub fn main()`, and let src/main.rs call it.",
    ),
    entry(
        "key-exists",
        "there is a key already",
        "A secret key that is gone can't be made again, and hosts trust the one that they know. So `keygen` replaces none.",
        "Name other files with `--public` and `--secret`, or move the old keys away.",
    ),
    entry(
        "lto-overridden",
        "link-time optimisation is not used",
        "Host, API library and plugins are linked apart from each other, so there is no one program to optimise.",
        "Nothing need be done. A host with plugins linked in (`cargo dynplug link`) is one program, and is optimised as one.",
    ),
    entry(
        "missing-feature",
        "a shared crate is wanted with a feature that the API library lacks",
        "One process has one copy of a shared crate, so its features are the same for the host and all plugins. The plugin, or \
         something that it depends on, wants one more. The note says who.",
        "Enable the feature in the API crate, or ask the host's authors to; or take it out of the plugin; or, where only the \
         tests of a host want it, enable it for these by a feature of the API crate: \
         `cargo dynplug test --features API/NAME`; or let the plugin have \
         a copy of its own: `[package.metadata.dynplug] private = [\"CRATE\"]`.",
    ),
    entry(
        "no-api-crate",
        "there is no API crate",
        "The API crate is the host's crate that plugins compile against: a `dylib` that depends on `dynplug`, and that the host \
         depends on.",
        "Add a library crate that depends on `dynplug`, with `crate-type = [\"lib\", \"dylib\"]`, and let host and plugins depend \
         on it. `cargo dynplug new NAME --host` makes a workspace that has all of it.",
    ),
    entry(
        "no-dynplug",
        "the package `dynplug` isn't there",
        "A new host depends on `dynplug` by its folder, and a new member by what the workspace has.",
        "Name the folder: `--dynplug PATH`.",
    ),
    entry(
        "no-exports",
        "a plugin exports nothing and has no init function",
        "No host can find anything in it. That is seldom meant.",
        "Mark what hosts are to find with `#[dynplug::export]`.",
    ),
    entry(
        "no-host",
        "there is no host",
        "A host is a package of the workspace with an executable that depends on the API crate.",
        "Add one, or name the workspace that has it: `--manifest-path`.",
    ),
    entry(
        "no-identity",
        "the identity of a library can't be told",
        "An identity is computed over everything that was compiled. Of one crate nothing is known, as if it had been compiled \
         without this program.",
        "Remove the folder target/dynplug/build and build again.",
    ),
    entry(
        "no-licence",
        "crates in a bundle say nothing of their licence",
        "Whoever passes a program on has to know the licences of all that is inside. Cargo.toml of these packages has \
         neither `license` nor `license-file`, and no text of a licence lies in them or in the workspace around.",
        "Say it in Cargo.toml, or put the text beside it. With `--deny-unlicensed` it is an error.",
    ),
    entry(
        "no-licence-text",
        "crates in a bundle have no text of their licence",
        "Cargo.toml of these packages names a licence, but no text of it was published with them. Many licences ask for \
         their text to be passed on.",
        "Add the texts, from where the package is developed, to what you pass on; THIRD-PARTY.md in the bundle says \
         where that is.",
    ),
    entry(
        "no-member",
        "the workspace does not take the new plugin for a member",
        "The folder lies in the workspace, but its Cargo.toml leaves it out.",
        "See `members` and `exclude` in the workspace's Cargo.toml.",
    ),
    entry(
        "no-plugin",
        "there is no plugin",
        "A plugin is a package whose library is a `cdylib` and that depends on the API crate or on `dynplug`.",
        "Add to its Cargo.toml `[lib]` with `crate-type = [\"lib\", \"cdylib\"]`, and the dependencies.",
    ),
    entry(
        "no-runner",
        "there is no program that runs plugins in processes of their own",
        "An API crate whose `dynplug` has the feature `process` lets hosts run plugins in processes of their own. Such a process \
         runs the program `dynplug-runner`, which is installed with this one and put beside the host. It isn't there. Or the host is \
         for another target, for which it has to be compiled once. Everything else works.",
        "Run the command that the message names. For another target it puts the program where this one looks for it, and each build \
         and bundle for that target has it from then on.",
    ),
    entry(
        "no-sdk",
        "there is no SDK",
        "An SDK is a file that the host's authors make by `cargo dynplug sdk`, or the folder that it was unpacked to.",
        "Name it: `--sdk PATH`, the variable DYNPLUG_SDK, or `sdk = \"PATH\"` in `[package.metadata.dynplug]`.",
    ),
    entry(
        "not-signable",
        "the file is no plugin",
        "What is signed or pinned here are plugins, libraries that plugins share, and API libraries that plugins bring for a process of \
         their own: that is what a host's policy asks for.",
        "Name a file from the folder `plugins` that `cargo dynplug build` makes; `minisign -S` signs any file.",
    ),
    entry(
        "not-utf8",
        "an argument of the compiler is no Unicode",
        "cargo called rustc with an argument that has bytes which are no UTF-8, a path for example. This program takes the \
         arguments apart, and can't tell what they are.",
        "Give the file or folder another name.",
    ),
    entry(
        "other-compiler",
        "the SDK was made with another compiler",
        "A compiler reads the metadata of no other version, so plugins are compiled with the host's.",
        "Install it: `rustup toolchain install VERSION`. It is used by itself then.",
    ),
    entry(
        "other-source",
        "a shared crate is taken from elsewhere than the host takes it from",
        "The host shares a crate of this name and version, but from another place: a `[patch]`, a repository, a folder. The two \
         are not the same crate.",
        "Take it from where the host does; or ask for a copy of the plugin's own: `private = [\"CRATE\"]` in \
         `[package.metadata.dynplug]`.",
    ),
    entry(
        "other-version",
        "the lock file has another version of a shared crate than the host",
        "cargo takes two compatible versions for one crate, and a process has one copy of it: the host's.",
        "`cargo dynplug sync` sets the lock file to the host's versions. Where something wants a newer one, lower that, or ask \
         for a copy of the plugin's own: `private = [\"CRATE\"]` in `[package.metadata.dynplug]`.",
    ),
    entry(
        "panic-overridden",
        "panics unwind, whatever the profile says",
        "A panic in a plugin is to be caught by the host, so nothing that is shared is compiled with `panic = \"abort\"`.",
        "Nothing need be done. In a host with plugins linked in (`cargo dynplug link`) the profile holds.",
    ),
    entry(
        "partial-build",
        "the outcome has parts of two builds",
        "With `-p` only some packages were built, and the API library has changed since the others were, by its sources, its \
         dependencies or the compiler. Each part works with those of its own build; a host refuses plugins of the other.",
        "Build everything, without `-p`; or build the rest with `-p` as well.",
    ),
    entry(
        "password",
        "there is no password",
        "The secret key is locked, and nobody could be asked for its password; or the one for a new key is empty, or the two that were \
         given differ.",
        "Use `--password-file` or the environment variable `DYNPLUG_KEY_PASSWORD`, or run it on a terminal; `keygen -W` makes a key \
         without a password.",
    ),
    entry(
        "sdk-file",
        "a file can't be part of an SDK",
        "An SDK is unpacked on other systems too: names are UTF-8 without backslashes, and nothing but files and folders is in \
         it.",
        "Rename the file, or leave it out of the package (`exclude` in its Cargo.toml).",
    ),
    entry(
        "sdk-format",
        "the SDK has another format",
        "It was made by a version of cargo-dynplug that writes another format than this one reads.",
        "Make it anew with this version, or build with the version that made it.",
    ),
    entry(
        "sdk-profile",
        "a plugin is built with optimisations for a host without",
        "A plugin fits the hosts that were built in the profile of its SDK, whatever its own profile is. An SDK of the profile \
         `dev` is for hosts that their authors try; what is published is built with `--release`, and its SDK too.",
        "Ask for the SDK that was made with the host: `cargo dynplug sdk --release`.",
    ),
    entry(
        "sdk-source",
        "the SDK can't hold the source of a package",
        "The sources of path packages go into an SDK as cargo would publish them, and what cargo would publish lacks the \
         package's root.",
        "See `cargo package --list` there: what is ignored, excluded or outside of the package's folder is not packaged.",
    ),
    entry(
        "sdk-target",
        "the SDK is for another target",
        "An SDK holds compiled code, so there is one for each target.",
        "Get the host's SDK for this target, or build for that one.",
    ),
    entry(
        "sdk-tool",
        "the SDK was made by another version of cargo-dynplug",
        "How crates are named and compiled is this program's affair, and may change with its version.",
        "Install the version that made it, or ask for an SDK that this version has made.",
    ),
    entry(
        "second-allocator",
        "there is a second `#[global_allocator]`",
        "One process has one allocator. With two, memory would be taken from one and given back to the other.",
        "Put it into the API crate: there it serves the host and every plugin.",
    ),
    entry(
        "second-dynplug",
        "a host and a plugin that is linked in depend on two copies of `dynplug`",
        "In one program two versions, or two folders, of a package are two crates. Each would open plugins, and start them, \
         for itself, and the types of two API crates don't mix.",
        "Let the plugin depend on the `dynplug` of the host, and on the host's API crate.",
    ),
    entry(
        "secret-key",
        "the secret key can't be used",
        "The file is no secret key of minisign's, or it is damaged.",
        "Name the file that `keygen` or `minisign -G` has made beside the public key.",
    ),
    entry(
        "several-api-crates",
        "more than one crate could be the API crate",
        "Two crates of the workspace are a `dylib`, depend on `dynplug`, and have hosts above them, and neither holds the other.",
        "Say which: `--api NAME`.",
    ),
    entry(
        "several-hosts",
        "there are several hosts, or several executables",
        "Only one can be run or linked.",
        "Say which: `-p NAME`, `--bin NAME`, or `default-run` in the package's Cargo.toml.",
    ),
    entry(
        "several-sdks",
        "there are several SDKs to choose from",
        "Packages that are built together name different SDKs, or a folder holds several for one target.",
        "Build the packages one by one with `-p`, or name the file: `--sdk FILE`.",
    ),
    entry(
        "several-targets",
        "cargo's configuration names several targets",
        "One build is for one target: API library, hosts and plugins of one target fit together, and an SDK is for one. \
         `build.target` in cargo's configuration may list several.",
        "Say which, with `--target TRIPLE`, and build once for each.",
    ),
    entry(
        "shared-name",
        "a C name is defined that the API library exports too",
        "One process has one meaning for a C name. Which of the two is called would depend on how it was compiled.",
        "Rename it, make it `static` or hidden, or use the one in the API library.",
    ),
    entry(
        "soft-float",
        "the target feature `soft-float` changes how functions are called",
        "rustc only warns of it, and what is computed across the border of two libraries is wrong.",
        "Take it out of the rustflags, or build for a target whose ABI is soft-float.",
    ),
    entry(
        "static-target",
        "programs for the target are linked statically, and load nothing",
        "For some targets, those with musl among them, rustc links the C library into the program, unless it is told \
         otherwise. Such a program has no loader, and rustc makes no shared libraries for it.",
        "Set `-C target-feature=-crt-static` in the rustflags of everything, where the system that it is for has a shared C \
         library; or link the plugins in, with `cargo dynplug link`.",
    ),
    entry(
        "system",
        "the system refused something",
        "A file could not be read or written, or a program could not be run. The note has the system's words.",
        "See to permissions, space on the disk, and whether the program is installed.",
    ),
    entry(
        "system-library",
        "a bundle needs a library that not every system has",
        "Something inside is linked with a library of the system that is not part of libc or of the compiler. Where it \
         is missing, or another version of it is there, the host or plugin doesn't start.",
        "Tell those who install it, or let a distribution's package depend on it; or link it statically, as many `-sys` \
         crates can with a feature such as `vendored` or `bundled`.",
    ),
    entry(
        "taken",
        "there is something already where the project is to be made",
        "`cargo dynplug new` overwrites nothing.",
        "Choose another folder, or remove what is there.",
    ),
    entry(
        "target-file",
        "a file describes the target",
        "Everything that is built says by the target's name for which machine it is, and what fits what is decided by that. A \
         description in a file of one's own may change while its name stays.",
        "Build for one of the targets that `rustc --print target-list` prints.",
    ),
    entry(
        "target-without-std",
        "the toolchain has no standard library for the target",
        "std goes into the API library, so there has to be one for the target. Toolchains bring one for the machine that they \
         run on, and others can be added; for the rest cargo compiles it, if it is told to, as one of the crates of the build. \
         Plugins are then compiled against the std in the SDK, and nobody else needs its source.",
        "`rustup target add TRIPLE`; or `-Z build-std`, for which cargo wants a nightly toolchain and rustup's component \
         `rust-src`.",
    ),
    entry(
        "test-failed",
        "a test failed",
        "The tests were compiled and run, and at least one failed; it has said above what went wrong. What follows `to rerun \
         pass` are the options with which that executable alone, or those documentation tests, are run again. Without \
         `--no-fail-fast` the executables after it weren't run.",
        "Mend what the test found, or the test. `RUST_BACKTRACE=1` shows where a panic came from.",
    ),
    entry(
        "too-many-exports",
        "a library would export more names than Windows has numbers for",
        "A library exports all that plugins may call, of all its crates. On Windows each export has a number of 16 bits. \
         Without optimisation there is more to export, since what generic functions are compiled to is shared then.",
        "Build with `--release`, let the dependencies be optimised in the profile, or name fewer crates in the API crate.",
    ),
    entry(
        "tool-version",
        "`dynplug` has another version than this program",
        "Runtime and build tool belong together: what one writes, the other reads.",
        "Build cargo-dynplug of the same sources, or depend on the version that this program has.",
    ),
    entry(
        "toolchain",
        "another toolchain is used, or installed",
        "A plugin is compiled with the compiler of its host's SDK.",
        "Nothing need be done.",
    ),
    entry(
        "unknown-code",
        "there is no such code",
        "`cargo dynplug explain` takes the code of an error, as it is printed in brackets: `error[dynplug::no-sdk]`.",
        "`cargo dynplug explain` without a code lists all.",
    ),
    entry(
        "unknown-feature",
        "no package that is built has the feature",
        "What is asked for on the command line must be a feature of a package that is built. With `-p` that is one of the \
         packages which it names; the API crate, which is built with everything, and hosts are named with the feature.",
        "Look at `[features]`; `package/feature` names one of a certain package.",
    ),
    entry(
        "unknown-host",
        "there is no executable of that name",
        "`--bin` names an executable of a host, and `-p` a host or one of its executables. Plugins are no programs.",
        "The note lists those that there are.",
    ),
    entry(
        "unknown-key",
        "a Cargo.toml says something to dynplug that it doesn't know",
        "`[package.metadata.dynplug]` may have `sdk` and `private`, `[workspace.metadata.dynplug]` may have `sdk`. Whatever else \
         stands there changes nothing, and is most often misspelt.",
        "Correct the name, or take the line away.",
    ),
    entry(
        "unknown-package",
        "the workspace has no package of that name",
        "`-p` names packages of the workspace.",
        "The note lists those that there are.",
    ),
    entry(
        "unknown-plugin",
        "`--with` names no plugin",
        "A plugin that is to be linked in is a member of the workspace, a package of a registry, a folder, or a repository.",
        "Write `NAME`, `NAME@VERSION`, `NAME=PATH` or `NAME=URL`.",
    ),
    entry(
        "unknown-profile",
        "there is no profile of that name",
        "`--profile` names one of cargo's own profiles (dev, release, test, bench) or one that the workspace's Cargo.toml or \
         cargo's configuration has.",
        "Correct the name, or add `[profile.NAME]` with `inherits = \"release\"` to the Cargo.toml of the workspace.",
    ),
    entry(
        "unknown-subcommand",
        "there is no subcommand of that name",
        "`man` prints the page of a subcommand, by its name in `cargo dynplug --help`.",
        "Correct the name, or leave it away for the page of the program.",
    ),
    entry(
        "unknown-target",
        "no tested package has the target that is asked for",
        "`--lib`, `--bin`, `--example`, `--test` and `--doc` narrow a run of tests to some of cargo's targets. Of the packages that \
         are tested, none has such a target.",
        "The note lists what there is. With `-p` other packages are tested; API crate, hosts and plugins have tests here.",
    ),
    entry(
        "unknown-triple",
        "rustc knows no target of that name",
        "`--target`, or `build.target` in cargo's configuration, names one of the compiler's own targets.",
        "Correct the name: `rustc --print target-list` prints those that there are.",
    ),
    entry(
        "unnamed-dependency",
        "the API crate has a dependency that its code never names",
        "rustc leaves out of a library what is never named. So the crate is not shared, and each plugin gets its own copy.",
        "To share it, add `pub use CRATE;` to the API crate; otherwise take it out of its Cargo.toml.",
    ),
    entry(
        "unsupported",
        "that can't be done for this target yet",
        "The build does not know the target's file format well enough.",
        "See the table of supported systems in the README. Plugins can be linked in on any system: `cargo dynplug link`.",
    ),
    entry(
        "usage",
        "the command line can't be understood",
        "There is no such subcommand or option, or a value is missing or is none of those that are allowed. People get the same \
         with the usage; with `--message-format json` it is a message.",
        "`cargo dynplug help COMMAND` says what there is.",
    ),
    entry(
        "watch",
        "files can't be watched for changes",
        "`cargo dynplug watch` lets the system tell it of changes. Systems have a limit for that, and some file systems (of other \
         machines, for example) tell nothing.",
        "Look at the files again and again: `--poll`. On Linux the limit is the setting fs.inotify.max_user_watches.",
    ),
    entry(
        "wrong-password",
        "the secret key can't be unlocked",
        "The password isn't the one that the key was locked with.",
        "`--password-file` names a file whose first line is the password, and comes before the environment variable \
         `DYNPLUG_KEY_PASSWORD`; without both it is asked for.",
    ),
];
