//! Functions that cannot be init functions.

#[dynplug::init]
async unsafe extern "C" fn qualified() {}

#[dynplug::init]
fn generic<'a, T, const N: usize>()
where
    T: Clone,
{
}

#[dynplug::init]
fn with_arguments(_first: u32, (_, _): (u32, u32)) {}

#[dynplug::init]
fn opaque() -> impl Send {}

#[dynplug::init]
static START: u32 = 0;

#[dynplug::init]
struct Start;

#[dynplug::init(name = "start", once)]
fn named() {}

struct Plugin;

impl Plugin {
    #[dynplug::init]
    fn start(&self) {}
}

fn main() {}
