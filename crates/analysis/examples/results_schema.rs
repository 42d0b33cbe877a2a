//! Prints the JSON schema of `results.json`:
//!
//!     cargo run -p trainscope-analysis --features schema --example results_schema > docs/results.schema.json

use trainscope_analysis::results::schema;

fn main() {
    println!("{:#}", schema());
}
