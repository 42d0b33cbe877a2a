//! Arguments of `worker plot` and `worker report`.

use std::path::PathBuf;

use ckptscope_chart::{CHARTS, Chart};
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};

/// Arguments of `worker report`.
#[derive(Debug, Args)]
pub(crate) struct ReportArguments {
    /// A results file (`results.json`, `*.ckptscope.json`), or an analysis' folder.
    #[arg(value_name = "RESULTS")]
    pub(crate) results: PathBuf,
    /// The file to write; - for the standard output.
    #[arg(short, long, value_name = "FILE.html")]
    pub(crate) out: PathBuf,
}

/// Arguments of `worker plot`.
#[derive(Debug, Args)]
pub(crate) struct PlotArguments {
    /// A results file (`results.json`, `*.ckptscope.json`), or an analysis' folder.
    #[arg(value_name = "RESULTS")]
    pub(crate) results: PathBuf,
    /// The file to write, .svg, .png or .pdf; - for the standard output; without --metric a folder,
    /// for a file per metric.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// The metric's label, as in results.
    #[arg(long, value_name = "LABEL")]
    pub(crate) metric: Option<String>,
    /// train or val, where the metric has both.
    #[arg(long, value_name = "SPLIT")]
    pub(crate) split: Option<String>,
    /// weights, gradients or activations, where the metric has several.
    #[arg(long, value_name = "KIND")]
    pub(crate) data: Option<String>,
    /// Which of the metric's numbers, where it gives several (top_k_mean).
    #[arg(long, value_name = "NAME")]
    pub(crate) number: Option<String>,
    /// A component; give it again for several. All unless given.
    #[arg(long = "component", value_name = "NAME")]
    pub(crate) components: Vec<String>,
    /// Layers, as in 0,3..5. All unless given.
    #[arg(long, value_name = "LAYERS")]
    pub(crate) layers: Option<String>,
    /// Heads instead of whole layers.
    #[arg(long)]
    pub(crate) heads: bool,
    /// What shows values.
    #[arg(long, value_parser = charts(), default_value = CHARTS[0].name)]
    pub(crate) kind: &'static Chart,
    /// What colours mean; what else there is has a chart for each.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) by: ByArgument,
    /// The axis of steps; logarithmic if steps lie unevenly, unless given.
    #[arg(long, value_enum)]
    pub(crate) x: Option<ScaleArgument>,
    /// The axis of values; logarithmic if all are positive and span more than two powers of ten,
    /// unless given.
    #[arg(long, value_enum)]
    pub(crate) y: Option<ScaleArgument>,
    /// A y axis for each chart instead of one for all.
    #[arg(long)]
    pub(crate) free_y: bool,
    /// The figure's width in centimetres.
    #[arg(long, value_name = "CM")]
    pub(crate) width: Option<f64>,
    /// The figure's height in centimetres.
    #[arg(long, value_name = "CM")]
    pub(crate) height: Option<f64>,
    /// What it is to stand on.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) theme: ThemeArgument,
    /// Pixels per inch of PNG files.
    #[arg(long, value_name = "N", default_value_t = 300)]
    pub(crate) dpi: u32,
    /// What files are without --metric, and the figure of `--out -`.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: FormatArgument,
}

/// Takes the name of a chart.
fn charts() -> impl TypedValueParser<Value = &'static Chart> {
    let charts = CHARTS.iter();
    let names = charts.map(|chart| PossibleValue::new(chart.name).help(chart.summary));
    PossibleValuesParser::new(names)
        .try_map(|name| Chart::named(&name).ok_or_else(|| format!("there is no chart {name}")))
}

/// What colours mean.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(crate) enum ByArgument {
    /// Layers.
    #[default]
    Layer,
    /// Heads.
    Head,
    /// Components.
    Component,
}

/// How a value becomes a position.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum ScaleArgument {
    /// By differences.
    Linear,
    /// By ratios.
    Log,
}

/// What a figure stands on.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(crate) enum ThemeArgument {
    /// Paper.
    #[default]
    Light,
    /// A dark slide.
    Dark,
}

/// What a figure is written as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum FormatArgument {
    /// Lines, at any size.
    #[default]
    Svg,
    /// Pixels.
    Png,
    /// Lines and searchable words, as LaTeX takes them.
    Pdf,
}
