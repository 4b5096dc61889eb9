//! What the attributes leave to the features of the runtime: with `process` an item is served where that can be, and without
//! it nothing is made.
//!
//! Each argument comes with its number, a name, and how it is to be taken:
//!
//! | word | of what |
//! |---|---|
//! | `owned` | a type without a lifetime that is seen |
//! | `lending` | a type with one, which may borrow what it has from the bytes; `&str` and `&[u8]` too, which are the bytes |
//! | `behind` | a reference to something else without a lifetime that is seen |
//! | `behind_lending` | one to something with such a lifetime |
//! | `never` | `&mut`, and what wants to borrow for ever |

/// Which arguments serde can't carry, a bit for each; see `dynplug_manifest::record`.
#[cfg(feature = "process")]
#[doc(hidden)]
#[macro_export]
macro_rules! __dynplug_obstacles {
    ($(($number:literal $name:ident $kind:ident $type:ty))* ; $result:ty) => {{
        #[allow(unused_imports)]
        use $crate::__private::wire::Otherwise as _;
        0 $(| $crate::__private::wire::bit($number, $crate::__dynplug_obstacles!(@$kind $type)))*
            | $crate::__private::wire::bit(
                $crate::__private::record::OBSTACLE_RESULT,
                $crate::__private::wire::Returned::<$result>::IS,
            )
    }};
    (@owned $type:ty) => { $crate::__private::wire::Owned::<$type>::IS };
    (@lending $type:ty) => { $crate::__private::wire::Owned::<$type>::IS };
    (@behind_lending $type:ty) => { $crate::__dynplug_obstacles!(@behind $type) };
    (@behind $type:ty) => {
        $crate::__private::wire::Copied::<$type>::IS
            || $crate::__private::wire::Owned::<$type>::IS
            || $crate::__private::wire::Listed::<$type>::IS
    };
    (@never $type:ty) => { false };
}

/// How an exported function is served.
#[cfg(feature = "process")]
#[doc(hidden)]
#[macro_export]
macro_rules! __dynplug_served {
    ($obstacles:expr; $form:ident $function:expr; $(($number:literal $name:ident $kind:ident $type:ty))* ; $result:ty) => {{
        #[allow(unused_imports, unused_variables, unreachable_code)]
        fn serve(
            input: &mut $crate::__private::wire::Input<'_>,
            output: &mut $crate::__private::wire::Output<'_>,
        ) -> $crate::__private::wire::Done {
            use $crate::__private::wire::{GiveValue as _, TakeCopied as _, TakeListed as _, TakeOwned as _, TakeValue as _};
            $(let $name = $crate::__dynplug_served!(@take $kind $type, input)?;)*
            let result = $crate::__dynplug_served!(
                @$form $function($($crate::__dynplug_served!(@argument $kind $name)),*)
            );
            (&&$crate::__private::wire::Value::of(&result)).give(&result, output)
        }
        #[allow(unused_imports)]
        fn shape(shapes: &mut $crate::__private::wire::Shapes) -> $crate::__private::wire::Done {
            use $crate::__private::wire::{TraceCopied as _, TraceListed as _, TraceOwned as _, TraceValue as _};
            $($crate::__dynplug_served!(@trace $kind $type, shapes)?;)*
            (&&$crate::__private::wire::Value::<$result>::NEW).trace(shapes)
        }
        const WIRE: &$crate::__private::wire::Wire = &$crate::__private::wire::Wire { serve, shape };
        $crate::__private::served($obstacles, WIRE)
    }};
    (@take owned $type:ty, $input:ident) => {
        (&&$crate::__private::wire::Value::<$type>::NEW).take(&mut $input.forgetting())
    };
    (@take lending $type:ty, $input:ident) => { (&&$crate::__private::wire::Value::<$type>::NEW).take($input) };
    (@take behind $type:ty, $input:ident) => {
        (&&&&$crate::__private::wire::Behind::<$type>::NEW).take(&mut $input.forgetting())
    };
    (@take behind_lending $type:ty, $input:ident) => {
        (&&&&$crate::__private::wire::Behind::<$type>::NEW).take($input)
    };
    (@argument owned $name:ident) => { $name };
    (@argument lending $name:ident) => { $name };
    (@argument behind $name:ident) => { $name.get() };
    (@argument behind_lending $name:ident) => { $name.get() };
    (@trace owned $type:ty, $shapes:ident) => { (&&$crate::__private::wire::Value::<$type>::NEW).trace($shapes) };
    (@trace lending $type:ty, $shapes:ident) => { (&&$crate::__private::wire::Value::<$type>::NEW).trace($shapes) };
    (@trace behind $type:ty, $shapes:ident) => { (&&&&$crate::__private::wire::Behind::<$type>::NEW).trace($shapes) };
    (@trace behind_lending $type:ty, $shapes:ident) => { $crate::__dynplug_served!(@trace behind $type, $shapes) };
    (@now $call:expr) => { $call };
    (@later $call:expr) => { $crate::__private::wire::wait($call) };
}

/// How an exported static is served: its value is read.
#[cfg(feature = "process")]
#[doc(hidden)]
#[macro_export]
macro_rules! __dynplug_served_static {
    ($obstacles:expr; $variable:expr; $type:ty) => {{
        fn serve(
            _: &mut $crate::__private::wire::Input<'_>,
            output: &mut $crate::__private::wire::Output<'_>,
        ) -> $crate::__private::wire::Done {
            #[allow(unused_imports)]
            use $crate::__private::wire::GiveValue as _;
            (&&$crate::__private::wire::Value::of(&$variable)).give(&$variable, output)
        }
        fn shape(shapes: &mut $crate::__private::wire::Shapes) -> $crate::__private::wire::Done {
            #[allow(unused_imports)]
            use $crate::__private::wire::TraceValue as _;
            (&&$crate::__private::wire::Value::<$type>::NEW).trace(shapes)
        }
        const WIRE: &$crate::__private::wire::Wire = &$crate::__private::wire::Wire { serve, shape };
        $crate::__private::served($obstacles, WIRE)
    }};
}

/// Nobody knows what serde carries.
#[cfg(not(feature = "process"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __dynplug_obstacles {
    ($($any:tt)*) => {
        $crate::__private::record::OBSTACLES_UNKNOWN
    };
}

/// Nothing is served.
#[cfg(not(feature = "process"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __dynplug_served {
    ($($any:tt)*) => {
        $crate::__private::UNSERVED
    };
}

/// Nothing is served.
#[cfg(not(feature = "process"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __dynplug_served_static {
    ($($any:tt)*) => {
        $crate::__private::UNSERVED
    };
}
