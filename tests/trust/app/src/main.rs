//! The host: its arguments are words of a small language. Some make a policy, the others do something under it.

use app_api::dynplug::trust::{Pins, Policy, PublicKey, Untrusted};
use app_api::dynplug::{Load, Loader, OpenError, Plugin, TrustedLoader};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

fn main() {
    let mut words = std::env::args().skip(1);
    let mut policy = Policy::new();
    while let Some(verb) = words.next() {
        let mut word = || words.next().expect("the verb takes a word");
        match &*verb {
            "no-policy" => policy = Policy::new(),
            "key" => policy = policy.key(PublicKey::read(word()).expect("it is a key").named("releases")),
            "key-until" => {
                let key = PublicKey::read(word()).expect("it is a key");
                policy = policy.key(key.until(word().parse().expect("it is a day")));
            }
            "pins" => policy = policy.pins(Pins::read(word()).expect("they are pins")),
            "deny" => policy = policy.deny([word().parse().expect("it is a hash")]),
            "only-owner-writes" => policy = policy.only_owner_writes(),
            "library" => policy = policy.library(word()),
            "open" => {
                let file = word();
                match trusted(&policy) {
                    Ok(loader) => opened(loader.open(file)),
                    Err(reason) => println!("refused {}: {reason}", reason.code()),
                }
            }
            "discover" => discover(&policy, &word()),
            "open-without-policy" => {
                // SAFETY: the build made it.
                opened(unsafe { Plugin::open(word()) });
            }
            "open-in-place" => {
                let loader = Loader::new().policy(policy.clone()).load(Load::InPlace);
                // SAFETY: the build made it.
                opened(unsafe { loader.open(word()) });
            }
            "race" => {
                let (folder, how, least) = (word(), word(), word());
                race(&policy, Path::new(&folder), &how, least.parse().expect("it is a number"));
            }
            other => panic!("there is no verb {other}"),
        }
    }
}

fn trusted(policy: &Policy) -> Result<TrustedLoader, Untrusted> {
    // SAFETY: the tests sign and pin only what the build made.
    unsafe { Loader::new().policy(policy.clone()).trusted() }
}

fn opened(outcome: Result<&'static Plugin, OpenError>) {
    match outcome {
        Ok(plugin) => {
            let voucher = plugin.voucher().map_or("nobody speaks for it".to_owned(), ToString::to_string);
            println!("opened {}: {voucher}", plugin.name());
            plugin.lookup::<fn()>("f").expect("it has an f")();
        }
        Err(error) => println!("refused {}: {error}", code(&error)),
    }
}

fn code(error: &OpenError) -> String {
    match error {
        OpenError::Untrusted { reason, .. } => reason.code().to_string(),
        OpenError::Library { source, .. } => format!("with its library, {}", code(source)),
        _ => "for another reason".to_owned(),
    }
}

fn discover(policy: &Policy, folder: &str) {
    for found in &Loader::new().folder(folder).policy(policy.clone()).discover().found {
        match found.fits() {
            Ok(()) => println!("{} fits", found.name().unwrap_or_default()),
            Err(error) => println!("{} is refused {}", found.name().unwrap_or_default(), code(error)),
        }
    }
}

/// Opens each good plugin of a folder by the path of a victim, while another thread overwrites what is there and puts
/// something else in its place. How it is opened says the word: by the policy, or as somebody would who looks first and
/// opens then.
fn race(policy: &Policy, folder: &Path, how: &str, least: usize) {
    let path = |name: &str| folder.join(name);
    let evil = fs::read(path("evil.so")).expect("evil is there");
    let loader = trusted(policy).expect("the policy vouches");
    let (mut refused, mut again, mut attacks) = (0, 0, 0);
    let mut plugins: Vec<&'static Plugin> = Vec::new();
    // How often an open is disturbed is up to the system, so there are as many opens as it takes or as there are plugins.
    for number in 0.. {
        let good: PathBuf = path(&format!("good-{number}.so"));
        if (number >= least && attacks >= 1000) || !good.exists() {
            break;
        }
        let bytes = fs::read(&good).expect("the good one can be read");
        // What was opened by a path is what the path gives from then on.
        let victim = path(&format!("libvictim-{number}.so"));
        let signature = path(&format!("libvictim-{number}.so.minisig"));
        fs::write(&victim, &bytes).expect("the victim can be written");
        fs::copy(path(&format!("good-{number}.so.minisig")), &signature).expect("it has a signature");
        let (has_begun, is_over) = (AtomicBool::new(false), AtomicBool::new(false));
        std::thread::scope(|scope| {
            let attacker = scope.spawn(|| {
                let (mut attacks, mut before) = (0, 0);
                while !is_over.load(Ordering::Relaxed) {
                    // Another file in its place, other bytes in the file, and back again, so that some opens succeed.
                    let next = path("next.so");
                    fs::write(&next, &evil).and_then(|()| fs::rename(&next, &victim)).expect("it is replaced");
                    fs::write(&next, &bytes).and_then(|()| fs::rename(&next, &victim)).expect("and back");
                    fs::write(&victim, &evil).expect("it is overwritten");
                    fs::write(&victim, &bytes).expect("and back");
                    // Those count that were made while it was being opened.
                    if has_begun.swap(before >= 4, Ordering::Relaxed) {
                        attacks += 2;
                    }
                    before += 2;
                }
                attacks
            });
            let open = || match how {
                "by-policy" => loader.open(&victim),
                _ => {
                    let seen = fs::read(&victim).unwrap_or_default();
                    policy.judge(&victim, &victim, &seen).map_err(|reason| OpenError::Untrusted {
                        path: victim.clone(),
                        reason: Box::new(reason),
                    })?;
                    // SAFETY: none; the tests want to see what comes of it.
                    unsafe { Plugin::open(&victim) }
                }
            };
            while !has_begun.load(Ordering::Relaxed) {
                std::thread::yield_now();
            }
            loop {
                match open() {
                    // The system gave the number of a file that was loaded to another one.
                    Ok(plugin) if plugins.iter().any(|other| std::ptr::eq(*other, plugin)) => {
                        again += 1;
                        assert!(again < 100_000, "{number}: {again} times the same, {refused} refusals");
                    }
                    Ok(plugin) => break plugins.push(plugin),
                    Err(error) => {
                        // The signature is asked about before anything else.
                        let is_told = matches!(error, OpenError::Untrusted { .. }) || how != "by-policy";
                        assert!(is_told, "{error}");
                        refused += 1;
                    }
                }
            }
            is_over.store(true, Ordering::Relaxed);
            attacks += attacker.join().expect("the attacker doesn't fail");
        });
    }
    println!("race: {} plugins opened, {attacks} attacks, {refused} refusals", plugins.len());
}
