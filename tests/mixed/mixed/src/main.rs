//! The program; what it does is in the library.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    mixed::main()
}
