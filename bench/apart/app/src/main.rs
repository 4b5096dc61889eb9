//! A plugin in a process of its own, as the documentation uses it, and the channel between two processes without all that.

mod channel;

use apart_api::ByteBuf;
use apart_api::dynplug::Loader;
use apart_api::dynplug::apart::{Function, RunIn, Started};
use bench_runner::apart::{self, Calls, Result};
use bench_runner::{Answer, Peer};
use channel::Bare;

#[derive(Default)]
struct Host {
    plugins: Vec<Plugin>,
    bare: Option<Bare>,
}

struct Plugin {
    started: Started,
    number: Function<fn(u64) -> u64>,
    bytes: Function<fn(ByteBuf) -> ByteBuf>,
}

impl Plugin {
    fn start(path: &str) -> Result<Plugin> {
        let loader = Loader::new().run_in(RunIn::OwnProcess);
        // SAFETY: it runs in a process of its own.
        let started = unsafe { loader.start(path) }?;
        Ok(Plugin { number: started.function("number")?, bytes: started.function("bytes")?, started })
    }
}

impl Calls for Host {
    fn number(&mut self, x: u64) -> Result<u64> {
        let plugin = self.plugins.first().ok_or("nothing was started")?;
        Ok(plugin.number.call((x,))?)
    }

    fn bytes(&mut self, bytes: Vec<u8>) -> Result<Vec<u8>> {
        let plugin = self.plugins.first().ok_or("nothing was started")?;
        Ok(plugin.bytes.call((ByteBuf::from(bytes),))?.into_vec())
    }

    fn processes(&self) -> Vec<u32> {
        self.plugins.iter().flat_map(|plugin| plugin.started.processes()).collect()
    }
}

impl Peer for Host {
    fn answer(&mut self, what: &str, count: u64, argument: &str) -> Answer {
        if let Some(what) = what.strip_prefix("channel ") {
            let bare = match self.bare.take() {
                Some(bare) => bare,
                None => Bare::start()?,
            };
            return apart::answer(self.bare.insert(bare), what, count);
        }
        match what {
            "load" => {
                self.plugins.push(Plugin::start(argument)?);
                Ok(1.0)
            }
            what => apart::answer(self, what, count),
        }
    }
}

fn main() -> Result<()> {
    if std::env::args().nth(1).is_some_and(|word| word == channel::ROLE) {
        return channel::serve();
    }
    Ok(bench_runner::serve(&mut Host::default())?)
}
