//! Writes the report of a results file: `cargo run -p trainscope-report --example report RESULTS OUT`.
use trainscope_report::*;
fn main() {
    let mut a = std::env::args().skip(1);
    let text = std::fs::read_to_string(a.next().unwrap()).unwrap();
    let results = Results::parse(&text).unwrap();
    let t = std::time::Instant::now();
    let html = html(&results, &Provenance::default()).unwrap();
    eprintln!("{} bytes in {:?}", html.len(), t.elapsed());
    std::fs::write(a.next().unwrap(), html).unwrap();
}
