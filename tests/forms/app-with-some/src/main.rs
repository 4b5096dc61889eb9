//! The same host, with two plugins linked in; it loads the others.

use app_api as _;
use one as _;
use three as _;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    app::main()
}
