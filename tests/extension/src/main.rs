//! Analyses a run with a metric and a component that ckptscope does not have.
//!
//!     cargo run -- FOLDER
//!
//! Every number comes as one line: label, step, key, value or the reason why there is none.

mod negative_share;
mod value_overlap;

use std::error::Error;
use std::ops::ControlFlow;

use ckptscope_analysis::Event;
use ckptscope_analysis::{Config, Plan, Registry, run_lane};
use ckptscope_checkpoint::{LocalTree, Run};
use ckptscope_results::Number;

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
    let numbers = futures_lite::future::block_on(analyse(&folder))?;
    for number in numbers {
        let value = number.value.and_then(|value| value.number());
        let status = number.status.map(|status| status.to_string());
        let answer = value.map_or(status.unwrap_or_default(), |value| value.to_string());
        let (label, key) = (&number.id.entry.label, number.id.key());
        println!("{label}\t{}\t{key}\t{answer}", number.step);
    }
    Ok(())
}

async fn analyse(folder: &str) -> Result<Vec<Number>, Box<dyn Error>> {
    let registry = Registry::default()
        .metric(&NegativeShare)
        .component(&ValueOverlap);
    let config = Config::parse(CONFIG, &registry)?;
    let tree = LocalTree::scan(folder)?;
    let run = Run::find(&tree).await?;
    let plan = Plan::make(&config, &run, &tree).await?;
    let mut numbers = Vec::new();
    for lane in &plan.lanes {
        let mut listener = |event| {
            if let Event::Number(number) = event {
                numbers.push(number);
            }
            ControlFlow::Continue(())
        };
        run_lane(lane, &tree, &mut listener).await?;
    }
    Ok(numbers)
}
