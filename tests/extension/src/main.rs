//! Analyses a run with a metric and a component that ckptscope does not have.
//!
//!     cargo run -- FOLDER
//!
//! Every number comes as one line: label, step, key, value or the reason why there is none.

mod negative_share;
mod value_overlap;

use std::error::Error;
use std::ops::ControlFlow;

use ckptscope_analysis::protocol::{Event, Record};
use ckptscope_analysis::{Config, Plan, Registry, run_lane};
use ckptscope_checkpoint::{LocalTree, Run};

use negative_share::NegativeShare;
use value_overlap::ValueOverlap;

/// Own and built-in metrics of own and built-in components.
const CONFIG: &str = "
steps: all
metrics:
  - metric_name: negative_share
    data_split: val
    components: &both
      - {component_name: value_overlap, data_type: weights, layer_suffixes: {value_layer: attention.v_proj}, layers: all}
      - {component_name: simple, data_type: weights, layer_suffixes: attention.v_proj, layers: all}
  - {metric_name: norm, norm_type: nuclear, data_split: val, components: *both}
  - {metric_name: norm, norm_type: frobenius, data_split: val, components: *both}
";

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).ok_or("name a run's folder")?;
    let records = futures_lite::future::block_on(analyse(&folder))?;
    for Record {
        label,
        step,
        key,
        value,
        status,
        ..
    } in records
    {
        let answer = value.map_or(status.unwrap_or_default(), |value| value.to_string());
        println!("{label}\t{step}\t{key}\t{answer}");
    }
    Ok(())
}

async fn analyse(folder: &str) -> Result<Vec<Record>, Box<dyn Error>> {
    let registry = Registry::default()
        .metric(&NegativeShare)
        .component(&ValueOverlap);
    let config = Config::parse(CONFIG, &registry)?;
    let tree = LocalTree::scan(folder)?;
    let run = Run::find(&tree).await?;
    let plan = Plan::make(&config, &run, &tree).await?;
    let mut records = Vec::new();
    for lane in &plan.lanes {
        let mut listener = |event| {
            if let Event::Record(record) = event {
                records.push(record);
            }
            ControlFlow::Continue(())
        };
        run_lane(lane, &tree, &mut listener).await?;
    }
    Ok(records)
}
