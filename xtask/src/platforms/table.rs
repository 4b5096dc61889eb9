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
    /// Whether plugins are loaded there, so that the example can be built and run.
    pub(super) loads: bool,
    /// The end-to-end tests that are run.
    pub(super) tests: Tests,
    /// What the table says if all of it ran.
    pub(super) ran: &'static str,
}

/// Which end-to-end tests are run for a target.
#[derive(Debug)]
pub(super) enum Tests {
    /// `cargo test` runs all of them.
    CargoTest,
    /// Those of [`ROWS`](super::promises::ROWS), for that target, and some others. Some are left out, each for a reason that
    /// was seen.
    Promises { others: &'static [&'static str], left_out: &'static [(&'static str, &'static str)] },
    /// These, which build for that target by themselves.
    Named(&'static [&'static str]),
}

/// In the order of the table.
pub(super) const PLATFORMS: &[Platform] = &[
    Platform {
        target: "x86_64-unknown-linux-gnu",
        system: "Linux, glibc",
        building: Some(Building {
            linker: None,
            runner: None,
            rustflags: "",
            loads: true,
            tests: Tests::CargoTest,
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
            loads: true,
            tests: Tests::Promises {
                others: &[],
                left_out: &[(
                    "life::ten_thousand_plugins_in_one_process_with_room_for_a_thousand_open_files",
                    "qemu takes longer than ten minutes for them",
                )],
            },
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
            loads: true,
            tests: Tests::Named(&["forms::a_static_program_has_its_plugins_with_musl"]),
            ran: "the example; plugins that are linked in: tests",
        }),
    },
    Platform { target: "aarch64-unknown-linux-musl", system: "Linux, musl", building: None },
    Platform {
        target: "x86_64-pc-windows-gnu",
        system: "Windows",
        building: Some(Building {
            linker: Some(("x86_64-w64-mingw32-gcc", "gcc-mingw-w64-x86-64")),
            runner: Some(("tests/wine/run", "wine64")),
            rustflags: "",
            loads: true,
            tests: Tests::Promises {
                others: &[
                    "windows::what_a_plugin_needs_is_looked_for_beside_it_and_not_where_the_host_stands",
                ],
                left_out: &[],
            },
            ran: "conformance tests, under wine",
        }),
    },
    Platform { target: "x86_64-pc-windows-msvc", system: "Windows", building: None },
    Platform { target: "x86_64-apple-darwin", system: "macOS", building: None },
    Platform { target: "aarch64-apple-darwin", system: "macOS", building: None },
    Platform { target: "x86_64-unknown-freebsd", system: "FreeBSD", building: None },
    Platform { target: "x86_64-unknown-netbsd", system: "NetBSD; plugins are linked in", building: None },
    Platform {
        target: "wasm32-wasip1",
        system: "WASI; plugins are linked in",
        building: Some(Building {
            linker: None,
            runner: Some(("node", "nodejs")),
            rustflags: "",
            loads: false,
            tests: Tests::Named(&[
                "unsupported::where_nothing_can_be_loaded_an_open_says_so_and_linked_in_plugins_work",
                "unsupported::where_nothing_can_be_loaded_the_crate_costs_nothing",
            ]),
            ran: "tests, under Node.js",
        }),
    },
];
