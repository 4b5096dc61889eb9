//! `tarpc` over a Unix socket, as its documentation uses it: a service by its macro, a channel that is served, bincode. Each side has a
//! runtime of one thread, which is faster here than one of several.

use bench_runner::apart::{Calls, Result, change};
use bench_runner::loops;
use futures::StreamExt;
use other_process::{Host, Other};
use serde_bytes::ByteBuf;
use std::future::Future;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};
use tarpc::context::{self, Context};
use tarpc::serde_transport::unix;
use tarpc::server::{BaseChannel, Channel};
use tarpc::tokio_serde::formats::Bincode;
use tokio::runtime::{Builder, Runtime};

#[tarpc::service]
trait Work {
    async fn number(x: u64) -> u64;
    async fn bytes(bytes: ByteBuf) -> ByteBuf;
}

#[derive(Clone)]
struct Worker;

impl Work for Worker {
    async fn number(self, _: Context, x: u64) -> u64 {
        loops::step(x)
    }

    async fn bytes(self, _: Context, mut bytes: ByteBuf) -> ByteBuf {
        change(&mut bytes);
        bytes
    }
}

struct Caller {
    runtime: Runtime,
    client: WorkClient,
    other: Other,
}

impl Caller {
    /// No call of the measurement is cut short.
    fn context() -> Context {
        let mut context = context::current();
        context.deadline = Instant::now() + Duration::from_secs(60);
        context
    }
}

impl Calls for Caller {
    fn number(&mut self, x: u64) -> Result<u64> {
        Ok(self.runtime.block_on(self.client.number(context::current(), x))?)
    }

    fn bytes(&mut self, bytes: Vec<u8>) -> Result<Vec<u8>> {
        let bytes = self.runtime.block_on(self.client.bytes(Caller::context(), ByteBuf::from(bytes)))?;
        Ok(bytes.into_vec())
    }

    fn processes(&self) -> Vec<u32> {
        vec![self.other.process()]
    }
}

async fn serve(place: &Path) -> Result<()> {
    let mut incoming = unix::listen(place, Bincode::default).await?;
    incoming.config_mut().max_frame_length(usize::MAX);
    other_process::ready()?;
    async fn spawn(future: impl Future<Output = ()> + Send + 'static) {
        tokio::spawn(future);
    }
    while let Some(transport) = incoming.next().await {
        BaseChannel::with_defaults(transport?).execute(Worker.serve()).for_each(spawn).await;
    }
    Ok(())
}

fn main() -> Result<()> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    if let Some(place) = other_process::serves()? {
        return runtime.block_on(serve(&place));
    }
    let other = Other::start(Stdio::null(), Other::socket())?;
    let client = runtime.block_on(async {
        let mut connect = unix::connect(&other.place, Bincode::default);
        connect.config_mut().max_frame_length(usize::MAX);
        Ok::<_, std::io::Error>(WorkClient::new(tarpc::client::Config::default(), connect.await?).spawn())
    })?;
    Ok(bench_runner::serve(&mut Host(Caller { runtime, client, other }))?)
}
