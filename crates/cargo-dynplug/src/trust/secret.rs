//! Secret keys: made, unlocked, and used to sign. They are minisign's, and so is the cryptography.

use crate::cli::{KeygenArguments, SecretKeyArguments};
use crate::diagnostic::{Diagnostic, Doing, Result};
use crate::files;
use base64ct::{Base64, Encoding};
use dynplug_manifest::manifest::Manifest;
use dynplug_trust::{Comment, KeyId, Moment, PublicKey};
use minisign::{ErrorKind, KeyPair, SecretKey, SecretKeyBox};
use std::ffi::OsString;
use std::fs::File;
use std::io::{Cursor, Write};
use std::path::Path;

/// Makes a pair of keys and writes both. What is there stays.
pub(super) fn make(arguments: &KeygenArguments) -> Result<PublicKey> {
    for path in [&arguments.public, &arguments.secret] {
        if path.symlink_metadata().is_ok() {
            let error = Diagnostic::error("key-exists", format!("{} is there already", path.display()));
            return Err(error
                .note("whatever was signed with a key that is gone can't be signed again")
                .help("name other files with `--public` and `--secret`, or move the old keys away")
                .usage()
                .into());
        }
    }
    let failed = |error: minisign::PError| {
        Diagnostic::error("secret-key", "no keys could be made").note(error.to_string())
    };
    let pair = match arguments.no_password {
        true => KeyPair::generate_unencrypted_keypair(),
        false => {
            let password = match given(arguments.password_file.as_deref())? {
                Some(password) => password,
                None => asked_twice()?,
            };
            if password.is_empty() {
                let error = Diagnostic::error("password", "the password is empty");
                return Err(error
                    .note("whoever reads the file of a key with such a password can sign")
                    .help("`keygen -W` makes a key without a password, if that is what is wanted")
                    .usage()
                    .into());
            }
            KeyPair::generate_encrypted_keypair(Some(password))
        }
    };
    let pair = pair.map_err(failed)?;
    let public = pair.pk.to_box().map_err(failed)?.to_string();
    let secret = pair.sk.to_box(None).map_err(failed)?.to_string();
    write_secret(&arguments.secret, secret.as_bytes())?;
    files::write_whole(&arguments.public, public.as_bytes())?;
    public_key(&pair)
}

fn public_key(pair: &KeyPair) -> Result<PublicKey> {
    pair.pk.to_base64().parse().map_err(|error: dynplug_trust::KeyError| {
        Box::new(Diagnostic::error("secret-key", "no keys could be made").note(error.to_string()))
    })
}

/// Writes a file that its owner alone can read, from the first byte on.
fn write_secret(path: &Path, bytes: &[u8]) -> Result<()> {
    let what = format!("write {}", path.display());
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).doing(&what)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).doing(&what)
}

/// A secret key, unlocked.
pub(crate) struct Signer {
    key: SecretKey,
    id: KeyId,
    expires: Option<Moment>,
}

impl Signer {
    /// Unlocks a key.
    ///
    /// # Errors
    /// When the file is no secret key, or the password isn't the right one.
    pub(crate) fn new(arguments: &SecretKeyArguments) -> Result<Signer> {
        let path = &arguments.secret;
        let text = std::fs::read_to_string(path).doing(format_args!("read {}", path.display()))?;
        let wrong = |error: &dyn std::fmt::Display| {
            Diagnostic::error("secret-key", format!("{} can't be used to sign", path.display()))
                .note(error.to_string())
                .usage()
        };
        let parse = || SecretKeyBox::from_string(&text);
        if text.parse::<PublicKey>().is_ok() {
            let error = wrong(&"it is a public key");
            return Err(error
                .help("name the secret one, which `keygen` and `minisign -G` write beside it")
                .into());
        }
        parse().map_err(|error| wrong(&error))?;
        let key = match without_password(&text) {
            Some(key) => key.map_err(|error| wrong(&error))?,
            None => {
                let password = match given(arguments.password_file.as_deref())? {
                    Some(password) => password,
                    None => asked("Password of the secret key: ")?,
                };
                let key = parse().and_then(|locked| locked.into_secret_key(Some(password)));
                key.map_err(|error| match error.kind() {
                    // All that it compares is the key's checksum.
                    ErrorKind::Verify => wrong_password(arguments),
                    _ => wrong(&error),
                })?
            }
        };
        let public = minisign::PublicKey::from_secret_key(&key).map_err(|error| wrong(&error))?;
        let id = public.to_base64().parse::<PublicKey>().map_err(|error| wrong(&error))?.id();
        Ok(Signer { key, id, expires: arguments.expires })
    }

    /// By what its signatures name it.
    pub(crate) fn id(&self) -> KeyId {
        self.id
    }

    /// The file with the signature of these bytes, and the comment that is signed with them.
    ///
    /// # Errors
    /// When the system has no random numbers.
    pub(crate) fn sign(&self, bytes: &[u8], manifest: &Manifest) -> Result<(String, Comment)> {
        let comment = Comment::of(manifest, Moment::now(), self.expires);
        let said = format!("signature of {} {} by cargo-dynplug", manifest.package, manifest.version);
        let said = said.replace(char::is_control, " ");
        let signature =
            minisign::sign(None, &self.key, Cursor::new(bytes), Some(comment.text()), Some(&said));
        let failed = |error: minisign::PError| {
            Diagnostic::error("secret-key", "could not sign").note(error.to_string())
        };
        Ok((signature.map_err(failed)?.to_string(), comment))
    }
}

/// The key in a file, if no password is needed for it.
fn without_password(text: &str) -> Option<std::result::Result<SecretKey, minisign::PError>> {
    /// Behind the two letters of the algorithm: no derivation of a key from a password.
    const NONE: [u8; 2] = [0; 2];
    const CHECKSUM: usize = 32;
    let bytes = Base64::decode_vec(text.lines().nth(1)?.trim()).ok()?;
    if bytes.get(2..4)? != NONE {
        return None;
    }
    // The program `minisign` leaves the checksum out of such keys, which the crate doesn't know.
    let has_none = bytes.iter().rev().take(CHECKSUM).all(|byte| *byte == 0);
    Some(match has_none {
        true => SecretKey::from_bytes(&bytes),
        false => SecretKeyBox::from_string(text).and_then(SecretKeyBox::into_unencrypted_secret_key),
    })
}

fn wrong_password(arguments: &SecretKeyArguments) -> Diagnostic {
    let from = match &arguments.password_file {
        Some(file) => format!("the first line of {}", file.display()),
        None if std::env::var_os(PASSWORD).is_some() => format!("the environment variable `{PASSWORD}`"),
        None => "what was typed".to_owned(),
    };
    let unlocks = format!("{} can't be unlocked", arguments.secret.display());
    Diagnostic::error("wrong-password", unlocks)
        .note(format!("{from} isn't the password that it was locked with"))
        .usage()
}

/// Where machines that sign by themselves have the password, if in no file. Words of a command line can be seen by everybody.
pub(crate) const PASSWORD: &str = "DYNPLUG_KEY_PASSWORD";

/// The password, if nobody has to be asked for it: that in the file, or else that of the environment.
fn given(file: Option<&Path>) -> Result<Option<String>> {
    if let Some(file) = file {
        return first_line(file).map(Some);
    }
    match std::env::var_os(PASSWORD).map(OsString::into_string) {
        Some(Ok(password)) => Ok(Some(password)),
        // It is not repeated in the error.
        Some(Err(_)) => {
            let error = Diagnostic::error("password", format!("`{PASSWORD}` is no UTF-8"));
            Err(error.help("`--password-file FILE` reads the password from a file").usage().into())
        }
        None => Ok(None),
    }
}

/// The password in a file: all of its first line.
fn first_line(path: &Path) -> Result<String> {
    let text =
        std::fs::read_to_string(path).doing(format_args!("read the password in {}", path.display()))?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

fn asked_twice() -> Result<String> {
    let password = asked("Password for the secret key: ")?;
    if password == asked("The same again: ")? {
        return Ok(password);
    }
    Err(Diagnostic::error("password", "the two passwords are not the same").usage().into())
}

fn asked(prompt: &str) -> Result<String> {
    rpassword::prompt_password(prompt).map_err(|error| {
        let d = Diagnostic::error("password", "nobody can be asked for the password").note(error.to_string());
        let d = d.help("`--password-file FILE` reads it from a file, and `DYNPLUG_KEY_PASSWORD` has it in the environment");
        Box::new(d.help("`keygen -W` makes a key without one, for machines that sign by themselves").usage())
    })
}
