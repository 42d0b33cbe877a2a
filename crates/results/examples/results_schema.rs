//! Prints the JSON schema of `results.json`:
//!
//!     cargo run -p ckptscope-results --features schema --example results_schema > docs/results.schema.json

use ckptscope_results::schema;

fn main() {
    println!("{:#}", schema());
}
