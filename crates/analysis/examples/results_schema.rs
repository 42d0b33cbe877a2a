//! Prints the JSON schema of `results.json`:
//!
//!     cargo run -p ckptscope-analysis --features schema --example results_schema > docs/results.schema.json

use ckptscope_analysis::results::schema;

fn main() {
    println!("{:#}", schema());
}
