//! Work of the host's own, with crates that it shares or doesn't.

mod work;

use bench_runner::{Answer, Peer, loops};
use sharing_api as _;
use std::time::Instant;
use work::Work;

struct Host {
    work: Work,
}

impl Peer for Host {
    fn answer(&mut self, what: &str, count: u64, _argument: &str) -> Answer {
        let once: fn(&Work) -> u64 = match what {
            "json" => Work::json,
            "json values" => Work::json_values,
            "regex" => Work::regex,
            "maps" => Work::maps,
            "tasks" => Work::tasks,
            _ => return Err("there is no such work".into()),
        };
        let began = Instant::now();
        for _ in 0..count {
            std::hint::black_box(once(&self.work));
        }
        Ok(loops::since(began))
    }
}

fn main() -> std::io::Result<()> {
    bench_runner::serve(&mut Host { work: Work::new() })
}
