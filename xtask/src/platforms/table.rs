//! The targets, what each takes, and what is expected of it.

/// A target.
#[derive(Debug)]
pub(super) struct Platform {
    pub(super) target: &'static str,
    /// The system, as people call it.
    pub(super) system: &'static str,
    /// What builds for it; none where no machine but such a one can.
    pub(super) building: Option<Building>,
}

/// What builds for a target, and runs what was built.
#[derive(Debug)]
pub(super) struct Building {
    /// The linker, which is the C compiler too, and the package that has it.
    pub(super) linker: Option<(&'static str, &'static str)>,
    /// The program that runs programs of the target, with arguments, and the package that has it. A path is one below the
    /// repository, and of a program that wants what the package has.
    pub(super) runner: Option<(&'static str, &'static str)>,
    /// Flags for rustc.
    pub(super) rustflags: &'static str,
    /// The modules of the end-to-end tests that are run.
    pub(super) tests: &'static [&'static str],
    /// Parts of the names of those that are left out, each with the reason.
    pub(super) left_out: &'static [(&'static str, &'static str)],
    /// What the table says if all of it ran.
    pub(super) ran: &'static str,
}

/// The tests of opening and looking up, of host and plugins as one program, and of what would kill a host: the rows A, B1 to
/// B4, B7 to B10, C1, C2, C4, C5, C7 and C10 of docs/promises.md.
const CONFORMANCE: &[&str] = &[
    "apart::",
    "changed_api::",
    "contract::",
    "copies::",
    "forms::many_threads",
    "forms::plugins_that_open",
    "forms::what_does_not_start",
    "hostile::",
    "life::",
];

/// In the order of the table.
pub(super) const PLATFORMS: &[Platform] = &[
    Platform {
        target: "x86_64-unknown-linux-gnu",
        system: "Linux, glibc",
        building: Some(Building {
            linker: None,
            runner: None,
            rustflags: "",
            // They are `cargo test`.
            tests: &[],
            left_out: &[],
            ran: "all tests",
        }),
    },
    Platform {
        target: "aarch64-unknown-linux-gnu",
        system: "Linux, glibc",
        building: Some(Building {
            linker: Some(("aarch64-linux-gnu-gcc", "gcc-aarch64-linux-gnu")),
            runner: Some(("qemu-aarch64 -L /usr/aarch64-linux-gnu", "qemu-user")),
            rustflags: "",
            tests: CONFORMANCE,
            left_out: &[("ten_thousand_plugins", "qemu takes longer than ten minutes for them")],
            ran: "conformance tests, under qemu",
        }),
    },
    Platform {
        target: "x86_64-unknown-linux-musl",
        system: "Linux, musl",
        building: Some(Building {
            linker: Some(("musl-gcc", "musl-tools")),
            runner: None,
            rustflags: "-Ctarget-feature=-crt-static",
            tests: &[],
            left_out: &[],
            ran: "the example; plugins that are linked in: tests",
        }),
    },
    Platform {
        target: "x86_64-pc-windows-gnu",
        system: "Windows",
        building: Some(Building {
            linker: Some(("x86_64-w64-mingw32-gcc", "gcc-mingw-w64-x86-64")),
            runner: Some(("tests/wine/run", "wine64")),
            rustflags: "",
            tests: CONFORMANCE,
            left_out: &[
                ("a_symbolic_link", "wine makes no symbolic links"),
                ("ten_thousand_plugins", "it is about how many files Linux lets a process have open"),
                (
                    "a_stack_that_ends_in_a_plugin",
                    "wine ends the thread that has no stack left, and not the program",
                ),
                ("stacks_of_plugin_frames", "the main thread's stack has 2 MB on Windows"),
            ],
            ran: "conformance tests, under wine",
        }),
    },
    Platform { target: "x86_64-apple-darwin", system: "macOS", building: None },
    Platform { target: "aarch64-apple-darwin", system: "macOS", building: None },
    Platform { target: "x86_64-unknown-freebsd", system: "FreeBSD", building: None },
];
