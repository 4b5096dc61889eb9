//! Calls that are awaited.

use super::started::{Own, Remote};
use super::waiters::{Job, Outcome};
use super::{Call, CallError, Function};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

/// The result of a function that was called with [`Function::call_async`].
///
/// It needs no runtime, and is woken by a thread of dynplug's. In the process of the plugin nothing is called before it is polled for the first
/// time, and then the deadline begins. Dropped before that, nothing is called; dropped later, the call goes on and its result is
/// lost, but a call that still stands in line is not made.
#[must_use = "it is called when it is awaited"]
pub struct Calling<R>(State<R>);

enum State<R> {
    Done(Result<R, CallError>),
    New(Box<Sending>),
    Sent(Arc<Outcome>),
    /// The result was given.
    Over,
}

/// A call that was not sent yet.
struct Sending {
    own: Arc<Own>,
    number: u32,
    within: Option<Duration>,
    bytes: Vec<u8>,
}

impl Sending {
    fn send(self) -> Arc<Outcome> {
        let Sending { own, number, within, bytes } = self;
        let outcome = Arc::new(Outcome::default());
        let deadline = within.and_then(|within| Instant::now().checked_add(within));
        let caller = own.clone();
        let call = Box::new(move || caller.carry(number, deadline, &bytes));
        own.waiters.call(Job { deadline, call, outcome: outcome.clone() });
        outcome
    }
}

impl<R> fmt::Debug for Calling<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &self.0 {
            State::Done(_) => "done",
            State::New(_) => "not called yet",
            State::Sent(_) => "called",
            State::Over => "over",
        };
        f.debug_struct("Calling").field("state", &state).finish()
    }
}

// Nothing in it is pinned.
impl<R> Unpin for Calling<R> {}

impl<R: DeserializeOwned> Future for Calling<R> {
    type Output = Result<R, CallError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let outcome = match std::mem::replace(&mut self.0, State::Over) {
            State::Done(result) => return Poll::Ready(result),
            State::New(sending) => sending.send(),
            State::Sent(outcome) => outcome,
            State::Over => panic!("a call was polled after it had given its result"),
        };
        match outcome.poll(context) {
            Poll::Ready(answer) => Poll::Ready(answer.and_then(|answer| Own::read(&answer))),
            Poll::Pending => {
                self.0 = State::Sent(outcome);
                Poll::Pending
            }
        }
    }
}

impl<R> Drop for Calling<R> {
    fn drop(&mut self) {
        if let State::Sent(outcome) = &self.0 {
            outcome.give_up();
        }
    }
}

/// The result of an `async fn` of a plugin that was called with [`Function::future`].
///
/// In the host's process it is the function's own future; in another it is a [`Calling`].
#[must_use = "it runs when it is awaited"]
pub struct Awaited<H: Future>(Running<H>);

enum Running<H: Future> {
    Here(H),
    There(Calling<H::Output>),
}

impl<H: Future> fmt::Debug for Awaited<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = match &self.0 {
            Running::Here(_) => "the host's process",
            Running::There(_) => "its own process",
        };
        f.debug_struct("Awaited").field("in", &place).finish()
    }
}

impl<H: Future + Unpin> Future for Awaited<H>
where
    H::Output: DeserializeOwned,
{
    type Output = Result<H::Output, CallError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            Running::Here(future) => Pin::new(future).poll(context).map(Ok),
            Running::There(calling) => Pin::new(calling).poll(context),
        }
    }
}

impl<F> Function<F> {
    /// Calls it, and gives a future of the result, on any runtime. The arguments are written here and now, so nothing that they
    /// borrow needs to live on.
    ///
    /// In the host's process the function runs here and now, on this thread, and the future is ready: where that takes long, it is to be
    /// called where blocking is allowed (`spawn_blocking`), as any function is. For an `async fn` there is [`future`](Self::future).
    ///
    /// In another process nothing blocks, but for one thing: where host and plugin were built with different API libraries, the first call of
    /// each function asks what it wants, and waits for that here.
    ///
    /// # Errors
    ///
    /// As for [`call`](Self::call), when it is awaited; and [`CallError::NoThread`].
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # async fn all(plugin: dynplug::apart::Started) -> Result<(), Box<dyn std::error::Error>> {
    /// let greet = plugin.function::<fn(&str) -> String>("greet")?;
    /// let greeting = greet.call_async((&String::from("world"),));
    /// println!("{}", greeting.await?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn call_async<Arguments>(&self, arguments: Arguments) -> Calling<F::Output>
    where
        F: Call<Arguments>,
        Arguments: Serialize,
        F::Output: DeserializeOwned,
    {
        self.send(None, arguments)
    }

    /// As [`call_async`](Self::call_async), with a deadline of its own. It begins when the future is polled for the first time.
    ///
    /// # Errors
    ///
    /// As for [`call_async`](Self::call_async). In the host's process there is no deadline.
    pub fn call_async_within<Arguments>(&self, deadline: Duration, arguments: Arguments) -> Calling<F::Output>
    where
        F: Call<Arguments>,
        Arguments: Serialize,
        F::Output: DeserializeOwned,
    {
        self.send(Some(deadline), arguments)
    }

    fn send<Arguments>(&self, within: Option<Duration>, arguments: Arguments) -> Calling<F::Output>
    where
        F: Call<Arguments>,
        Arguments: Serialize,
        F::Output: DeserializeOwned,
    {
        match self.remote() {
            Err(function) => Calling(State::Done(Ok(function.call(arguments)))),
            Ok(remote) => remote.calling(within, &arguments),
        }
    }

    /// Calls an exported `async fn`, whose type as an export is `fn(A) -> Pin<Box<dyn Future<Output = R> + Send + '_>>`.
    ///
    /// In the host's process this is the future of the function, which is awaited as any other, without a deadline. In another process
    /// it is waited for there, on one of the plugin's threads ([`OwnProcess::threads`](super::OwnProcess::threads)), and here it is as with
    /// [`call_async`](Self::call_async).
    ///
    /// # Errors
    ///
    /// As for [`call_async`](Self::call_async), when it is awaited.
    pub fn future<Arguments>(&self, arguments: Arguments) -> Awaited<F::Output>
    where
        F: Call<Arguments>,
        Arguments: Serialize,
        F::Output: Future<Output: DeserializeOwned> + Unpin,
    {
        self.awaited(None, arguments)
    }

    /// As [`future`](Self::future), with a deadline of its own.
    ///
    /// # Errors
    ///
    /// As for [`future`](Self::future). In the host's process there is no deadline: runtimes have timeouts, and the future can be dropped.
    pub fn future_within<Arguments>(&self, deadline: Duration, arguments: Arguments) -> Awaited<F::Output>
    where
        F: Call<Arguments>,
        Arguments: Serialize,
        F::Output: Future<Output: DeserializeOwned> + Unpin,
    {
        self.awaited(Some(deadline), arguments)
    }

    fn awaited<Arguments>(&self, within: Option<Duration>, arguments: Arguments) -> Awaited<F::Output>
    where
        F: Call<Arguments>,
        Arguments: Serialize,
        F::Output: Future<Output: DeserializeOwned> + Unpin,
    {
        Awaited(match self.remote() {
            Err(function) => Running::Here(function.call(arguments)),
            Ok(remote) => Running::There(remote.calling(within, &arguments)),
        })
    }
}

impl Remote {
    fn calling<R: DeserializeOwned>(
        &self,
        within: Option<Duration>,
        arguments: &impl Serialize,
    ) -> Calling<R> {
        let within = within.or(self.own.deadline);
        let deadline = within.and_then(|within| Instant::now().checked_add(within));
        let written = self.compare::<R>(deadline, arguments).and_then(|()| Own::write(arguments));
        Calling(match written {
            Ok(bytes) => {
                State::New(Box::new(Sending { own: self.own.clone(), number: self.number, within, bytes }))
            }
            Err(error) => State::Done(Err(error)),
        })
    }
}
