//! C10: what hosts and plugins share is changed and the host alone is built again. A plugin of the build before is
//! refused with the name of the crate that changed, nothing of it runs, and it opens again when the change is undone.

use crate::harness::{Fixture, Kind, Ran};
use std::path::PathBuf;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

/// What host and plugin share, with everything in it that a case changes.
const API: &str = r#"
pub use dynplug;
pub use {below, featured, generated, native, versioned};

#[derive(Debug)]
pub struct Shape { pub width: u32, pub height: u32 }

#[derive(Debug)]
pub enum Event { Open, Close }

pub trait Guest { fn first(&self) -> u32; }

pub const LIMIT: u32 = 10;

pub fn shape() -> Shape { Shape { width: private() as _, height: 3 } }

pub fn generic<T: From<u8>>() -> T { T::from(20) }

#[inline]
pub fn inlined() -> u32 { 30 }

fn private() -> u32 { 40 }

pub fn asserted(number: u32) { debug_assert!(number > 0) }

making_macro::made!();

#[cfg(feature = "more")]
pub fn more() -> u32 { 60 }
"#;

const PLUGIN: &str = r#"
use app_api::{Event, Guest, Shape};

struct Own;

impl Guest for Own {
    fn first(&self) -> u32 { 1 }
}

#[dynplug::init]
fn start() { println!("the plugin ran") }

#[dynplug::export]
pub fn f(shape: &Shape) {
    let numbers = [
        app_api::LIMIT,
        app_api::generic::<u32>(),
        app_api::inlined(),
        app_api::made(),
        app_api::below::number(),
        app_api::featured::number(),
        app_api::generated::NUMBER,
        app_api::native::number(),
        app_api::versioned::number(),
    ];
    println!("{shape:?} {:?} {} {numbers:?} {:?}", Event::Close, Own.first(), app_api::below::TEXTS)
}
"#;

const HOST: &str = r#"
use app_api::dynplug::{OpenError, Plugin};

fn main() {
    let file = std::env::args_os().nth(1).expect("the first argument is a plugin");
    // SAFETY: the build made it.
    match unsafe { Plugin::open(file) } {
        Ok(plugin) => plugin.lookup::<fn(&app_api::Shape)>("f").unwrap()(&app_api::shape()),
        Err(error) => {
            if let OpenError::Mismatch { mismatch, .. } = &error {
                for difference in &mismatch.differences {
                    println!("{}: {}", difference.code, difference.what);
                }
            }
            eprintln!("{error}");
            std::process::exit(1);
        }
    }
}
"#;

/// What the host prints with a plugin that fits.
pub const RAN: &str = "the plugin ran\nShape { width: 40, height: 3 } Close 1 \
                       [10, 20, 30, 50, 1, 2, 70, 80, 3] [\"included\\n\", \"first\"]";

/// Where `env!` takes its value from.
const CONFIGURATION: &str = ".cargo/config.toml";

/// A workspace with the host `app`, the plugin `hello`, and below the API crate one of each kind of crate.
pub fn fill(fixture: &Fixture) {
    let native = "unsafe extern \"C\" { fn native_number() -> u32; }\n\
                  pub fn number() -> u32 {\n    // SAFETY: it takes nothing and returns a number.\n    \
                  unsafe { native_number() }\n}\n";
    let below = "pub fn number() -> u32 { 1 }\n\
                 pub const TEXTS: [&str; 2] = [include_str!(\"../text.txt\"), env!(\"FIXTURE_VALUE\")];\n";
    let made = "use proc_macro::TokenStream;\n\
                #[proc_macro]\npub fn made(_: TokenStream) -> TokenStream {\n    \
                \"pub fn made() -> u32 { 50 }\".parse().expect(\"it is Rust\")\n}\n";
    let generated = "fn main() {\n    \
                     println!(\"cargo::rerun-if-changed=build.rs\");\n    \
                     let folder = std::env::var(\"OUT_DIR\").expect(\"cargo sets it\");\n    \
                     std::fs::write(format!(\"{folder}/made.rs\"), \"pub const NUMBER: u32 = 70;\").unwrap();\n}\n";
    let dependencies = [
        "dynplug",
        "below",
        "featured = { path = \"../featured\" }",
        "generated",
        "making-macro",
        "native",
        "versioned",
        "",
        "[features]",
        "more = []",
    ];
    fixture
        .root_file(CONFIGURATION, "[env]\nFIXTURE_VALUE = \"first\"\n")
        .package("below", Kind::Library, &[], below)
        .file("below/text.txt", "included\n")
        .package(
            "featured",
            Kind::Library,
            &["", "[features]", "more = []"],
            "pub fn number() -> u32 { if cfg!(feature = \"more\") { 200 } else { 2 } }\n",
        )
        .package("generated", Kind::Library, &[], "include!(concat!(env!(\"OUT_DIR\"), \"/made.rs\"));\n")
        .file("generated/build.rs", generated)
        .package("making-macro", Kind::Library, &["", "[lib]", "proc-macro = true"], made)
        .package("native", Kind::Library, &["", "[build-dependencies]", "cc = \"1\""], native)
        .file("native/src/native.c", "unsigned native_number(void) { return 80; }\n")
        .file(
            "native/build.rs",
            "fn main() {\n    println!(\"cargo::rerun-if-changed=src/native.c\");\n    \
             cc::Build::new().file(\"src/native.c\").compile(\"native_number\");\n}\n",
        )
        .package("versioned", Kind::Library, &[], "pub fn number() -> u32 { 3 }\n")
        .package("app-api", Kind::Api, &dependencies, API)
        .host(HOST)
        .plugin("hello", PLUGIN);
}

/// The workspace that the cases change, and the plugin of its first build.
pub struct Workspace {
    pub fixture: Fixture,
    pub kept: PathBuf,
}

static WORKSPACE: LazyLock<Mutex<Workspace>> = LazyLock::new(|| {
    let fixture = Fixture::empty("changed");
    fill(&fixture);
    fixture.build().go().ok();
    let kept = fixture.root().join("kept.so");
    std::fs::copy(fixture.plugin_file("hello"), &kept).unwrap();
    fixture.app().arg(&kept).go().ok().prints(RAN);
    Mutex::new(Workspace { fixture, kept })
});

/// The workspace, to one case at a time: each changes it in place. One that failed has undone its change.
pub fn workspace() -> MutexGuard<'static, Workspace> {
    WORKSPACE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A file with a change in it, undone at the end.
pub struct Changed {
    path: PathBuf,
    text: String,
}

impl Changed {
    /// Replaces `old`, which must be there, in a file below the members' folder.
    pub fn member(workspace: &Workspace, path: &str, old: &str, new: &str) -> Changed {
        Self::file(workspace.fixture.path(path), old, new)
    }

    fn file(path: PathBuf, old: &str, new: &str) -> Changed {
        let text = std::fs::read_to_string(&path).expect("the file to change is there");
        assert!(text.contains(old), "{} has no {old:?}:\n{text}", path.display());
        std::fs::write(&path, text.replace(old, new)).expect("the file can be written");
        Changed { path, text }
    }
}

impl Drop for Changed {
    fn drop(&mut self) {
        std::fs::write(&self.path, &self.text).expect("the file can be written");
    }
}

impl Workspace {
    /// Builds the host alone, and lets it open the plugin of the first build. What both printed.
    pub fn build_host(&self, options: &[&str]) -> (Ran, Ran) {
        let mut build = self.fixture.build().args(["-p", "app"]);
        for option in options {
            build = build.arg(option);
        }
        let built = build.go();
        built.ok();
        (built, self.fixture.app().arg(&self.kept).go())
    }

    /// The plugin is refused for `cause`, the beginning of a line, and for nothing else.
    #[track_caller]
    fn refuses(&self, options: &[&str], cause: &str) {
        let (_, ran) = self.build_host(options);
        ran.fails_with(1).says("does not fit this host").does_not_say("the plugin ran");
        let causes: Vec<&str> = ran.stdout.lines().filter(|line| !line.starts_with("identity: ")).collect();
        assert!(
            matches!(causes[..], [one] if one.starts_with(cause)),
            "it is refused for another reason than {cause:?}\n{ran}"
        );
    }

    /// The plugin opens again.
    #[track_caller]
    fn opens_again(&self) {
        let (_, ran) = self.build_host(&[]);
        ran.ok().prints(RAN);
    }
}

/// What is said of a crate whose source is another.
fn source_of(name: &str) -> String {
    format!("crate-content: the source of the shared crate `{name}` is not the same")
}

/// Replaces `old` by `new` in one file and wants a refusal for `cause`.
#[track_caller]
fn refused_after(path: &str, old: &str, new: &str, cause: &str) {
    let workspace = workspace();
    let changed = Changed::member(&workspace, path, old, new);
    workspace.refuses(&[], cause);
    drop(changed);
    workspace.opens_again();
}

// C10
#[test]
fn other_source_is_told_beside_other_settings() {
    let workspace = workspace();
    let configuration = workspace.fixture.root().join(CONFIGURATION);
    let settings = Changed::file(configuration, "[env]", "[profile.dev]\ndebug-assertions = false\n\n[env]");
    // What `debug_assert!` becomes is another, in the source that the compiler sees; what people wrote is not.
    let (_, ran) = workspace.build_host(&[]);
    ran.fails_with(1).says("settings: ").says("`debug-assertions`").does_not_say("crate-content");
    let source = Changed::member(&workspace, "below/src/lib.rs", "{ 1 }", "{ 11 }");
    let (_, ran) = workspace.build_host(&[]);
    ran.fails_with(1).says("settings: ").says(&source_of("below")).does_not_say(&source_of("app-api"));
    drop((source, settings));
    workspace.opens_again();
}

/// The same for the API crate's source.
#[track_caller]
fn refused_after_api(old: &str, new: &str) {
    refused_after("app-api/src/lib.rs", old, new, &source_of("app-api"));
}

// C10
#[test]
fn the_type_of_a_field_is_another() {
    refused_after_api("pub width: u32", "pub width: i32");
}

// C10
#[test]
fn the_order_of_fields_is_another() {
    refused_after_api("pub width: u32, pub height: u32", "pub height: u32, pub width: u32");
}

// C10
#[test]
fn a_field_is_added() {
    let workspace = workspace();
    let declared =
        Changed::member(&workspace, "app-api/src/lib.rs", "height: u32", "height: u32, pub depth: u64");
    let made = Changed::member(&workspace, "app-api/src/lib.rs", "height: 3", "height: 3, depth: 4");
    workspace.refuses(&[], &source_of("app-api"));
    // The last change is the first to be undone.
    drop(made);
    drop(declared);
    workspace.opens_again();
}

// C10
#[test]
fn a_variant_is_added() {
    refused_after_api("enum Event { Open,", "enum Event { Move(u32), Open,");
}

// C10
#[test]
fn a_trait_method_is_inserted() {
    refused_after_api("trait Guest { ", "trait Guest { fn zeroth(&self) -> u32 { 0 } ");
}

// C10
#[test]
fn the_body_of_a_generic_function_is_another() {
    refused_after_api("T::from(20)", "T::from(21)");
}

// C10
#[test]
fn the_body_of_an_inlined_function_is_another() {
    refused_after_api("fn inlined() -> u32 { 30 }", "fn inlined() -> u32 { 31 }");
}

// C10
#[test]
fn the_body_of_a_private_function_is_another() {
    refused_after_api("fn private() -> u32 { 40 }", "fn private() -> u32 { 41 }");
}

// C10
#[test]
fn a_constant_is_another() {
    refused_after_api("LIMIT: u32 = 10", "LIMIT: u32 = 11");
}

// C10
#[test]
fn a_body_in_a_crate_below_is_another() {
    refused_after("below/src/lib.rs", "{ 1 }", "{ 100 }", &source_of("below"));
}

// C10
#[test]
fn the_version_of_a_dependency_is_another() {
    let cause =
        "crate-version: the plugin was compiled against another version of the shared crate `versioned`";
    refused_after("versioned/Cargo.toml", "version = \"0.1.0\"", "version = \"0.2.0\"", cause);
}

// C10
#[test]
fn a_feature_of_a_dependency_is_on() {
    let (old, new) = ("path = \"../featured\"", "path = \"../featured\", features = [\"more\"]");
    let cause = "crate-features: the shared crate `featured` has other features";
    refused_after("app-api/Cargo.toml", old, new, cause);
}

// C10
#[test]
fn a_feature_of_the_api_crate_is_on() {
    let workspace = workspace();
    let cause = "crate-features: the shared crate `app-api` has other features";
    workspace.refuses(&["--features", "app-api/more"], cause);
    workspace.opens_again();
}

// C10
#[test]
fn c_code_of_a_shared_crate_is_another() {
    let workspace = workspace();
    let changed = Changed::member(&workspace, "native/src/native.c", "return 80;", "return 81;");
    let (_, ran) = workspace.build_host(&[]);
    ran.fails_with(1).says("does not fit this host").says("`native`").does_not_say("the plugin ran");
    drop(changed);
    workspace.opens_again();
}

// C10
#[test]
fn a_macro_makes_something_else() {
    // What the macro makes is the source of the crate that calls it.
    let workspace = workspace();
    let changed = Changed::member(&workspace, "making-macro/src/lib.rs", "{ 50 }", "{ 51 }");
    workspace.refuses(&[], &source_of("app-api"));
    drop(changed);
    workspace.opens_again();
}

// C10
#[test]
fn an_included_file_is_another() {
    refused_after("below/text.txt", "included", "other", &source_of("below"));
}

// C10
#[test]
fn a_value_of_the_environment_is_another() {
    let workspace = workspace();
    let changed = Changed::file(workspace.fixture.root().join(CONFIGURATION), "first", "second");
    workspace.refuses(&[], &source_of("below"));
    drop(changed);
    workspace.opens_again();
}

// C10
#[test]
fn a_build_script_makes_other_code() {
    refused_after("generated/build.rs", "u32 = 70", "u32 = 71", &source_of("generated"));
}
