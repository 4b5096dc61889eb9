//! `tonic` over a Unix socket, as its example `uds` uses it, with limits that let a large message pass. Each side has a runtime of one
//! thread, which is faster here than one of several. Bytes are a `Vec<u8>`, as they are ordinarily; and, in a row of their own, `Bytes`,
//! which need not be copied out of what has arrived.

use bench_runner::apart::{self, Calls, Result, change};
use bench_runner::{Answer, Peer, loops};
use hyper_util::rt::TokioIo;
use other_process::Other;
use prost::bytes::{Bytes, BytesMut};
use std::path::Path;
use std::process::Stdio;
use tokio::net::{UnixListener, UnixStream};
use tokio::runtime::{Builder, Runtime};
use tokio_stream::wrappers::UnixListenerStream;
use tonic::transport::{Channel, Endpoint, Server, Uri};
use tonic::{Request, Response, Status};
use tower::service_fn;
use work::work_client::WorkClient;
use work::work_server::{Work, WorkServer};

mod work {
    include!(concat!(env!("OUT_DIR"), "/work.Work.rs"));
}

#[derive(Clone, Copy, PartialEq, prost::Message)]
pub struct Number {
    #[prost(uint64, tag = "1")]
    x: u64,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct Large {
    #[prost(bytes = "vec", tag = "1")]
    bytes: Vec<u8>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct Kept {
    #[prost(bytes = "bytes", tag = "1")]
    bytes: Bytes,
}

/// What a window has to hold so that nobody waits for leave to send more.
const WINDOW: u32 = 2 * apart::LARGE as u32;

struct Worker;

#[tonic::async_trait]
impl Work for Worker {
    async fn number(&self, asked: Request<Number>) -> std::result::Result<Response<Number>, Status> {
        Ok(Response::new(Number { x: loops::step(asked.into_inner().x) }))
    }

    async fn bytes(&self, asked: Request<Large>) -> std::result::Result<Response<Large>, Status> {
        let mut large = asked.into_inner();
        change(&mut large.bytes);
        Ok(Response::new(large))
    }

    async fn kept(&self, asked: Request<Kept>) -> std::result::Result<Response<Kept>, Status> {
        let bytes = asked.into_inner().bytes;
        // It is copied where somebody else still has a part of it.
        let mut bytes = bytes.try_into_mut().unwrap_or_else(|bytes| BytesMut::from(&bytes[..]));
        change(&mut bytes);
        Ok(Response::new(Kept { bytes: bytes.freeze() }))
    }
}

struct Caller {
    runtime: Runtime,
    client: WorkClient<Channel>,
    other: Other,
    keeps: bool,
}

impl Calls for Caller {
    fn number(&mut self, x: u64) -> Result<u64> {
        Ok(self.runtime.block_on(self.client.number(Number { x }))?.into_inner().x)
    }

    fn bytes(&mut self, bytes: Vec<u8>) -> Result<Vec<u8>> {
        if self.keeps {
            let kept = Kept { bytes: Bytes::from(bytes) };
            return Ok(self.runtime.block_on(self.client.kept(kept))?.into_inner().bytes.into());
        }
        Ok(self.runtime.block_on(self.client.bytes(Large { bytes }))?.into_inner().bytes)
    }

    fn processes(&self) -> Vec<u32> {
        vec![self.other.process()]
    }
}

impl Peer for Caller {
    fn answer(&mut self, what: &str, count: u64, _: &str) -> Answer {
        let kept = what.strip_prefix("kept ");
        self.keeps = kept.is_some();
        match what {
            "load" => Ok(1.0),
            other => apart::answer(self, kept.unwrap_or(other), count),
        }
    }
}

async fn serve(place: &Path) -> Result<()> {
    let listener = UnixListener::bind(place)?;
    other_process::ready()?;
    let service =
        WorkServer::new(Worker).max_decoding_message_size(usize::MAX).max_encoding_message_size(usize::MAX);
    let mut server =
        Server::builder().initial_stream_window_size(WINDOW).initial_connection_window_size(WINDOW);
    Ok(server.add_service(service).serve_with_incoming(UnixListenerStream::new(listener)).await?)
}

async fn connect(place: &Path) -> Result<WorkClient<Channel>> {
    let place = place.to_owned();
    // The address is of no use to a Unix socket.
    let endpoint = Endpoint::try_from("http://[::]:50051")?
        .initial_stream_window_size(WINDOW)
        .initial_connection_window_size(WINDOW);
    let channel = endpoint
        .connect_with_connector(service_fn(move |_: Uri| {
            let place = place.clone();
            async move { Ok::<_, std::io::Error>(TokioIo::new(UnixStream::connect(place).await?)) }
        }))
        .await?;
    let client = WorkClient::new(channel);
    Ok(client.max_decoding_message_size(usize::MAX).max_encoding_message_size(usize::MAX))
}

fn main() -> Result<()> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    if let Some(place) = other_process::serves()? {
        return runtime.block_on(serve(&place));
    }
    let other = Other::start(Stdio::null(), Other::socket())?;
    let client = runtime.block_on(connect(&other.place))?;
    Ok(bench_runner::serve(&mut Caller { runtime, client, other, keeps: false })?)
}
