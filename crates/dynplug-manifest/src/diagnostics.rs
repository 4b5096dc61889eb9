//! Every way in which a plugin can be refused, as a table: messages, documentation and `explain` are made of it.

/// Makes the codes and the table from one list, so that neither can lack an entry.
macro_rules! diagnostics {
    ($($code:ident $name:literal {
        title: $title:literal, explanation: $explanation:literal, remedy: $remedy:literal,
        $(with_sdk: $with_sdk:expr,)?
    })*) => {
        /// Why a plugin was refused.
        ///
        /// The [name](Self::name) of each is stable: it is what programs may compare and people look up.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Code {
            $(#[doc = concat!("`", $name, "`: ", $title, ".")] $code,)*
        }

        impl Code {
            /// All of them, in the order of the table.
            pub const ALL: &'static [Code] = &[$(Code::$code),*];

            /// The entry of the table.
            pub fn diagnostic(self) -> &'static Diagnostic {
                match self {
                    $(Code::$code => &Diagnostic {
                        code: Code::$code,
                        name: $name,
                        title: $title,
                        explanation: $explanation,
                        remedy: $remedy,
                        with_sdk: const { first(&[$($with_sdk,)? $remedy]) },
                    },)*
                }
            }
        }
    };
}

/// The first of some texts.
const fn first(texts: &'static [&'static str]) -> &'static str {
    match texts {
        [first, ..] => first,
        [] => "",
    }
}

/// What helps most plugins that were built with an SDK, whatever it is in which they differ from the host.
macro_rules! with_the_hosts_sdk {
    ($($more:literal)?) => {
        concat!(
            "get the SDK that was made with this host, and take it over: `cargo dynplug sync --sdk FILE`, then \
             `cargo dynplug build -p {plugin} --sdk FILE`",
            $($more)?
        )
    };
}

/// What there is to say about one kind of refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Diagnostic {
    /// Which.
    pub code: Code,
    /// The stable name, in lower case with dashes.
    pub name: &'static str,
    /// The matter in a clause.
    pub title: &'static str,
    /// A paragraph for somebody who meets it for the first time.
    pub explanation: &'static str,
    /// What to do. Words in braces, such as `{plugin}`, stand for what the case at hand has in their place; `{options}` for
    /// the profile that a build has to be told, or for nothing.
    pub remedy: &'static str,
    /// What to do where the plugin was built with an SDK, and not in the host's workspace.
    pub with_sdk: &'static str,
}

impl Code {
    /// The stable name.
    pub fn name(self) -> &'static str {
        self.diagnostic().name
    }

    /// The code of that name.
    pub fn from_name(name: &str) -> Option<Code> {
        Code::ALL.iter().copied().find(|code| code.name() == name)
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

impl Diagnostic {
    /// The remedy, for a plugin that was built with an SDK or without, with a value in the place of each word in braces.
    ///
    /// What a value contains is not looked at again, and a word without a value stays as it is.
    pub fn remedy_for(&self, with_sdk: bool, values: &[(&str, &str)]) -> String {
        let mut text = String::new();
        let mut rest = if with_sdk { self.with_sdk } else { self.remedy };
        while let Some((before, behind)) = rest.split_once('{') {
            text.push_str(before);
            let Some((word, after)) = behind.split_once('}') else {
                text.push('{');
                rest = behind;
                continue;
            };
            match values.iter().find(|(name, _)| *name == word) {
                Some((_, value)) => text.push_str(value),
                None => text.extend(["{", word, "}"]),
            }
            rest = after;
        }
        text + rest
    }
}

diagnostics! {
    NotAPlugin "not-a-plugin" {
        title: "the file is not a plugin",
        explanation: "A host opens shared libraries that `cargo dynplug build` has made from a crate with \
            `#[dynplug::export]` items. They carry a record of what they are. This file is something else: an API \
            library, a host, a library of another kind, or no library at all.",
        remedy: "open a file from the folder `plugins` that `cargo dynplug build` makes",
    }
    PlainBuild "plain-build" {
        title: "the plugin was built by plain cargo",
        explanation: "The library comes from a plugin's crate, but `cargo build` made it. Such a library has a copy of \
            its own of the standard library, of the API crate and of everything below: other statics, other \
            allocator, other types. Calling it would look right and be wrong.",
        remedy: "`cargo dynplug build` instead of `cargo build`",
    }
    PlainHost "plain-host" {
        title: "the host was built by plain cargo",
        explanation: "The program was linked statically: there is no API library in the process that a plugin could \
            share, so no plugin fits it. Plain `cargo build` makes such programs, and they are good for everything \
            but opening plugins.",
        remedy: "`cargo dynplug build`, or `cargo dynplug run`, for the host",
    }
    Damaged "damaged-file" {
        title: "the file is damaged",
        explanation: "The file begins like a library, but its parts contradict each other, or it ends before they do. \
            Most often a copy or a download stopped early. Or some of what it exports is not there any more, as after a \
            tool that takes sections or their names away.",
        remedy: "copy the file again, or build it again with `cargo dynplug build`",
    }
    Format "manifest-format" {
        title: "the file was built with another version of dynplug, which described it in another way",
        explanation: "What a file says of itself has a format with a version. The file was built with a version of dynplug \
            whose format is another than that of the one that reads it: an earlier one lacks what is asked for now, and \
            what a later one says can't be understood.",
        remedy: "build host and plugin with one version of dynplug and of cargo-dynplug: `cargo dynplug build`",
        with_sdk: "build the plugin with the versions of dynplug and cargo-dynplug that the host's SDK was made with",
    }
    AlreadyLoaded "already-loaded" {
        title: "the same plugin is loaded from another file",
        explanation: "One process has one copy of a plugin, as it has one copy of every crate: two would have the same \
            types and different statics. The file is the same build of the same plugin as one that is loaded, under \
            another path. A link to the file would give the plugin that is loaded; a copy can't.",
        remedy: "open {path} instead, which gives the plugin that is loaded, or delete the copy",
    }
    Target "target" {
        title: "compiled for another kind of machine",
        explanation: "The target triple says for which processor, system and C library something was compiled. Plugin \
            and host share memory and call each other directly, so theirs must be the same.",
        remedy: "build the plugin for the host's target: `cargo dynplug build -p {plugin}{options} --target {target}`",
        with_sdk: "get the host's SDK for {target}, and build the plugin with it: \
            `cargo dynplug build -p {plugin} --target {target} --sdk FILE`",
    }
    Compiler "compiler" {
        title: "compiled by another rustc",
        explanation: "Rust has no stable binary interface: each version of the compiler may lay out types and call \
            functions in its own way, and comes with a standard library of its own. A plugin and its host must be \
            compiled by the very same rustc.",
        remedy: "build the plugin with the host's compiler: `{install}`, then \
            `{cargo} dynplug build -p {plugin}{options}`; or build the host again with the plugin's compiler",
        with_sdk: with_the_hosts_sdk!("; it names the host's compiler, which the build then takes"),
    }
    Tool "tool" {
        title: "built by another version of cargo-dynplug",
        explanation: "The build tool decides how crates are named and linked, so two versions of it may make two \
            builds of one source. When two builds differ and the tool does too, the tool is the likely cause.",
        remedy: "`cargo install cargo-dynplug --version {tool}`, then `cargo dynplug build -p {plugin}{options}`",
        with_sdk: "`cargo install cargo-dynplug --version {tool}`, then build the plugin with the SDK that was made with this \
            host: `cargo dynplug build -p {plugin} --sdk FILE`",
    }
    ApiCrate "api-crate" {
        title: "made for another host: its API crate is another one",
        explanation: "A plugin is compiled against the API crate of a host, and fits hosts with that API crate only. \
            This plugin was made for a host with another.",
        remedy: "open it with a host whose API crate is `{plugin_api}`; or port the plugin: depend on `{api}` in its \
            Cargo.toml, then `cargo dynplug build -p {plugin}{options}`",
        with_sdk: "open it with a host whose API crate is `{plugin_api}`; or port the plugin: depend on `{api}` from the SDK \
            that was made with this host, then `cargo dynplug build -p {plugin} --sdk FILE`",
    }
    ApiVersion "api-version" {
        title: "compiled against another version of the API crate",
        explanation: "Plugin and host share the types of the API crate in memory, so both must have been compiled with \
            the same version of it. A version that would be compatible in source is not the same in memory.",
        remedy: "`cargo dynplug build -p {plugin}{options}`, where its lock file has {api} {version}, and \
            `cargo update -p {api} --precise {version}` before that, where it has not; or take the host in the version that \
            goes with {api} {plugin_version}",
        with_sdk: with_the_hosts_sdk!("; or take the host in the version that goes with {api} {plugin_version}"),
    }
    Identity "identity" {
        title: "compiled against another build of the API library",
        explanation: "The identity is a hash over all that was compiled into an API library: every crate, the standard \
            library, the compiler, native code. A plugin knows the identity of the library that it was compiled \
            against, and fits that one only. What made the two builds differ is told beside this.",
        remedy: "build the plugin against this host: `cargo dynplug build -p {plugin}{options}`; where both are in one \
            workspace, `cargo dynplug build{options}` builds the host too and makes them fit",
        with_sdk: with_the_hosts_sdk!(),
    }
    SoName "api-file-name" {
        title: "looks for the API library under another name",
        explanation: "The API library that is in the process and the one that the plugin asks the system for are the \
            same build, but have different names. The system would look for a second file and find none.",
        remedy: "`cargo dynplug build -p {plugin}{options}`",
        with_sdk: with_the_hosts_sdk!(),
    }
    CrateVersion "crate-version" {
        title: "another version of a shared crate",
        explanation: "A crate that host and plugin share lies in the API library, and the plugin was compiled against \
            that crate in another version. Its types may be laid out differently, so the plugin must be compiled \
            against the version that the host has.",
        remedy: "`cargo dynplug build -p {plugin}{options}`, where its lock file has `{crate}` {version}, and \
            `cargo update -p {spec} --precise {version}` before that, where it has not",
        with_sdk: with_the_hosts_sdk!(),
    }
    CrateSource "crate-source" {
        title: "a shared crate comes from another place",
        explanation: "The shared crate has the same name and version on both sides, but one side takes it from \
            elsewhere: another registry, a repository, a folder (look for `[patch]` and for `git` or `path` \
            dependencies). The code may be different.",
        remedy: "take `{crate}` from {source} in the plugin's Cargo.toml, or in its `[patch]`, then \
            `cargo dynplug build -p {plugin}{options}`",
        with_sdk: with_the_hosts_sdk!(),
    }
    CrateFeatures "crate-features" {
        title: "other features of a shared crate",
        explanation: "Cargo features add and remove code of a crate. A shared crate was compiled once, into the API \
            library, with the features that the host's side asks for; the plugin was compiled against that crate \
            with others.",
        remedy: "{features}, in the features of `{crate}`; then `cargo dynplug build -p {plugin}{options}`",
        with_sdk: with_the_hosts_sdk!(),
    }
    AbiSettings "abi-settings" {
        title: "compiled with settings that change how code is called",
        explanation: "Most settings of a profile are free. A few change how functions are called, how a panic travels \
            or which instructions are used: `panic`, `target-cpu`, `target-feature`. Those must be the same on both \
            sides.",
        remedy: "set {setting} as the host has it (profile in Cargo.toml, `RUSTFLAGS`, `.cargo/config.toml`), then \
            `cargo dynplug build -p {plugin}{options}`",
        with_sdk: with_the_hosts_sdk!(
            "; with {setting} set as the host has it (profile in Cargo.toml, `RUSTFLAGS`, `.cargo/config.toml`)"
        ),
    }
    Settings "settings" {
        title: "shared crates compiled with other settings",
        explanation: "The API library that the plugin was compiled against and the one in the host were compiled with \
            other settings, most often debug and release; a crate whose source is another too is told beside this. The settings themselves do \
            no harm, but they make two builds, and a plugin fits one.",
        remedy: "build the plugin with the host's profile and its settings: \
            `cargo dynplug build -p {plugin} --profile {profile}`; or host and plugin with one of your choice: \
            `cargo dynplug build --profile NAME`",
        with_sdk: with_the_hosts_sdk!("; an SDK has the settings of its host's profile, which is `{profile}`"),
    }
    CrateOnlyInHost "crate-only-in-host" {
        title: "the host shares a crate that the plugin does not know as shared",
        explanation: "The crate lies in the host's API library, but not in the one that the plugin was compiled \
            against. A dependency of the API crate was added, or a feature that brings it in was switched on.",
        remedy: "build the plugin against this host: `cargo dynplug build -p {plugin}{options}`; or build the host again \
            without `{crate}`",
        with_sdk: with_the_hosts_sdk!(),
    }
    CrateOnlyInPlugin "crate-only-in-plugin" {
        title: "the host lacks a shared crate that the plugin needs",
        explanation: "The plugin was compiled against an API library that has the crate, and the host's does not. A \
            dependency of the API crate was removed, or a feature that brings it in was switched off.",
        remedy: "build the plugin against this host: `cargo dynplug build -p {plugin}{options}`; or build the host again \
            with `{crate}` among the dependencies of `{api}`",
        with_sdk: with_the_hosts_sdk!("; or ask the host's authors for `{crate}` among the dependencies of `{api}`"),
    }
    CrateContent "crate-content" {
        title: "a shared crate was compiled from other source",
        explanation: "Name, version, place and features of the shared crate are the same on both sides, and yet its source \
            is another: it was edited, or a build script or macro made other code. Even one field or one method more moves everything behind it in memory.",
        remedy: "build both from one source: `cargo dynplug build{options}`; or only the plugin, against this host: \
            `cargo dynplug build -p {plugin}{options}`",
        with_sdk: with_the_hosts_sdk!(),
    }
    CrateBuild "crate-build" {
        title: "a shared crate was compiled into something else, from the same source",
        explanation: "Name, version, place, features and recorded settings of the shared crate are the same on both sides, \
            and its source is too. Yet rustc made something else of it: its build script or a macro made other code, as \
            from another environment or other tools, or a flag was set that is not on record (look for `RUSTFLAGS`).",
        remedy: "build both in one place, with one environment: `cargo dynplug build{options}`; or only the plugin, against \
            this host: `cargo dynplug build -p {plugin}{options}`",
        with_sdk: with_the_hosts_sdk!(),
    }
    NativeCode "native-code" {
        title: "native code or the standard library differs",
        explanation: "Every Rust crate of the two API libraries is the same, and yet the libraries are not. What is left \
            is code that rustc did not compile: C, C++ or assembly that a build script compiles, or the standard \
            library of the compiler.",
        remedy: "build host and plugin with the same C compiler, native libraries and Rust toolchain: \
            `cargo dynplug build{options}`",
        with_sdk: with_the_hosts_sdk!(),
    }
    CpuFeatures "cpu-features" {
        title: "this machine's processor lacks features that the plugin was compiled for",
        explanation: "The plugin was compiled for a newer processor than this machine has (`-C target-cpu` or \
            `-C target-feature`). Its code would stop the whole process at the first instruction that is missing \
            here, so it is not opened.",
        remedy: "build the plugin without {features}: take `target-cpu` and `target-feature` out of `RUSTFLAGS` and \
            `.cargo/config.toml`, then `cargo dynplug build -p {plugin}{options}`; or run the host on a machine that has them",
    }
    PrivateCrate "private-crate" {
        title: "a private crate is in the process already, in another build",
        explanation: "A private crate is linked into one plugin only, and the build gives it an id of that plugin's own. \
            Here two modules contain a crate with one and the same id. To the compiler its types are the same, \
            though there are two copies with statics of their own: what is passed across would be misread.",
        remedy: "`cargo dynplug build -p {plugin}{options}`, which gives the private copy an id of its own; or make `{crate}` a \
            dependency of the API crate `{api}`, so that it is shared",
    }
    Library "missing-library" {
        title: "a library that the plugin needs is not on this machine",
        explanation: "The plugin is linked with a shared library of the system that can't be found here. Loading it \
            would fail half way.",
        remedy: "install the package that has `{library}`, or have the plugin's build link it statically, then \
            `cargo dynplug build -p {plugin}{options}`",
    }
    Unsigned "untrusted-unsigned" {
        title: "nobody has signed the plugin",
        explanation: "The host trusts only plugins that certain keys have signed. The signature lies beside the plugin in a \
            file of its name with `.minisig` behind, and there is none.",
        remedy: "`cargo dynplug sign -s <secret key> {file}` by whoever has such a key; or take the plugin with its signature \
            from where it comes from",
    }
    BadSignature "untrusted-signature" {
        title: "the signature can't be checked",
        explanation: "The file beside the plugin that by its name is the signature can't be read, is no signature of \
            minisign's, or is one in minisign's old format, which signs a file itself and not its hash.",
        remedy: "sign the plugin again: `cargo dynplug sign -s <secret key> {file}`, or `minisign -S` of 0.10 or newer",
    }
    UnknownKey "untrusted-key" {
        title: "signed with a key that the host doesn't trust",
        explanation: "The signature names a key that isn't among those that the host trusts. Somebody else has signed the \
            plugin, or the key was changed and the host doesn't know the new one yet.",
        remedy: "if whoever signed it is to be trusted, give the host his public key as well; else have the plugin signed by \
            somebody whom the host trusts: `cargo dynplug sign -s <secret key> {file}`",
    }
    Altered "untrusted-altered" {
        title: "the plugin or its signature was altered",
        explanation: "A key that the host trusts has signed something, and it isn't what lies there: the plugin was built \
            again, stripped or patched after it was signed, a copy stopped early, or somebody has put other bytes there on \
            purpose.",
        remedy: "find out why before anything else; `cargo dynplug verify -p <public key> {file}` says it again. If you built it anew yourself: \
            `cargo dynplug sign -s <secret key> {file}`",
    }
    WrongComment "untrusted-comment" {
        title: "the signature says that it is of another plugin",
        explanation: "What is signed along with the file says of which plugin, version, build and target it is. The file's \
            manifest says otherwise. The key's owner has signed a file in the belief that it was another.",
        remedy: "`cargo dynplug sign -s <secret key> {file}`, which takes the comment from the plugin itself",
    }
    Expired "untrusted-expired" {
        title: "the key or the signature no longer counts",
        explanation: "The host trusts the key until a certain time, or the signature says of itself until when it counts. That \
            time is over, by this machine's clock.",
        remedy: "take a newer plugin; or have this one signed again, with a key that counts: \
            `cargo dynplug sign -s <secret key> <plugin>`; and look whether the clock is right",
    }
    NotPinned "untrusted-pin" {
        title: "the plugin isn't the one that is pinned",
        explanation: "The host has a list of the SHA-256 of each plugin that it lets in. For a file of this name it has another \
            one, or none.",
        remedy: "if the plugin is the one that you want: `cargo dynplug pin <plugin> -o <list>`, and give the host the new list",
    }
    Denied "untrusted-denied" {
        title: "the host never lets in this very file",
        explanation: "The file's SHA-256 is among those that the host refuses, whoever has signed them. Most often that is a \
            version with a known hole.",
        remedy: "take a newer version of the plugin",
    }
    WritableByOthers "untrusted-writable" {
        title: "somebody else can write to the plugin or its folder",
        explanation: "The host wants plugins to which nobody but its own user and the administrator can write, in folders of \
            which the same is true up to the top. Who can write to a folder can put another file there.",
        remedy: "`chmod go-w {path}`, or `chown` it to the host's user or root; or put the plugin elsewhere",
    }
    UntrustedLibrary "untrusted-library" {
        title: "the plugin needs a library for which nobody speaks",
        explanation: "The plugin is linked with a shared library that would come into the process along with it, from wherever \
            the system's loader finds one of its name. The plugin's signature says nothing of that library.",
        remedy: "link it statically into the plugin; or let the host's policy name it, `Policy::library(\"{library}\")`, if \
            you trust where the system's loader looks for it",
    }
    OpenedBefore "untrusted-opened-before" {
        title: "the plugin is open already, and was not checked then",
        explanation: "One process has one copy of a plugin. This one was opened earlier by a loader with another policy or with \
            none, so what this policy wants to know of it was not found out.",
        remedy: "open it with this policy first, or with one policy everywhere",
    }
    Policy "untrusted-policy" {
        title: "the host's policy can't be kept",
        explanation: "A loader that opens plugins without `unsafe` needs a policy that has something to go by: keys, or pinned \
            hashes. And what is checked is what is mapped only in a private copy, so a policy can't go together with loading \
            a file in place.",
        remedy: "give the policy a key or pins (`Policy::key`, `Policy::pins`), and leave out `Load::InPlace`",
    }
}
