//! Everything that is measured, built. Whoever can't be built is left out, by name and with the reason.

use crate::Outcome;
use crate::go;
use crate::process::{Runner, succeed};
use bench_runner::names;
use std::path::{Path, PathBuf};
use std::process::Command;

/// How much is done.
#[derive(Debug, Clone, Copy)]
pub struct Scale {
    /// Only to see that it works.
    pub quick: bool,
    /// How often everything is measured; none for each measurement's own number.
    pub rounds: Option<usize>,
}

impl Scale {
    pub fn rounds(self, usual: usize) -> usize {
        if self.quick { 1 } else { self.rounds.unwrap_or(usual) }
    }

    /// How many of something, where `few` are enough to see that it works.
    pub fn many(self, many: usize, few: usize) -> usize {
        if self.quick { few } else { many }
    }

    /// How many names are many.
    pub fn names(self) -> u32 {
        if self.quick { 500 } else { 10_000 }
    }

    /// Nanoseconds that one figure should take.
    pub fn sample(self, usual: f64) -> f64 {
        if self.quick { 1e5 } else { usual }
    }
}

/// One of those who are compared.
pub struct Peer {
    pub name: &'static str,
    /// The host that is asked.
    pub program: PathBuf,
    /// The plugin whose functions are called.
    pub calls: PathBuf,
    /// Plugins with 10 and with 10,000 functions.
    pub names: Option<[PathBuf; 2]>,
    /// The smallest plugin.
    pub trivial: PathBuf,
    /// Different plugins, all as small.
    pub copies: Vec<PathBuf>,
    /// One that doesn't fit.
    pub other: Option<PathBuf>,
    /// The smallest host, and what it needs beside the system's libraries.
    pub hello: Vec<PathBuf>,
    /// A program that says hello without plugins.
    pub plain: Option<PathBuf>,
}

/// All that is there.
pub struct Setup {
    pub repository: PathBuf,
    /// A folder for what is made on the way.
    pub work: PathBuf,
    pub scale: Scale,
    /// The built tool.
    pub tool: PathBuf,
    pub peers: Vec<Peer>,
    /// The same host by plain cargo, with the plugin linked in.
    pub linked: PathBuf,
    /// The host that opens what is signed, and plugins of a megabyte, signed.
    pub signed: (PathBuf, Vec<PathBuf>),
    /// The host with work of its own: by plain cargo, and sharing.
    pub sharing: [PathBuf; 2],
    /// The host whose plugins have processes of their own, and such a plugin.
    pub apart: (PathBuf, PathBuf),
    /// Who else calls into another process, by name.
    pub other_processes: Vec<(&'static str, PathBuf)>,
    /// Who is left out, and why.
    pub left_out: Vec<(String, String)>,
    /// Compilers and the like, for the report.
    pub versions: Vec<String>,
}

/// What dynplug is called in all tables.
pub const DYNPLUG: &str = "dynplug";

impl Setup {
    pub fn new(scale: Scale) -> Outcome<Setup> {
        let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize()?;
        let work = repository.join(if scale.quick { "target/bench/quick" } else { "target/bench" });
        std::fs::create_dir_all(&work)?;
        say("the tool");
        let mut cargo = Command::new("cargo");
        // The tests have the tool in this form already.
        let profile = if scale.quick { &["--profile", "dev"][..] } else { &["--release"] };
        cargo.args(["build", "--locked", "-p", "cargo-dynplug"]).args(profile);
        succeed(cargo.current_dir(&repository))?;
        let tool = repository
            .join(if scale.quick { "target/debug" } else { "target/release" })
            .join("cargo-dynplug");
        let mut setup = Setup {
            linked: PathBuf::new(),
            signed: (PathBuf::new(), Vec::new()),
            sharing: [PathBuf::new(), PathBuf::new()],
            apart: (PathBuf::new(), PathBuf::new()),
            other_processes: Vec::new(),
            peers: Vec::new(),
            left_out: Vec::new(),
            versions: vec![succeed(Command::new("rustc").arg("--version"))?.trim().to_owned()],
            repository,
            work,
            scale,
            tool,
        };
        setup.dynplug()?;
        setup.signed()?;
        setup.sharing()?;
        setup.apart()?;
        setup.peers_in_rust();
        setup.other_processes();
        match go::build(&setup) {
            Ok((peer, version)) => {
                setup.peers.push(peer);
                setup.versions.push(version);
            }
            Err(why) => setup.leave_out(go::NAME, &*why),
        }
        Ok(setup)
    }

    fn leave_out(&mut self, name: &str, why: &(dyn std::error::Error + 'static)) {
        let why = why.to_string();
        eprintln!("left out: {name}: {why}");
        self.left_out.push((name.to_owned(), why.lines().next().unwrap_or_default().to_owned()));
    }

    pub fn peer(&self, name: &str) -> Option<&Peer> {
        self.peers.iter().find(|peer| peer.name == name)
    }

    /// dynplug itself, which is always there.
    pub fn dynplug_peer(&self) -> Outcome<&Peer> {
        self.peer(DYNPLUG).ok_or_else(|| "dynplug was not built".into())
    }

    /// A call of the tool that puts its products into a folder of that name.
    pub fn tool(&self, words: &[&str], workspace: &Path, target: &Path) -> Command {
        let mut command = Command::new(&self.tool);
        command.arg("dynplug").args(words).current_dir(workspace).env("CARGO_TARGET_DIR", target);
        command.env(names::MANY, self.scale.names().to_string());
        command
    }

    /// A call of plain cargo.
    fn cargo(&self, words: &[&str], workspace: &str, target: &str) -> Command {
        let mut command = Command::new("cargo");
        command.args(words).arg("--release").current_dir(self.repository.join("bench").join(workspace));
        command.env("CARGO_TARGET_DIR", self.work.join(target));
        command.env(names::MANY, self.scale.names().to_string());
        if self.scale.quick {
            // Who only wants to see that it works needn't wait for optimisation.
            command.env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0");
        }
        command
    }

    fn dynplug(&mut self) -> Outcome<()> {
        say("dynplug");
        let workspace = self.repository.join("bench/dynplug");
        let target = self.work.join("dynplug");
        succeed(&mut self.tool(&["build", "--release", "--locked"], &workspace, &target))?;
        let products = target.join("dynplug/release");
        let plugin = |name: &str| products.join(format!("plugins/lib{name}.so"));
        let library = libraries(&products)?;
        let mut linked = self.cargo(
            &["build", "--locked", "-p", "bench-app", "--features", "linked"],
            "dynplug",
            "linked",
        );
        succeed(&mut linked)?;
        self.linked = self.work.join("linked/release/bench-app");
        let trivial = plugin("trivial");
        let copies = self.work.join("copies/dynplug");
        let peer = Peer {
            name: DYNPLUG,
            program: products.join("bench-app"),
            calls: plugin("calls"),
            names: Some([plugin("few"), plugin("many")]),
            copies: self.with_ids(&trivial, &copies, self.scale.many(1_000, 20))?,
            other: Some(self.for_another_host()?),
            hello: [vec![products.join("hello-dynplug")], library].concat(),
            plain: None,
            trivial,
        };
        self.peers.push(peer);
        Ok(())
    }

    /// Copies of a plugin that are different plugins, since each has an id of its own in its manifest.
    fn with_ids(&self, plugin: &Path, folder: &Path, count: usize) -> Outcome<Vec<PathBuf>> {
        let mut inspect = Command::new(&self.tool);
        let said = succeed(inspect.args(["dynplug", "inspect", "--json"]).arg(plugin))?;
        let said: serde_json::Value = serde_json::from_str(&said)?;
        let id = said["id"].as_str().ok_or("`inspect` names no id")?;
        let id: Vec<u8> = (0..id.len())
            .step_by(2)
            .map(|at| id.get(at..at + 2).and_then(|byte| u8::from_str_radix(byte, 16).ok()))
            .collect::<Option<_>>()
            .ok_or("the id is no hexadecimal number")?;
        let mut bytes = std::fs::read(plugin)?;
        let places: Vec<usize> =
            (0..bytes.len() - id.len()).filter(|&at| bytes[at..].starts_with(&id)).collect();
        if places.is_empty() {
            return Err("the plugin has no id in it".into());
        }
        self.copies(folder, count, |number, file| {
            for &at in &places {
                bytes[at..at + 4].copy_from_slice(&(number as u32).to_le_bytes());
            }
            std::fs::write(file, &bytes)
        })
    }

    fn copies(
        &self,
        folder: &Path,
        count: usize,
        mut write: impl FnMut(usize, &Path) -> std::io::Result<()>,
    ) -> Outcome<Vec<PathBuf>> {
        let _ = std::fs::remove_dir_all(folder);
        std::fs::create_dir_all(folder)?;
        let mut files = Vec::new();
        for number in 0..count {
            let file = folder.join(format!("libcopy{number}.so"));
            write(number, &file)?;
            files.push(file);
        }
        Ok(files)
    }

    /// The smallest plugin, built for a host whose API crate has one function more.
    fn for_another_host(&self) -> Outcome<PathBuf> {
        let (from, to) = (self.repository.join("bench/dynplug"), self.work.join("other"));
        let _ = std::fs::remove_dir_all(to.join("dynplug"));
        copy(&from, &to.join("dynplug"))?;
        copy(&self.repository.join("bench/runner"), &to.join("runner"))?;
        let manifest = to.join("dynplug/Cargo.toml");
        let crates = format!("'{}'", self.repository.join("crates/dynplug").display());
        let text = std::fs::read_to_string(&manifest)?.replace("\"../../crates/dynplug\"", &crates);
        std::fs::write(&manifest, text)?;
        let api = to.join("dynplug/api/src/lib.rs");
        let text = std::fs::read_to_string(&api)? + "\n/// Not in the other build.\npub fn more() {}\n";
        std::fs::write(&api, text)?;
        let target = to.join("target");
        succeed(&mut self.tool(&["build", "--release", "-p", "trivial"], &to.join("dynplug"), &target))?;
        Ok(target.join("dynplug/release/plugins/libtrivial.so"))
    }

    fn signed(&mut self) -> Outcome<()> {
        say("a host that opens what is signed");
        let (workspace, target) = (self.repository.join("bench/signed"), self.work.join("signed"));
        succeed(&mut self.tool(&["build", "--release", "--locked"], &workspace, &target))?;
        let products = target.join("dynplug/release");
        let folder = self.work.join("copies/signed");
        let files = self.with_ids(&products.join("plugins/liblarge.so"), &folder, self.scale.many(20, 4))?;
        succeed(&mut self.tool(&["keygen", "-W", "-p", "bench.pub", "-s", "bench.key"], &folder, &target))?;
        succeed(self.tool(&["sign", "-s", "bench.key"], &folder, &target).args(&files))?;
        self.signed = (products.join("signed-app"), files);
        Ok(())
    }

    fn sharing(&mut self) -> Outcome<()> {
        say("the host with work of its own");
        succeed(&mut self.cargo(&["build", "--locked", "-p", "sharing-app"], "sharing", "sharing-static"))?;
        let target = self.work.join("sharing");
        let mut shared =
            self.tool(&["build", "--release", "--locked"], &self.repository.join("bench/sharing"), &target);
        succeed(&mut shared)?;
        self.sharing = [
            self.work.join("sharing-static/release/sharing-app"),
            target.join("dynplug/release/sharing-app"),
        ];
        Ok(())
    }

    fn apart(&mut self) -> Outcome<()> {
        say("a plugin in a process of its own");
        let (workspace, target) = (self.repository.join("bench/apart"), self.work.join("apart"));
        succeed(&mut self.tool(&["build", "--release", "--locked"], &workspace, &target))?;
        let products = target.join("dynplug/release");
        self.apart = (products.join("apart-app"), products.join("plugins/libapart_calls.so"));
        Ok(())
    }

    fn other_processes(&mut self) {
        for (name, package) in [
            ("socketpair", "socketpair-host"),
            ("ipc-channel", "ipc-channel-host"),
            ("tarpc", "tarpc-host"),
            ("tonic", "tonic-host"),
        ] {
            say(name);
            match succeed(&mut self.cargo(&["build", "--locked", "-p", package], "peers", "peers")) {
                Ok(_) => {
                    self.other_processes.push((name, self.work.join("peers/release").join(package)));
                }
                Err(why) => self.leave_out(name, &*why),
            }
        }
    }

    fn peers_in_rust(&mut self) {
        let list: [(&'static str, &[&str], [&str; 5]); 4] = [
            (
                "libloading",
                &["c-plugin", "c-few", "c-many", "c-trivial", "libloading-host", "plain"],
                ["libloading-host", "c_plugin", "c", "hello-libloading", ""],
            ),
            (
                "dlopen2",
                &["c-plugin", "c-few", "c-many", "c-trivial", "dlopen2-host"],
                ["dlopen2-host", "c_plugin", "c", "hello-dlopen2", ""],
            ),
            (
                "abi_stable",
                &["abi-plugin", "abi-trivial", "abi-other", "abi-stable-host"],
                ["abi-stable-host", "abi_plugin", "abi", "hello-abi-stable", "abi_other"],
            ),
            (
                "stabby",
                &["stabby-plugin", "stabby-few", "stabby-many", "stabby-trivial", "stabby-host"],
                ["stabby-host", "stabby_plugin", "stabby", "hello-stabby", "stabby_trivial"],
            ),
        ];
        for (name, packages, files) in list {
            say(name);
            match self.peer_in_rust(name, packages, files) {
                Ok(peer) => self.peers.push(peer),
                Err(why) => self.leave_out(name, &*why),
            }
        }
        say("wasmtime");
        match self.wasmtime() {
            Ok(peer) => self.peers.push(peer),
            Err(why) => self.leave_out("wasmtime", &*why),
        }
    }

    fn peer_in_rust(
        &self,
        name: &'static str,
        packages: &[&str],
        [program, calls, family, hello, other]: [&str; 5],
    ) -> Outcome<Peer> {
        let mut words = vec!["build", "--locked"];
        for package in packages {
            words.extend(["-p", package]);
        }
        succeed(&mut self.cargo(&words, "peers", "peers"))?;
        let products = self.work.join("peers/release");
        let plugin = |name: &str| products.join(format!("lib{name}.so"));
        let trivial = plugin(&format!("{family}_trivial"));
        let count = self.scale.many(1_000, 20);
        let copies = self.copies(&self.work.join("copies").join(name), count, |_, file| {
            std::fs::copy(&trivial, file).map(|_| ())
        })?;
        let (few, many) = (plugin(&format!("{family}_few")), plugin(&format!("{family}_many")));
        Ok(Peer {
            name,
            program: products.join(program),
            calls: plugin(calls),
            names: packages.iter().any(|package| package.ends_with("-many")).then_some([few, many]),
            copies,
            other: (!other.is_empty()).then(|| plugin(other)),
            hello: vec![products.join(hello)],
            plain: packages.contains(&"plain").then(|| products.join("plain")),
            trivial,
        })
    }

    fn wasmtime(&self) -> Outcome<Peer> {
        const TARGET: &str = "wasm32-unknown-unknown";
        // Where rustup is and can have it.
        let _ = succeed(Command::new("rustup").args(["target", "add", TARGET]));
        let mut guest =
            self.cargo(&["build", "--locked", "-p", "wasm-guest", "--target", TARGET], "peers", "peers");
        // A guest without optimisation would be another guest.
        succeed(guest.env_remove("CARGO_PROFILE_RELEASE_OPT_LEVEL"))?;
        succeed(&mut self.cargo(&["build", "--locked", "-p", "wasmtime-host"], "peers", "peers"))?;
        let products = self.work.join("peers/release");
        let program = products.join("wasmtime-host");
        let text = "(module (func (export \"number\") (param i64) (result i64) \
                    (i64.add (local.get 0) (i64.const 1))))";
        let source = self.work.join("trivial.wat");
        std::fs::write(&source, text)?;
        Runner::start(&program)?.ask("prepare", 1, &source.display().to_string())??;
        let trivial = source.with_extension("cwasm");
        let count = self.scale.many(1_000, 20);
        let copies = self.copies(&self.work.join("copies/wasmtime"), count, |_, file| {
            std::fs::copy(&trivial, file).map(|_| ())
        })?;
        let calls = products.join("../").join(TARGET).join("release/wasm_guest.wasm");
        Ok(Peer {
            name: "wasmtime",
            program,
            // The host makes these by itself.
            names: Some([PathBuf::new(), PathBuf::new()]),
            calls,
            copies,
            other: Some(trivial.clone()),
            hello: vec![products.join("hello-wasmtime")],
            plain: None,
            trivial,
        })
    }
}

/// The shared libraries in a folder.
fn libraries(folder: &Path) -> Outcome<Vec<PathBuf>> {
    let files = std::fs::read_dir(folder)?.filter_map(|entry| Some(entry.ok()?.path()));
    Ok(files.filter(|file| file.extension().is_some_and(|ending| ending == "so")).collect())
}

/// Copies a folder of sources.
pub fn copy(from: &Path, to: &Path) -> Outcome<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        match entry.file_type()?.is_dir() {
            true if entry.file_name() == "target" => {}
            true => copy(&entry.path(), &target)?,
            false => drop(std::fs::copy(entry.path(), target)?),
        }
    }
    Ok(())
}

pub fn say(what: &str) {
    eprintln!("{what}");
}
