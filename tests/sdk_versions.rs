//! Versions and features of what a plugin built with an SDK uses: those of the host are shared, others are said or
//! private.

use crate::harness::{Call, Fixture, Kind, skipped};
use crate::registry::{Published, Registry};
use crate::sdk::{HOST, sdk_of};
use std::sync::LazyLock;

const MEASURE: &str = "use std::sync::atomic::{AtomicU32, Ordering};\n\
    static COUNT: AtomicU32 = AtomicU32::new(0);\n\
    /// A type of this crate.\n#[derive(Debug, Default)]\npub struct Length(pub u32);\n\
    pub fn count() -> u32 { COUNT.fetch_add(1, Ordering::SeqCst) + 1 }\n\
    pub const VERSION: &str = env!(\"CARGO_PKG_VERSION\");\n\
    #[cfg(feature = \"fine\")]\npub fn fine() {}\n";

/// A host that shares `measure` 1.1.0 without its feature, and the registry with more of it.
struct Shared {
    host: Fixture,
    registry: Registry,
}

static SHARED: LazyLock<Option<Shared>> = LazyLock::new(|| {
    let host = Fixture::empty("sdk-versions");
    let registry = Registry::new(&host)?;
    let measure = |version| Published {
        name: "measure",
        version,
        features: &["fine"],
        source: MEASURE,
        ..Published::default()
    };
    let wraps = |name, dependencies| Published {
        name,
        version: "1.0.0",
        dependencies,
        source: "pub use measure::VERSION;\n",
        ..Published::default()
    };
    registry.publish(&host, &[measure("1.0.0"), measure("1.1.0")]);
    let api = "pub use dynplug;\npub use measure;\n\n/// How many calls there were.\n\
               pub static CALLS: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);\n";
    let line = format!("measure = {}", registry.line("1", ""));
    host.package("app-api", Kind::Api, &["dynplug", &line], api).host(HOST);
    host.build().of_somebody_else(&host).go().ok();
    host.tool("sdk").arg("-o").arg(sdk_of(&host)).of_somebody_else(&host).go().ok();
    registry.publish(
        &host,
        &[
            measure("1.2.0"),
            measure("2.0.0"),
            wraps("wrapper", &[("measure", "1.0.0", &["fine"])]),
            wraps("outer", &[("wrapper", "1.0.0", &[])]),
            Published {
                source: "pub use wrapper::VERSION;\n",
                ..wraps("outermost", &[("wrapper", "1.0.0", &[])])
            },
            wraps("wants-new", &[("measure", "1.2.0", &[])]),
        ],
    );
    Some(Shared { host, registry })
});

/// A plugin of that host.
struct Plugin {
    author: Fixture,
    name: &'static str,
}

impl Plugin {
    /// Makes one with this source, these dependencies in the registry (name, version) and this at the manifest's end.
    fn new(name: &'static str, dependencies: &[(&str, &str)], more: &str, source: &str) -> Option<Plugin> {
        let Some(shared) = &*SHARED else {
            skipped("git is not here, which a registry wants");
            return None;
        };
        let author = Fixture::folder(&format!("author of {name}"));
        author.bare_tool().args(["new", name, "--sdk"]).arg(sdk_of(&shared.host)).go().ok();
        let lines = dependencies.iter().map(|(n, v)| format!("{n} = {}\n", shared.registry.line(v, "")));
        let lines = format!("[dependencies]\n{}", lines.collect::<String>());
        let path = author.root().join(name).join("Cargo.toml");
        let manifest = std::fs::read_to_string(&path).unwrap();
        let named = format!("sdk = \"{}\"\n", sdk_of(&shared.host).display());
        assert!(manifest.contains(&named), "{manifest}");
        let manifest =
            manifest.replace("[dependencies]\n", &lines).replace(&named, &format!("{named}{more}"));
        std::fs::write(path, manifest).unwrap();
        author.root_file(&format!("{name}/src/lib.rs"), source);
        Some(Plugin { author, name })
    }

    fn tool(&self, subcommand: &str) -> Call {
        self.among_them(self.author.tool(subcommand))
    }

    fn cargo(&self, subcommand: &str) -> Call {
        self.among_them(self.author.cargo(subcommand))
    }

    /// In the project, and with a cargo home of the test's own: the registry is nobody else's.
    fn among_them(&self, call: Call) -> Call {
        let call = call.folder(&self.author.root().join(self.name));
        match &*SHARED {
            Some(shared) => call.of_somebody_else(&shared.host),
            None => call,
        }
    }

    /// The host opens these plugins.
    fn opened_with(&self, others: &[&Plugin]) -> Call {
        let host = &SHARED.as_ref().unwrap().host;
        let all = std::iter::once(self).chain(others.iter().copied());
        all.fold(host.app(), |call, p| call.arg(p.author.plugin_file(&p.name.replace('-', "_"))))
    }
}

const SAYS: &str = "#[dynplug::export]\npub fn f() {\n    \
    println!(\"measure {} {}\", measure::VERSION, measure::count());\n}\n";

#[test]
fn another_compatible_version_is_said_and_sync_mends_it() {
    let Some(plugin) = Plugin::new("later", &[("measure", "1")], "", SAYS) else { return };
    plugin.cargo("update").args(["-p", "measure", "--precise", "1.2.0"]).go().ok();
    let ran = plugin.tool("build").go();
    ran.fails_with(1)
        .says("error[dynplug::other-version]: the plugin `later` uses `measure` 1.2.0, but the host shares 1.1.0")
        .says("`cargo dynplug sync`")
        .says("private = [\"measure\"]")
        .says_in_lines(1, "error");
    let dry = plugin.tool("sync").arg("--dry-run").go();
    dry.fails_with(1).says("Would set measure 1.2.0 -> 1.1.0");
    let json = plugin.tool("sync").args(["--dry-run", "--message-format", "json"]).go();
    let said: serde_json::Value = serde_json::from_str(json.fails_with(1).stdout.trim()).unwrap();
    assert_eq!(said["versions"][0]["to"], "1.1.0");
    plugin.tool("build").go().fails_with(1);
    plugin.tool("sync").go().ok().says("Setting measure 1.2.0 -> 1.1.0");
    plugin.tool("sync").arg("--dry-run").go().ok().says("In step");
    plugin.tool("build").go().ok();
    // The host's copy: it counts on.
    plugin.opened_with(&[&plugin]).go().ok().says("measure 1.1.0 1\nmeasure 1.1.0 2");
    // Older ones too.
    plugin.cargo("update").args(["-p", "measure", "--precise", "1.0.0"]).go().ok();
    plugin.tool("build").go().fails_with(1).says("uses `measure` 1.0.0, but the host shares 1.1.0");
    plugin.tool("sync").go().ok().says("Setting measure 1.0.0 -> 1.1.0");
    plugin.tool("build").go().ok();
}

#[test]
fn a_requirement_that_the_host_does_not_meet_is_said_with_who_has_it() {
    let Some(plugin) = Plugin::new("newer", &[("wants-new", "1")], "", "pub use wants_new as _;\n") else {
        return;
    };
    let ran = plugin.tool("build").go();
    ran.fails_with(1)
        .says("the plugin `newer` uses `measure` 1.2.0, but the host shares 1.1.0")
        .says("`wants-new` asks for `measure = \"^1.2.0\"`, which the host's 1.1.0 doesn't meet")
        .says("used by: `newer` 0.1.0 → `wants-new` 1.0.0 → `measure` 1.2.0")
        .says_in_lines(1, "error");
    let lock = plugin.author.root().join("newer/Cargo.lock");
    let before = std::fs::read(&lock).unwrap();
    let ran = plugin.tool("sync").go();
    ran.fails_with(1).says("which the host's 1.1.0 doesn't meet").does_not_say("Setting");
    assert!(std::fs::read(lock).unwrap() == before, "the lock file is another one");
}

#[test]
fn a_feature_that_the_sdk_lacks_is_named_with_the_chain_of_those_who_want_it() {
    let Some(plugin) = Plugin::new("fine", &[("outermost", "1")], "", "pub use outermost as _;\n") else {
        return;
    };
    // What was set is no success.
    plugin.cargo("update").args(["-p", "measure", "--precise", "1.2.0"]).go().ok();
    let ran = plugin.tool("sync").go();
    ran.fails_with(1).does_not_say("Setting").says("nothing was changed");
    let lock = std::fs::read_to_string(plugin.author.root().join("fine/Cargo.lock")).unwrap();
    assert!(lock.contains("name = \"measure\"\nversion = \"1.2.0\""), "{lock}");
    plugin.cargo("update").args(["-p", "measure", "--precise", "1.1.0"]).go().ok();
    let ran = plugin.tool("build").go();
    ran.fails_with(1)
        .says("error[dynplug::missing-feature]: the plugin `fine` wants `measure` with the feature `fine`")
        .says("wanted by: `fine` 0.1.0 → `outermost` 1.0.0 → `wrapper` 1.0.0")
        .says("take the feature out of `wrapper` 1.0.0")
        .says_in_lines(1, "error");
    let ran = plugin.tool("test").go();
    ran.fails_with(1).says("error[dynplug::missing-feature]");
}

// C12
#[test]
fn another_major_version_is_private_and_two_plugins_may_have_two() {
    let Some(two) = Plugin::new("major", &[("measure", "2")], "", SAYS) else { return };
    two.tool("build").go().ok();
    let private = "private = [\"measure\"]\n";
    let Some(own) = Plugin::new("own", &[("measure", "1.2")], private, SAYS) else { return };
    own.tool("build").go().ok();
    let Some(shared) = Plugin::new("sharing", &[("measure", "1.1")], "", SAYS) else { return };
    shared.tool("sync").go().ok();
    shared.tool("build").go().ok();
    let ran = two.opened_with(&[&own, &shared, &two, &own, &shared]).go();
    ran.ok().says(
        "measure 2.0.0 1\nmeasure 1.2.0 1\nmeasure 1.1.0 1\nmeasure 2.0.0 2\nmeasure 1.2.0 2\nmeasure 1.1.0 2",
    );
}

#[test]
fn the_types_of_a_copy_of_the_plugins_own_do_not_mix_with_the_hosts() {
    let private = "private = [\"measure\"]\n";
    let mixes = "#[dynplug::export]\npub fn f() -> app_api::measure::Length { measure::Length(1) }\n";
    let Some(plugin) = Plugin::new("mixing", &[("measure", "1.2")], private, mixes) else { return };
    plugin.tool("build").go().fails_with(1).says("mismatched types").says("measure");
    // What the compiler doesn't see, the lookup does.
    let exports = "#[dynplug::export]\npub fn f(length: measure::Length) -> u32 { length.0 }\n";
    plugin.author.root_file("mixing/src/lib.rs", exports);
    plugin.tool("build").go().ok();
    let shared = SHARED.as_ref().unwrap();
    let asking =
        HOST.replace("fn(&str) -> String>(\"greet\")", "fn(app_api::measure::Length) -> u32>(\"f\")");
    let asking = asking.replace("greet(\"host\")", "greet(app_api::measure::Length(1))");
    let asking = asking.replace(
        "Err(_) => plugin.lookup::<fn()>(\"f\").unwrap_or_else(|error| panic!(\"{error}\"))(),",
        "Err(error) => println!(\"{error}\"),",
    );
    shared.host.host_named("asking", &asking);
    shared.host.build().args(["-p", "asking"]).of_somebody_else(&shared.host).go().ok();
    let ran = shared.host.run(&shared.host.outcome("asking")).arg(plugin.author.plugin_file("mixing")).go();
    ran.ok().says("come from two copies of").says("measure");
}
