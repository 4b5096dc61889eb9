//! What is told of the plugins, on the page and as JSON.

use crate::plugins::{self, Running, Used};
use serde::Serialize;
use server_api::dynplug::{self, Discovery, InitRecord, Place, Plugin};

/// All that there is to tell.
#[derive(Debug, Default, Serialize)]
pub struct Overview {
    /// The plugins in use, by name.
    pub plugins: Vec<Loaded>,
    /// What is not in use, and why.
    pub refused: Vec<Refused>,
    /// Init functions that ran with the program.
    pub init: Vec<Init>,
    /// The folders that were searched.
    pub folders: Vec<Folder>,
}

/// A plugin in use.
#[derive(Debug, Serialize)]
pub struct Loaded {
    pub name: String,
    pub version: String,
    /// The file; for a plugin that is linked in, the program.
    pub path: String,
    /// The numbers of its own processes; none where it runs in the server's.
    pub processes: Vec<u32>,
    pub is_linked_in: bool,
    /// Who has signed it, or that it is pinned; none where nobody was asked.
    pub voucher: Option<String>,
    pub exports: Vec<Export>,
    pub init: Vec<Init>,
}

/// Something that a plugin exports.
#[derive(Debug, Serialize)]
pub struct Export {
    pub name: String,
    pub signature: String,
    pub docs: String,
}

/// How an init function went.
#[derive(Debug, Serialize)]
pub struct Init {
    pub package: &'static str,
    pub function: &'static str,
    pub place: String,
    pub microseconds: u128,
    pub error: Option<String>,
}

/// A plugin or a file that is not in use.
#[derive(Debug, Serialize)]
pub struct Refused {
    pub place: String,
    pub reason: String,
}

/// A folder of plugins.
#[derive(Debug, Serialize)]
pub struct Folder {
    pub path: String,
    pub is_there: bool,
    pub error: Option<String>,
}

impl Overview {
    /// What is told when these are in use, and these not.
    pub fn of(used: &[Used], refused: Vec<Refused>, discovery: &Discovery) -> Overview {
        let folders = discovery.folders.iter().map(|folder| Folder {
            path: folder.path.display().to_string(),
            is_there: folder.is_there,
            error: folder.error.as_ref().map(ToString::to_string),
        });
        Overview {
            plugins: used.iter().map(Loaded::of).collect(),
            refused,
            init: dynplug::init_report().iter().map(Init::of).collect(),
            folders: folders.collect(),
        }
    }
}

impl Loaded {
    fn of(used: &Used) -> Loaded {
        let (plugin, about, path) = match &used.running {
            Running::Here(plugin) => return Loaded::here(plugin),
            Running::Elsewhere { plugin, about, path } => (plugin, about, path),
        };
        let exports = about.exports.iter().map(|it| Export::of(&it.name, &it.signature, &it.docs));
        Loaded {
            name: plugin.name().to_owned(),
            version: plugin.version().to_owned(),
            path: path.clone(),
            processes: plugin.processes(),
            is_linked_in: false,
            voucher: None,
            exports: exports.collect(),
            init: Vec::new(),
        }
    }

    fn here(plugin: &Plugin) -> Loaded {
        let exports = plugin.symbols().map(|it| Export::of(it.name(), it.signature(), it.docs()));
        Loaded {
            name: plugin.name().to_owned(),
            version: plugin.version().to_owned(),
            path: plugin.path().display().to_string(),
            processes: Vec::new(),
            is_linked_in: plugin.is_linked_in(),
            voucher: plugin.voucher().map(ToString::to_string),
            exports: exports.collect(),
            init: plugin.init_report().iter().map(Init::of).collect(),
        }
    }
}

impl Export {
    fn of(name: &str, signature: &str, docs: &str) -> Export {
        let docs = docs.lines().map(str::trim).collect::<Vec<_>>().join("\n");
        Export { name: name.to_owned(), signature: signature.to_owned(), docs }
    }
}

impl Init {
    fn of(record: &InitRecord) -> Init {
        Init {
            package: record.package,
            function: record.function,
            place: format!("{}:{}", record.file, record.line),
            microseconds: record.duration.as_micros(),
            error: record.outcome.as_ref().err().map(ToString::to_string),
        }
    }
}

impl Refused {
    /// What is not in use, for this reason.
    pub fn at(place: &Place, reason: String) -> Refused {
        Refused { place: place.to_string(), reason }
    }

    /// What does not fit, and what is found by no name since something before it has the name.
    pub fn of(discovery: &Discovery) -> Vec<Refused> {
        // Of those that only answer, starting them says it.
        let unfit = discovery.found.iter().filter(|found| !plugins::only_answers(found));
        let unfit = unfit.filter_map(|it| Some(Refused::at(it.place(), it.fits().err()?.to_string())));
        let shadowed = discovery.shadowed().filter(|found| found.fits().is_ok()).filter_map(|found| {
            let reason = format!("{} comes first and has the same name", found.shadowed_by()?);
            Some(Refused::at(found.place(), reason))
        });
        unfit.chain(shadowed).collect()
    }

    /// A plugin that opened, but can't be used.
    pub fn unusable(plugin: &Plugin, reason: &str) -> Refused {
        Refused { place: plugin.path().display().to_string(), reason: reason.to_owned() }
    }
}
