//! Whom a host trusts, for those who are trusted: keys, signatures and pinned hashes. What a host's policy says of a file
//! is asked of the policy itself.

mod secret;

use crate::cli::{KeygenArguments, MessageFormat, PinArguments, SignArguments, VerifyArguments};
use crate::diagnostic::{Diagnostic, Doing, Result};
use crate::files;
use crate::inspect::{About, read};
use crate::terminal::{self, Stream, line};
use dynplug_manifest::manifest::{Manifest, Product};
use dynplug_trust::{Digest, Pins, Policy, PublicKey, Untrusted, Vouched, Voucher, signature_file};
pub(crate) use secret::{PASSWORD, Signer};
use serde_json::{Value, json};
use std::path::Path;

/// Makes a pair of keys.
pub fn keygen(arguments: &KeygenArguments) -> Result<i32> {
    let key = secret::make(arguments)?;
    let (public, secret) = (&arguments.public, &arguments.secret);
    if arguments.messages.json() {
        line!(
            "{}",
            json!({
                "reason": "dynplug-key", "public": public, "secret": secret,
                "key": key.id().to_string(), "base64": key.base64(),
            })
        );
    } else if arguments.messages.talks() {
        terminal::status_of_file("Public key", public, &format!(" ({})", key.id()));
        terminal::status_of_file("Secret key", secret, " (keep it to yourself)");
    }
    Ok(0)
}

/// Signs files.
pub fn sign(arguments: &SignArguments) -> Result<i32> {
    let signer = Signer::new(&arguments.key)?;
    for path in &arguments.files {
        let what = format!("sign {}", path.display());
        let bytes = read(path).doing(&what)?;
        let manifest = signable(path, &bytes)?;
        let (signature, comment) = signer.sign(&bytes, &manifest)?;
        let place = signature_file(path);
        files::write_whole(&place, signature.as_bytes())?;
        if arguments.messages.json() {
            line!(
                "{}",
                json!({
                    "reason": "dynplug-signature", "file": path, "signature": place,
                    "key": signer.id().to_string(), "comment": comment.text(),
                    "package": manifest.package, "version": manifest.version,
                })
            );
        } else if arguments.messages.talks() {
            terminal::status_of_file(
                "Signed",
                path,
                &format!(" ({} {})", manifest.package, manifest.version),
            );
        }
    }
    Ok(0)
}

/// The manifest of a file that a host may be asked to trust.
fn signable(path: &Path, bytes: &[u8]) -> Result<Manifest> {
    let (what, code) = match About::of(bytes) {
        About::Product(details) => match details.manifest.product {
            // An API library may come with a plugin, for a process of its own.
            Product::Plugin | Product::PluginLibrary | Product::ApiLibrary => return Ok(details.manifest),
            other => (format!("it is a {other}"), None),
        },
        About::Other(other) => (other.what, Some(other.code)),
    };
    let error = Diagnostic::error("not-signable", format!("{} is no plugin", path.display())).note(what);
    let error = match code {
        Some(code) => error.help(code.diagnostic().remedy),
        None => error.help("a host's policy speaks of plugins and of libraries that come with them; `minisign -S` signs any file"),
    };
    Err(error.usage().into())
}

/// Says of each file whether it is to be trusted. The exit code: 0 if all are, 1 if one is not, else 2 if one can't be read.
pub fn verify(arguments: &VerifyArguments) -> Result<i32> {
    let policy = policy(arguments)?;
    let mut exits = Vec::new();
    for path in &arguments.files {
        let outcome = verdict(path, &policy);
        exits.push(match &outcome {
            Ok(Ok(_)) => 0,
            Ok(Err(_)) => 1,
            Err(_) => 2,
        });
        match arguments.format() {
            MessageFormat::Json => line!("{}", as_json(path, &outcome)),
            MessageFormat::Human => match &outcome {
                Ok(Ok(voucher)) if !arguments.messages.quiet => {
                    line!("{}: {voucher}", terminal::linked(path, Stream::Output));
                }
                Ok(Ok(_)) => {}
                Ok(Err(reason)) => {
                    terminal::error(&format!(
                        "{} isn't trusted: {reason} [{}]",
                        path.display(),
                        reason.code()
                    ));
                }
                Err(error) => terminal::error(&format!("could not read {}: {error}", path.display())),
            },
        }
    }
    Ok([1, 2].into_iter().find(|code| exits.contains(code)).unwrap_or(0))
}

fn policy(arguments: &VerifyArguments) -> Result<Policy> {
    let wrong = |error: &dyn std::fmt::Display| {
        Box::new(
            Diagnostic::error("bad-trust-file", "what is to be trusted can't be told")
                .note(error.to_string())
                .usage(),
        )
    };
    let mut policy = Policy::new();
    for key in &arguments.public {
        let path = Path::new(key);
        let key = if path.exists() { PublicKey::read(path) } else { key.parse() };
        policy = policy.key(key.map_err(|error| wrong(&error))?);
    }
    if let Some(pins) = &arguments.pins {
        policy = policy.pins(Pins::read(pins).map_err(|error| wrong(&error))?);
    }
    Ok(if arguments.only_owner_writes { policy.only_owner_writes() } else { policy })
}

type Outcome = std::io::Result<std::result::Result<Voucher, Untrusted>>;

fn verdict(path: &Path, policy: &Policy) -> Outcome {
    let bytes = read(path)?;
    let (canonical, metadata) = (path.canonicalize()?, path.metadata()?);
    let judged =
        policy.ask_for_owner(&canonical, &metadata).and_then(|()| policy.judge(path, &canonical, &bytes));
    let judged = match judged {
        Ok(judged) => judged,
        Err(reason) => return Ok(Err(reason)),
    };
    match About::of(&bytes) {
        About::Product(details) => Ok(judged.compare(&details.manifest)),
        About::Other(other) => Err(std::io::Error::new(std::io::ErrorKind::InvalidData, other.what)),
    }
}

fn as_json(path: &Path, outcome: &Outcome) -> Value {
    let mut message = json!({ "reason": "dynplug-verification", "file": path });
    let more = match outcome {
        Ok(Ok(voucher)) => {
            let (by, key, comment) = match voucher.by() {
                Vouched::Signature { key, comment } => {
                    ("signature", Some(key.id().to_string()), Some(comment.text()))
                }
                _ => ("pin", None, None),
            };
            json!({ "trusted": true, "by": by, "key": key, "comment": comment })
        }
        Ok(Err(reason)) => json!({
            "trusted": false, "code": reason.code().name(), "message": reason.to_string(), "remedy": reason.remedy(),
        }),
        Err(error) => json!({ "trusted": null, "message": error.to_string() }),
    };
    if let (Value::Object(message), Value::Object(more)) = (&mut message, more) {
        message.extend(more);
    }
    message
}

/// Pins files by their hashes.
pub fn pin(arguments: &PinArguments) -> Result<i32> {
    let mut pins = match &arguments.output {
        Some(list) if list.exists() => Pins::read(list).map_err(|error| {
            Diagnostic::error("bad-trust-file", "the list can't be read").note(error.to_string()).usage()
        })?,
        _ => Pins::new(),
    };
    let mut added = Pins::new();
    for path in &arguments.files {
        let bytes = read(path).doing(format_args!("pin {}", path.display()))?;
        signable(path, &bytes)?;
        let (name, digest) = (path.to_string_lossy(), Digest::of(&bytes));
        pins.remove(&name);
        pins.add(&*name, digest);
        added.add(&*name, digest);
    }
    if let Some(list) = &arguments.output {
        files::write_whole(list, pins.to_string().as_bytes())?;
    }
    for (path, digest) in added.entries() {
        match (&arguments.output, arguments.messages.json()) {
            (list, true) => line!(
                "{}",
                json!({ "reason": "dynplug-pin", "file": path, "sha256": digest.to_string(), "list": list })
            ),
            (Some(_), false) => {}
            (None, false) => line!("{}", pins_line(path, digest)),
        }
    }
    if let Some(list) = arguments.output.as_ref().filter(|_| arguments.messages.talks()) {
        terminal::status_of_file(
            "Pinned",
            list,
            &format!(" ({} of {} files)", added.entries().len(), pins.entries().len()),
        );
    }
    Ok(0)
}

fn pins_line(path: &str, digest: Digest) -> String {
    let mut one = Pins::new();
    one.add(path, digest);
    one.to_string().trim_end_matches('\n').to_owned()
}
