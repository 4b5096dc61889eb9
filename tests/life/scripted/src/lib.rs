//! Does at its init what the API crate's script says. Tests make many plugins of it.

use app_api::dynplug::{OpenError, Plugin};
use app_api::{Guest, Token};
use std::any::Any;
use std::sync::atomic::{AtomicU64, Ordering};

/// How often this plugin was initialised, and what others add.
#[dynplug::export]
static COUNT: AtomicU64 = AtomicU64::new(0);

#[dynplug::init]
fn begin() -> Result<(), String> {
    COUNT.fetch_add(1, Ordering::Relaxed);
    app_api::script::play()
}

/// Opens another plugin.
#[dynplug::export]
fn open(name: &str) -> Result<&'static Plugin, OpenError> {
    app_api::open(name)
}

/// A type of the plugin's own behind a trait of the API crate.
struct Own(String);

impl Guest for Own {
    fn name(&self) -> String {
        self.0.clone()
    }
}

/// A guest of a type of the plugin's own.
#[dynplug::export]
fn guest(name: &str) -> Box<dyn Guest> {
    Box::new(Own(name.to_owned()))
}

/// A type of the API crate without its name.
#[dynplug::export]
fn token(name: &str) -> Box<dyn Any + Send> {
    Box::new(Token(name.to_owned()))
}

/// Whether this plugin sees a token of whoever made it as one.
#[dynplug::export]
fn knows(token: &(dyn Any + Send)) -> bool {
    token.is::<Token>()
}
