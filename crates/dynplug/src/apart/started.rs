//! A plugin that was started, wherever it runs, and its functions.

use super::message::{Description, FIRST, GOOD, NO_RESULT, SHAPES, type_id};
use super::waiters::Waiters;
use super::{Call, CallError, OwnProcess, RunIn, StartError, shapes, signature};
use crate::error::{LookupError, OpenError, WrongType};
use crate::loader::Loader;
use crate::nearest::Nearest;
use crate::plugin::Plugin;
use crate::wire::{self, Described, Input, Output, Source};
use dynplug_process::channel::CallError as ChannelCallError;
use dynplug_process::keeper::{Failure, Keeper};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::any::{TypeId, type_name};
use std::cell::Cell;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// A plugin that was started, in the process of the host or in its own.
#[derive(Debug, Clone)]
pub struct Started(pub(super) Place);

#[derive(Debug, Clone)]
pub(super) enum Place {
    Host(&'static Plugin),
    #[cfg_attr(not(target_os = "linux"), allow(dead_code))]
    Own(Arc<Own>),
}

/// A plugin in a process of its own.
#[derive(Debug)]
pub(super) struct Own {
    pub(super) keeper: Keeper,
    /// For calls that are awaited.
    pub(super) waiters: Waiters,
    pub(super) description: Description,
    /// Whether types are the same here and there.
    pub(super) shares_types: bool,
    pub(super) deadline: Option<Duration>,
}

/// A function of a plugin, to be called with its arguments as a tuple.
///
/// `F` is the type that a lookup would name: `fn(&str) -> String`.
pub struct Function<F> {
    place: Callee<F>,
}

enum Callee<F> {
    Host(F),
    Own(Remote),
}

/// A function in a process of its own.
#[derive(Clone)]
pub(super) struct Remote {
    pub(super) own: Arc<Own>,
    pub(super) number: u32,
    /// What it wants and gives, once the result has been compared; of no use where types are the same here and there.
    expected: OnceLock<Arc<Described>>,
}

impl<F: Clone> Clone for Function<F> {
    fn clone(&self) -> Self {
        let place = match &self.place {
            Callee::Host(function) => Callee::Host(function.clone()),
            Callee::Own(remote) => Callee::Own(remote.clone()),
        };
        Function { place }
    }
}

impl<F> fmt::Debug for Function<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = match &self.place {
            Callee::Host(_) => "the host's process",
            Callee::Own(_) => "its own process",
        };
        f.debug_struct("Function").field("type", &type_name::<F>()).field("in", &place).finish()
    }
}

impl Loader {
    /// Chooses where [`start`](Self::start) has plugins run.
    #[must_use]
    pub fn run_in(mut self, place: RunIn) -> Self {
        self.apart.place = place;
        self
    }

    /// Chooses how the processes of plugins are kept that run in their own.
    #[must_use]
    pub fn own_process(mut self, options: OwnProcess) -> Self {
        self.apart.options = options;
        self
    }

    /// Starts a plugin by its name or its path, as [`open`](Self::open) does, where [`run_in`](Self::run_in) says.
    ///
    /// In a process of its own each start is a new process. A plugin that is linked into the program runs in the program.
    ///
    /// # Errors
    ///
    /// As for [`open`](Self::open); and when its process can't be started, or isn't ready in time.
    ///
    /// # Safety
    ///
    /// As for [`open`](Self::open), for what runs in the host's process. With [`RunIn::OwnProcess`] nothing is asked of anybody: what a
    /// plugin does to its own process is nothing to the host's.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use dynplug::Loader;
    /// use dynplug::apart::RunIn;
    ///
    /// let loader = Loader::new().beside_program().run_in(RunIn::OwnProcess);
    /// // SAFETY: it runs in a process of its own.
    /// let plugin = unsafe { loader.start("hello") }?;
    /// let greet = plugin.function::<fn(&str) -> String>("greet")?;
    /// println!("{}", greet.call(("world",))?);
    /// # Ok(())
    /// # }
    /// ```
    pub unsafe fn start(&self, plugin: impl AsRef<Path>) -> Result<Started, StartError> {
        let plugin = plugin.as_ref();
        if self.apart.place != RunIn::OwnProcess {
            // SAFETY: the caller's obligation is handed on as it is.
            match unsafe { self.open(plugin) } {
                Ok(plugin) => return Ok(Started(Place::Host(plugin))),
                Err(OpenError::Mismatch { .. }) if self.apart.place == RunIn::HostIfItFits => {}
                Err(error) => return Err(error.into()),
            }
        }
        match self.file_of(plugin)? {
            Some(file) => self.start_apart(&file),
            // SAFETY: it is linked in, and so is part of the program.
            None => Ok(Started(Place::Host(unsafe { self.open(plugin) }?))),
        }
    }

    #[cfg(not(target_os = "linux"))]
    fn start_apart(&self, _path: &Path) -> Result<Started, StartError> {
        Err(StartError::Process(super::ChannelError::Unsupported))
    }
}

impl Started {
    /// The name of the plugin's package.
    pub fn name(&self) -> &str {
        match &self.0 {
            Place::Host(plugin) => plugin.name(),
            Place::Own(own) => &own.description.name,
        }
    }

    /// The version of the plugin's package.
    pub fn version(&self) -> &str {
        match &self.0 {
            Place::Host(plugin) => plugin.version(),
            Place::Own(own) => &own.description.version,
        }
    }

    /// The plugin itself, where it runs in the host's process.
    pub fn in_host(&self) -> Option<&'static Plugin> {
        match &self.0 {
            Place::Host(plugin) => Some(plugin),
            Place::Own(_) => None,
        }
    }

    /// The numbers of the plugin's own processes that run now.
    pub fn processes(&self) -> Vec<u32> {
        match &self.0 {
            Place::Host(_) => Vec::new(),
            Place::Own(own) => own.keeper.processes(),
        }
    }

    /// How many processes were started for it so far.
    pub fn started(&self) -> u64 {
        match &self.0 {
            Place::Host(_) => 0,
            Place::Own(own) => own.keeper.started(),
        }
    }

    /// The function with this name, if it has this type, and if serde can carry what goes in and comes out where it runs in another
    /// process.
    ///
    /// # Errors
    ///
    /// As for [`Plugin::lookup`]; and [`LookupError::InProcessOnly`].
    pub fn function<F: Copy + 'static>(&self, name: &str) -> Result<Function<F>, LookupError> {
        let place = match &self.0 {
            Place::Host(plugin) => Callee::Host(plugin.lookup(name)?),
            Place::Own(own) => Callee::Own(own.remote(name, TypeId::of::<F>(), type_name::<F>())?),
        };
        Ok(Function { place })
    }

    /// The value that a static has now, as serde carries it. In the host's process [`Plugin::lookup`] gives the static itself.
    ///
    /// # Errors
    ///
    /// As for [`function`](Self::function), and as for [`Function::call`].
    pub fn value<T>(&self, name: &str) -> Result<Result<T, CallError>, LookupError>
    where
        T: Serialize + DeserializeOwned + 'static,
    {
        match &self.0 {
            Place::Host(plugin) => plugin.lookup::<&'static T>(name).map(copied),
            Place::Own(own) => {
                let remote = own.remote(name, TypeId::of::<&'static T>(), type_name::<&'static T>())?;
                Ok(remote.call(None, &()))
            }
        }
    }

    /// Ends the plugin's own processes and waits until they have ended. Who holds a [`Function`] gets errors from it. A plugin in
    /// the host's process stays, and this does nothing.
    pub fn close(&self) {
        if let Place::Own(own) = &self.0 {
            own.keeper.close();
        }
    }
}

impl<F> Function<F> {
    /// Calls it, with its arguments as a tuple, and waits for the result.
    ///
    /// # Errors
    ///
    /// None in the host's process. Otherwise when the arguments can't be written, the deadline of [`OwnProcess::deadline`] passes, or the
    /// process ends.
    pub fn call<Arguments>(&self, arguments: Arguments) -> Result<F::Output, CallError>
    where
        F: Call<Arguments>,
        Arguments: Serialize,
        F::Output: DeserializeOwned,
    {
        self.reach(None, arguments)
    }

    /// Calls it with a deadline of its own.
    ///
    /// # Errors
    ///
    /// As for [`call`](Self::call). In the host's process there is no deadline: nothing ends a function there.
    pub fn call_within<Arguments>(
        &self,
        deadline: Duration,
        arguments: Arguments,
    ) -> Result<F::Output, CallError>
    where
        F: Call<Arguments>,
        Arguments: Serialize,
        F::Output: DeserializeOwned,
    {
        self.reach(Some(deadline), arguments)
    }

    /// The function where it is, if that is another process.
    pub(super) fn remote(&self) -> Result<&Remote, F>
    where
        F: Copy,
    {
        match &self.place {
            Callee::Host(function) => Err(*function),
            Callee::Own(remote) => Ok(remote),
        }
    }

    fn reach<Arguments>(&self, within: Option<Duration>, arguments: Arguments) -> Result<F::Output, CallError>
    where
        F: Call<Arguments>,
        Arguments: Serialize,
        F::Output: DeserializeOwned,
    {
        match self.remote() {
            Err(function) => Ok(function.call(arguments)),
            Ok(remote) => remote.call(within, &arguments),
        }
    }
}

thread_local! {
    /// The bytes of the last answer, so that the next finds memory.
    static ANSWER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// So much of it is kept.
const KEPT: usize = 1 << 20;

/// What another process would be sent of a value. An atomic or a mutex has no clone, and what serde leaves out of a value is left
/// out wherever the plugin runs.
fn copied<T: Serialize + DeserializeOwned>(value: &T) -> Result<T, CallError> {
    let mut bytes = Vec::new();
    Output::new(&mut bytes).write(value).map_err(|error| CallError::Result(error.to_string()))?;
    Own::read(&bytes)
}

impl Own {
    fn remote(self: &Arc<Self>, name: &str, id: TypeId, want: &str) -> Result<Remote, LookupError> {
        let Description { name: plugin, items, .. } = &self.description;
        let Some((number, item)) = (FIRST..).zip(items).find(|(_, item)| item.name == name) else {
            let mut near = Nearest::to(name);
            items.iter().for_each(|item| near.add(&item.name));
            return Err(LookupError::NotFound {
                plugin: plugin.clone(),
                name: name.to_owned(),
                nearest: near.names(),
                exports: items.len(),
                first: items.iter().take(5).map(|item| item.name.clone()).collect(),
            });
        };
        let is_same = match self.shares_types {
            true => item.type_id == type_id(id),
            false => signature::is_alike(&item.type_name, want),
        };
        if !is_same {
            return Err(LookupError::WrongType(WrongType {
                plugin: plugin.clone(),
                name: name.to_owned(),
                have: item.type_name.clone(),
                want: want.to_owned(),
                copies: Vec::new(),
            }));
        }
        if !item.obstacles.is_empty() {
            return Err(LookupError::InProcessOnly {
                plugin: plugin.clone(),
                name: name.to_owned(),
                obstacles: item.obstacles.clone(),
            });
        }
        Ok(Remote { own: self.clone(), number, expected: OnceLock::new() })
    }

    /// What a function wants and gives.
    fn expected(&self, number: u32, deadline: Option<Instant>) -> Result<Described, CallError> {
        self.ask(SHAPES, deadline, &number.saturating_sub(FIRST))
    }

    fn ask<R: DeserializeOwned>(
        &self,
        number: u32,
        deadline: Option<Instant>,
        arguments: &impl Serialize,
    ) -> Result<R, CallError> {
        let mut answer = ANSWER.take();
        let write = |mut writer: &mut dyn std::io::Write| Output::new(&mut writer).write(arguments);
        let called = self.keeper.call(number, deadline, write, &mut answer);
        let result = Own::answered(called, &answer).and_then(|()| Own::read(&answer));
        if answer.capacity() <= KEPT {
            ANSWER.set(answer);
        }
        result
    }

    /// Arguments as they are sent.
    pub(super) fn write(arguments: &impl Serialize) -> Result<Vec<u8>, CallError> {
        let mut bytes = Vec::new();
        let written = Output::new(&mut bytes).write(arguments);
        written.map_err(|error| CallError::from(Failure::Written(error)))?;
        Ok(bytes)
    }

    /// Sends arguments that are written already, and gives the bytes of the result.
    pub(super) fn carry(
        &self,
        number: u32,
        deadline: Option<Instant>,
        bytes: &[u8],
    ) -> Result<Vec<u8>, CallError> {
        let mut answer = Vec::new();
        let write = |writer: &mut dyn std::io::Write| {
            // It takes all of them, and says later whether there was room.
            let _ = writer.write_all(bytes);
            Ok(())
        };
        let called = self.keeper.call(number, deadline, write, &mut answer);
        Own::answered(called, &answer).map(|()| answer)
    }

    /// Whether what was answered is a result.
    fn answered(called: Result<u32, Failure<wire::Error>>, answer: &[u8]) -> Result<(), CallError> {
        match called {
            Ok(GOOD) => Ok(()),
            Ok(status) => {
                let text = String::from_utf8_lossy(answer).into_owned();
                Err(if status == NO_RESULT { CallError::Result(text) } else { CallError::Arguments(text) })
            }
            Err(failure) => Err(failure.into()),
        }
    }

    /// Reads what a function gave.
    pub(super) fn read<R: DeserializeOwned>(answer: &[u8]) -> Result<R, CallError> {
        let cant = |why: &dyn fmt::Display| CallError::Result(format!("the result can't be read: {why}"));
        let mut input = Input::new(answer);
        let result = input.forgetting().read().map_err(|error| match error {
            wire::Error::Arguments(error) => cant(&error),
            other => CallError::Result(other.to_string()),
        })?;
        match input.rest() {
            0 => Ok(result),
            more => Err(cant(&format_args!("there are {more} bytes more than it has"))),
        }
    }
}

impl Remote {
    /// Calls it, by the deadline of the options where there is none of the call's own.
    fn call<R: DeserializeOwned>(
        &self,
        within: Option<Duration>,
        arguments: &impl Serialize,
    ) -> Result<R, CallError> {
        let within = within.or(self.own.deadline);
        let deadline = within.and_then(|within| Instant::now().checked_add(within));
        self.compare::<R>(deadline, arguments)?;
        self.own.ask(self.number, deadline, arguments)
    }

    /// Whether the plugin means the same by what goes in and comes out.
    pub(super) fn compare<R: DeserializeOwned>(
        &self,
        deadline: Option<Instant>,
        arguments: &impl Serialize,
    ) -> Result<(), CallError> {
        if !self.own.shares_types {
            let expected = match self.expected.get() {
                Some(expected) => expected,
                None => {
                    let expected = self.own.expected(self.number, deadline)?;
                    shapes::gives::<R>(&expected).map_err(CallError::Shape)?;
                    self.expected.get_or_init(|| Arc::new(expected))
                }
            };
            shapes::wants(expected, arguments).map_err(CallError::Shape)?;
        }
        Ok(())
    }
}

impl From<Failure<wire::Error>> for CallError {
    fn from(failure: Failure<wire::Error>) -> CallError {
        match failure {
            Failure::Written(wire::Error::Result(error)) => {
                CallError::Arguments(format!("the arguments can't be written: {error}"))
            }
            Failure::Written(error) => CallError::Arguments(error.to_string()),
            Failure::Ended(ending) => CallError::Ended(ending),
            Failure::GivenUp(ending) | Failure::NotStarted(ending) => CallError::NotRunning(ending),
            Failure::Closed => CallError::Closed,
            Failure::Call(ChannelCallError::Deadline) => CallError::Deadline,
            Failure::Call(ChannelCallError::Panicked) => CallError::Panicked,
            Failure::Call(error @ ChannelCallError::TooLarge { .. }) => {
                CallError::Arguments(error.to_string())
            }
            Failure::Call(error @ ChannelCallError::AnswerTooLarge { .. }) => {
                CallError::Result(error.to_string())
            }
            Failure::Call(error) => CallError::Channel(error),
            other => CallError::Result(format!("{other:?}")),
        }
    }
}
