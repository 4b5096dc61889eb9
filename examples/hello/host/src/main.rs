//! The program; what it does is in the library, which other programs can be made of too.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    hello_host::main()
}
