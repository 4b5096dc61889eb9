//! What is told of the plugins, on the page and as JSON.

use crate::plugins::Used;
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
    pub is_linked_in: bool,
    /// Who has signed it, or that it is pinned; none where nobody was asked.
    pub voucher: Option<String>,
    pub exports: Vec<Export>,
    pub init: Vec<Init>,
}

/// Something that a plugin exports.
#[derive(Debug, Serialize)]
pub struct Export {
    pub name: &'static str,
    pub signature: &'static str,
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
            plugins: used.iter().map(|used| Loaded::of(used.plugin)).collect(),
            refused,
            init: dynplug::init_report().iter().map(Init::of).collect(),
            folders: folders.collect(),
        }
    }
}

impl Loaded {
    fn of(plugin: &Plugin) -> Loaded {
        let exports = plugin.symbols().map(|symbol| Export {
            name: symbol.name(),
            signature: symbol.signature(),
            docs: symbol.docs().lines().map(str::trim).collect::<Vec<_>>().join("\n"),
        });
        Loaded {
            name: plugin.name().to_owned(),
            version: plugin.version().to_owned(),
            path: plugin.path().display().to_string(),
            is_linked_in: plugin.is_linked_in(),
            voucher: plugin.voucher().map(ToString::to_string),
            exports: exports.collect(),
            init: plugin.init_report().iter().map(Init::of).collect(),
        }
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
    /// What did not open, and what is found by no name since something before it has the name.
    pub fn of(discovery: &Discovery) -> Vec<Refused> {
        let said = |place: &Place, reason: String| Refused { place: place.to_string(), reason };
        let unfit = discovery.refused().map(|(place, error)| said(place, error.to_string()));
        let shadowed = discovery.shadowed().filter(|found| found.fits().is_ok()).filter_map(|found| {
            let reason = format!("{} comes first and has the same name", found.shadowed_by()?);
            Some(said(found.place(), reason))
        });
        unfit.chain(shadowed).collect()
    }

    /// A plugin that opened, but can't be used.
    pub fn unusable(plugin: &Plugin, reason: &str) -> Refused {
        Refused { place: plugin.path().display().to_string(), reason: reason.to_owned() }
    }
}
