//! A host with three plugins linked in, which finds more in folders.

use in_a as _;
use in_b as _;
use twice as _;

use app_api::dynplug::{self, Discovery, Loader, OpenError, Plugin, Unfit};
use app_api::{Answer, Register, taken};
use std::error::Error;
use std::path::Path;

type Outcome = Result<(), Box<dyn Error>>;

/// The program: its first argument says what to do, the others are folders.
pub fn main() -> Outcome {
    let mut words = std::env::args_os().skip(1);
    let verb = words.next().unwrap_or_default();
    let loader = words.fold(Loader::new(), |loader, folder| loader.folder(folder));
    match verb.to_str() {
        Some("tour") => tour(&loader.beside_program()),
        Some("discover") => {
            show(&loader.discover());
            println!("ran: {}", taken());
            Ok(())
        }
        Some("time") => time(&loader),
        Some("all") => all(&loader.unfit(Unfit::Fail)),
        Some("collect") => collect(&loader.beside_program()),
        _ => Err("tour, discover, time, all or collect".into()),
    }
}

/// A path without its folder, which is another each time.
fn short(text: &str) -> String {
    let words = text.split(' ').map(|word| match word.rsplit_once('/') {
        Some((_, name)) if word.starts_with('/') => name,
        _ => word,
    });
    words.collect::<Vec<_>>().join(" ")
}

fn show(discovery: &Discovery) {
    for found in &discovery.found {
        let name = found.name().unwrap_or("(no name)");
        let place = short(&found.place().to_string());
        let fits = match found.fits() {
            Ok(()) => "fits".to_owned(),
            Err(error) => short(error.to_string().lines().next().unwrap_or_default()),
        };
        println!("{name} | {place} | {fits}");
        if let Some(about) = found.about() {
            let exports: Vec<&str> = about.exports.iter().map(|e| &*e.signature).collect();
            println!("  {} {}: {}", about.package, about.version, exports.join(", "));
        }
        if let Some(by) = found.shadowed_by() {
            println!("  shadowed by {}", short(&by.to_string()));
        }
    }
    for folder in &discovery.folders {
        let there = if folder.is_there { "" } else { ", not there" };
        println!("{} skipped{there}{}", folder.skipped, if folder.error.is_some() { ", an error" } else { "" });
    }
}

fn ask(plugin: &'static Plugin) -> Result<String, Box<dyn Error>> {
    let register: Register = plugin.lookup("register")?;
    let mut answers: Vec<Box<dyn Answer>> = Vec::new();
    register(&mut answers);
    let how = if plugin.is_linked_in() { "linked in" } else { "loaded" };
    Ok(format!("{} {how}: {}; {}", plugin.name(), answers.remove(0).say(), taken()))
}

fn tour(loader: &Loader) -> Outcome {
    for plugin in dynplug::linked_in() {
        println!("{} {} {}", plugin.crate_name(), plugin.name(), plugin.version());
    }
    let discovery = loader.discover();
    show(&discovery);
    println!("ran: {}", taken());
    for name in ["in-a", "out-b", "twice", "out_a", "in_b", "twice"] {
        // SAFETY: the build made all of them.
        println!("{}", ask(unsafe { loader.open(name) }?)?);
    }
    // By its path, too.
    let path = discovery.found.iter().filter_map(|found| found.path()).find(|path| path.ends_with("libtwice.so"));
    let path: &Path = path.ok_or("there is no libtwice.so")?;
    // SAFETY: as above.
    println!("{}", ask(unsafe { Plugin::open(path) }?)?);
    // The other one, since it was asked for itself.
    let hidden = discovery.shadowed().find(|found| found.path() == Some(path)).ok_or("it is not shadowed")?;
    // SAFETY: as above.
    println!("{}", ask(unsafe { hidden.open() }?)?);
    // SAFETY: as above.
    match unsafe { loader.open("in-c") } {
        Err(error @ OpenError::NotFound { .. }) => println!("{}", short(&error.to_string())),
        other => println!("{other:?}"),
    }
    // SAFETY: as above.
    match unsafe { Loader::new().open("out-a") } {
        Err(error) => println!("{error}"),
        other => println!("{other:?}"),
    }
    // SAFETY: as above.
    let opened = unsafe { loader.open_all() }?;
    let names: Vec<&str> = opened.plugins.iter().map(|plugin| plugin.name()).collect();
    println!("all: {}", names.join(", "));
    Ok(())
}

fn time(loader: &Loader) -> Outcome {
    let began = std::time::Instant::now();
    let discovery = loader.discover();
    let fit = discovery.found.iter().filter(|found| found.fits().is_ok()).count();
    println!("{fit} of {} fit: {:?}", discovery.found.len(), began.elapsed());
    Ok(())
}

fn all(loader: &Loader) -> Outcome {
    // SAFETY: the build made all of them.
    match unsafe { loader.open_all() } {
        Ok(opened) => println!("opened {}", opened.plugins.len()),
        Err(error) => {
            println!("{} opened", error.plugins.len());
            for line in error.to_string().lines() {
                println!("{}", short(line));
            }
        }
    }
    println!("ran: {}", taken());
    Ok(())
}

fn collect(loader: &Loader) -> Outcome {
    let answers = guide::answers(loader)?;
    for answer in &answers {
        println!("{}", answer.say());
    }
    Ok(())
}

/// As the guide shows it.
mod guide {
    use app_api::dynplug::Loader;
    use app_api::{Answer, Register};
    use std::error::Error;

    pub fn answers(loader: &Loader) -> Result<Vec<Box<dyn Answer>>, Box<dyn Error>> {
        let mut answers = Vec::new();
        // SAFETY: whoever can write to these folders may run what he likes here.
        let opened = unsafe { loader.open_all() }?;
        for (place, reason) in opened.discovery.refused() {
            eprintln!("not opened: {place}: {reason}");
        }
        for plugin in opened.plugins {
            let register: Register = plugin.lookup("register")?;
            register(&mut answers);
        }
        Ok(answers)
    }
}
