//! The host: its first arguments say on what the futures run and where the plugin does, the last what is done.

use app_api::Boxed;
use app_api::dynplug::Loader;
use app_api::dynplug::apart::{CallError, Calling, OwnProcess, RunIn, Started};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

fn main() {
    let mut words = std::env::args().skip(1);
    let mut word = || words.next().expect("a word");
    let runtime = word();
    let (mut place, mut options) = (RunIn::OwnProcess, OwnProcess::new().processes(2));
    match &*word() {
        "host" => place = RunIn::Host,
        // Two calls at once, and no more: one is served, and one is in the next slot.
        "one" => options = OwnProcess::new().threads(1).keep_when_late(),
        "single" => options = OwnProcess::new(),
        _ => {}
    }
    let loader = Loader::new().beside_program().run_in(place).own_process(options);
    // SAFETY: the build made it.
    let plugin = unsafe { loader.start("worker") }.expect("it starts");
    let what = word();
    let work = work(plugin, what);
    match &*runtime {
        "bare" => bare(work),
        "one-thread" => tokio::runtime::Builder::new_current_thread().build().expect("a runtime").block_on(work),
        _ => tokio::runtime::Runtime::new().expect("a runtime").block_on(async {
            tokio::spawn(work).await.expect("it ends");
        }),
    }
}

async fn work(plugin: Started, what: String) {
    match &*what {
        "many" => many(&plugin).await,
        "meet" => meet(&plugin).await,
        "deadline" => deadline(&plugin).await,
        "line" => line(&plugin).await,
        "kill" => kill(&plugin).await,
        "drop" => dropped(&plugin).await,
        "async" => opened(&plugin).await,
        "closed" => {
            let sleep = plugin.function::<fn(u64) -> u32>("sleep").expect("it has it");
            let mut call = sleep.call_async((60_000,));
            assert!(once(&mut call).await.is_none());
            plugin.close();
            println!("under way: {}", call.await.unwrap_err());
            println!("later: {}", sleep.call_async((1,)).await.unwrap_err());
        }
        other => panic!("there is no {other}"),
    }
}

/// A hundred and more at once, all of them right. What they borrow is gone before they are awaited.
async fn many(plugin: &Started) {
    let greet = plugin.function::<fn(&str) -> String>("greet").expect("it has it");
    let calls = (0..300).map(|number| greet.call_async((&*format!("number {number}"),))).collect();
    let greetings = all(calls).await;
    let good = greetings.iter().enumerate().filter(|(number, greeting)| {
        greeting.as_ref().is_ok_and(|greeting| *greeting == format!("Hello, number {number}"))
    });
    println!("good: {}", good.count());
}

/// Four that wait for each other, on one thread of the host's.
async fn meet(plugin: &Started) {
    let meet = plugin.function::<fn(u32) -> u32>("meet").expect("it has it");
    let met = all((0..4).map(|_| meet.call_async_within(Duration::from_secs(60), (4,))).collect()).await;
    println!("met: {}", met.iter().filter(|met| matches!(met, Ok(4))).count());
}

async fn deadline(plugin: &Started) {
    let sleep = plugin.function::<fn(u64) -> u32>("sleep").expect("it has it");
    let late = sleep.call_async_within(Duration::from_millis(50), (60_000,)).await;
    println!("late: {}", late.unwrap_err());
    println!("then: {}", sleep.call_async_within(Duration::from_secs(60), (0,)).await.is_ok());
}

/// Whoever waits behind calls without an end is late in time.
async fn line(plugin: &Started) {
    let sleep = plugin.function::<fn(u64) -> u32>("sleep").expect("it has it");
    let mut endless: Vec<_> = (0..2).map(|_| sleep.call_async((3_600_000,))).collect();
    for call in &mut endless {
        assert!(once(call).await.is_none());
    }
    let late = sleep.call_async_within(Duration::from_millis(50), (1,)).await;
    println!("in line: {}", late.unwrap_err());
    plugin.close();
    println!("ended: {}", all(endless).await.iter().filter(|call| matches!(call, Err(CallError::Closed))).count());
}

async fn kill(plugin: &Started) {
    let sleep = plugin.function::<fn(u64) -> u32>("sleep").expect("it has it");
    let abort = plugin.function::<fn()>("abort").expect("it has it");
    let mut calls: Vec<Calling<u32>> = (0..40).map(|_| sleep.call_async_within(Duration::from_secs(60), (5,))).collect();
    for call in &mut calls {
        assert!(once(call).await.is_none());
    }
    let (died, slept) = (abort.call_async(()), all(calls));
    let died = died.await;
    let slept = slept.await;
    let ended = |result: &Result<u32, CallError>| {
        matches!(result, Ok(_) | Err(CallError::Ended(_) | CallError::NotRunning(_)))
    };
    println!("ended: {} of {}", slept.iter().filter(|result| ended(result)).count(), slept.len());
    println!("died: {}", died.unwrap_err());
    println!("then: {}", sleep.call_async_within(Duration::from_secs(60), (0,)).await.is_ok());
}

/// What is dropped before it is polled is not called; what is dropped in the midst goes on, and harms nobody.
async fn dropped(plugin: &Started) {
    let count = plugin.function::<fn(u32, u64) -> u32>("count").expect("it has it");
    drop(count.call_async((1, 0)));
    let mut polled = count.call_async((10, 100));
    assert!(once(&mut polled).await.is_none());
    let mut counted = 0;
    while counted < 10 {
        counted = count.call_async((0, 0)).await.expect("it counts");
    }
    drop(polled);
    println!("counted {}", count.call_async((5, 0)).await.expect("it counts"));
    println!("started {}", plugin.started());
}

/// On one thread this ends only if the first is awaited, and doesn't block.
async fn opened(plugin: &Started) {
    let opened = plugin.function::<for<'a> fn(&'a str) -> Boxed<'a, String>>("opened").expect("it has it");
    let open = plugin.function::<fn()>("open").expect("it has it");
    let mut first = opened.future(("the door",));
    assert!(once(&mut first).await.is_none());
    open.call_async(()).await.expect("it opens");
    println!("{}", first.await.expect("it is opened"));
}

/// Polls it once.
async fn once<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
    std::future::poll_fn(|context| {
        Poll::Ready(match Pin::new(&mut *future).poll(context) {
            Poll::Ready(output) => Some(output),
            Poll::Pending => None,
        })
    })
    .await
}

/// All of them at once.
async fn all<F: Future + Unpin>(mut futures: Vec<F>) -> Vec<F::Output> {
    let mut done: Vec<Option<F::Output>> = futures.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (future, done) in futures.iter_mut().zip(&mut done) {
            if done.is_none()
                && let Poll::Ready(output) = Pin::new(future).poll(context)
            {
                *done = Some(output);
            }
        }
        if done.iter().all(Option::is_some) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    done.into_iter().flatten().collect()
}

/// The smallest executor: this thread, which sleeps until it is woken.
fn bare(future: impl Future<Output = ()>) {
    struct Unpark(std::thread::Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let (mut future, mut context) = (pin!(future), Context::from_waker(&waker));
    while future.as_mut().poll(&mut context).is_pending() {
        std::thread::park();
    }
}
