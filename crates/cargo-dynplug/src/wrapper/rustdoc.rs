//! rustdoc, which cargo doesn't call through the wrapper: documentation and its tests are compiled with what the SDK has
//! too.

use super::invocation::Invocation;
use super::{force_api, name_api, share, take_from};
use crate::context::{API_EXTERN_VARIABLE, Context, LINK_VARIABLE, Phase, Purpose};
use crate::diagnostic::{Diagnostic, Doing, Result};
use crate::linker::{Link, Role};
use crate::recording;
use crate::sdk::Sdk;
use crate::unit::Unit;
use std::ffi::OsString;
use std::process::Command;

/// Runs in place of rustdoc. `words` are the arguments after this program's own name. Returns the exit code.
pub fn main(words: Vec<OsString>, context: Option<Result<Context>>) -> i32 {
    match run(words, context) {
        Ok(code) => code,
        Err(diagnostic) => {
            eprintln!("{diagnostic}");
            1
        }
    }
}

fn run(words: Vec<OsString>, context: Option<Result<Context>>) -> Result<i32> {
    let Some(context) = context.transpose()? else {
        return Err(Diagnostic::error("system", "rustdoc was called outside of a build").into());
    };
    let program = context.rustdoc.clone().into_os_string();
    let mut call = Invocation::parse(std::iter::once(program.clone()).chain(words).collect())?;
    let mut command = Command::new(program);
    // Without a crate it only asks what rustdoc is.
    if call.crate_name().is_some() && recording::is_wanted() {
        return recording::tell().map(|()| 0);
    }
    if let (Phase::Plugin { sdk, libraries, purpose, .. }, Some(_)) = (&context.phase, call.crate_name()) {
        let sdk = Sdk::open_with(sdk, libraries)?;
        if *purpose == Purpose::HostTool {
            // Documentation tests of a host are hosts.
            let unit = Unit { crate_name: "rust_out".to_owned(), ..Unit::of(&call, &context)? };
            let link = serde_json::to_string(&Link { role: Role::Host, unit });
            command.env(LINK_VARIABLE, link.doing("describe what is linked")?);
        }
        take_from(&sdk, &mut call);
        share(&mut call, &context);
        let name = name_api(&sdk, &mut call);
        command.env(API_EXTERN_VARIABLE, name).envs(force_api(&sdk, &mut call));
        for (from, to) in &context.remap {
            call.push("--remap-path-prefix", format!("{from}={to}"));
        }
    }
    let status = command.args(call.arguments()).status().doing("run rustdoc")?;
    Ok(status.code().unwrap_or(101))
}
