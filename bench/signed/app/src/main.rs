//! The host: it opens a plugin as anybody's, or as one that has to be signed with the key beside it.

use bench_runner::{Answer, Peer, cannot, loops};
use signed_api::dynplug::trust::{Policy, PublicKey};
use signed_api::dynplug::{Loader, Plugin};
use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

struct Host;

impl Peer for Host {
    fn answer(&mut self, what: &str, _count: u64, argument: &str) -> Answer {
        match what {
            "open" => {
                let began = Instant::now();
                // SAFETY: the driver names plugins that it built.
                let plugin = unsafe { Plugin::open(argument) }?;
                let took = loops::since(began);
                black_box(plugin);
                Ok(took)
            }
            "open signed" => {
                let key = PublicKey::read(Path::new(argument).with_file_name("bench.pub"))?;
                // SAFETY: the driver signs plugins that it built.
                let loader = unsafe { Loader::new().policy(Policy::new().key(key)).trusted() }?;
                let began = Instant::now();
                let plugin = loader.open(argument)?;
                let took = loops::since(began);
                black_box(plugin.voucher().ok_or("nobody speaks for it")?);
                Ok(took)
            }
            _ => cannot("there is no such work"),
        }
    }
}

fn main() -> std::io::Result<()> {
    bench_runner::serve(&mut Host)
}
