//! Functions of any number of arguments, called with a tuple.

/// A function that is called with its arguments as a tuple: `(a,)`, `(a, b)`.
///
/// It holds for all functions of up to eight arguments, and is there so that [`Function::call`](super::Function::call) can be said.
pub trait Call<Arguments>: Copy + 'static {
    /// What the function returns.
    type Output;

    /// Calls it.
    fn call(self, arguments: Arguments) -> Self::Output;
}

macro_rules! call {
    ($($name:ident)*) => {
        impl<Function, Output, $($name),*> Call<($($name,)*)> for Function
        where
            Function: Fn($($name),*) -> Output + Copy + 'static,
        {
            type Output = Output;

            #[allow(non_snake_case)]
            fn call(self, ($($name,)*): ($($name,)*)) -> Output {
                self($($name),*)
            }
        }
    };
}

call!();
call!(A);
call!(A B);
call!(A B C);
call!(A B C D);
call!(A B C D E);
call!(A B C D E F);
call!(A B C D E F G);
call!(A B C D E F G H);
