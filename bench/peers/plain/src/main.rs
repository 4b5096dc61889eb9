//! A program that says hello, without plugins.

fn main() {
    println!("Hello, number {}", std::hint::black_box(7));
}
