//! The program; what it does is in the library, which other programs can be made of too.

fn main() -> std::process::ExitCode {
    server_host::main()
}
