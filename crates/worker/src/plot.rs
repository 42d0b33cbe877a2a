//! `worker plot`: results to figures.

mod outline;
mod pdf;
mod selection;

use std::path::{Path, PathBuf};

use anyhow::Result;
use ckptscope_chart::{CHARTS, Chart};
use ckptscope_plot::{Scale, Theme};
use ckptscope_report::curve::{PanelCurves, panels};
use ckptscope_report::figure::{By, Choice, Drawn, FigureError, draw};
use ckptscope_results::{PanelId, Results};

use crate::arguments::{ByArgument, FormatArgument, PlotArguments, ScaleArgument, ThemeArgument};
use crate::output::{self, is_standard_output};
use crate::{Misuse, Outcome, console, results_file};

use outline::Paper;

/// CSS pixels per centimetre.
const PIXELS_PER_CM: f64 = 96.0 / 2.54;
/// A figure has at least this width and height in centimetres, and at most that.
const SIZES_CM: std::ops::RangeInclusive<f64> = 2.0..=200.0;
/// A warning names at most so many characters.
const MOST_SHOWN: usize = 20;
const RESOLUTIONS: std::ops::RangeInclusive<u32> = 30..=2400;

/// Runs the command.
pub(crate) fn run(arguments: &PlotArguments) -> Result<Outcome> {
    let results = results_file::read(&arguments.results)?;
    let panels = panels(&results);
    let choice = choice(arguments, &panels)?;
    if arguments.metric.is_some() {
        let format = format_of(arguments)?;
        let panel = selection::one(&panels, arguments, &choice.components)?;
        let drawn = draw(panel, &results.entries, &choice).map_err(|error| judged(&error))?;
        write(&drawn, arguments, &arguments.out, format)?;
    } else {
        write_all(&results, &panels, arguments, &choice)?;
    }
    Ok(Outcome::Done)
}

/// A file for each panel, but for those that have nothing of what was chosen.
fn write_all(
    results: &Results,
    panels: &[PanelCurves],
    arguments: &PlotArguments,
    choice: &Choice,
) -> Result<()> {
    if is_standard_output(&arguments.out) {
        let words = "--out - is for one figure: choose it with --metric";
        return Err(Misuse(words.to_owned()).into());
    }
    if format_of(arguments).is_ok() && !arguments.out.is_dir() {
        let words = format!(
            "--out {} is a file of one figure: choose it with --metric, or name a folder for all",
            arguments.out.display()
        );
        return Err(Misuse(words).into());
    }
    let wanted = selection::all(panels, arguments)?;
    let mut written = 0;
    for panel in wanted {
        match draw(panel, &results.entries, choice) {
            Ok(drawn) => {
                let path = arguments.out.join(file_name(&panel.id, arguments.format));
                write(&drawn, arguments, &path, arguments.format)?;
                written += 1;
            }
            Err(FigureError::Nothing { .. }) => {}
            Err(error) => return Err(judged(&error)),
        }
    }
    if written == 0 {
        let words = "none of the metrics has values of what was chosen";
        return Err(Misuse(words.to_owned()).into());
    }
    Ok(())
}

fn write(
    drawn: &Drawn,
    arguments: &PlotArguments,
    path: &Path,
    format: FormatArgument,
) -> Result<()> {
    let in_cm =
        |asked: Option<f64>, pixels: u32| asked.unwrap_or(f64::from(pixels) / PIXELS_PER_CM);
    let paper = Paper {
        width_cm: in_cm(arguments.width, drawn.size.width),
        height_cm: in_cm(arguments.height, drawn.size.height),
    };
    let bytes = match format {
        FormatArgument::Svg => outline::svg(drawn, paper)?.into_bytes(),
        FormatArgument::Png => outline::png(drawn, paper, arguments.dpi)?,
        FormatArgument::Pdf => pdf::pdf(drawn, paper)?,
    };
    output::write_or_print(path, &bytes, format != FormatArgument::Svg)?;
    let Paper {
        width_cm,
        height_cm,
    } = paper;
    let shown = output::shown(path);
    console::say(&format!("{shown}: {width_cm:.1} by {height_cm:.1} cm"));
    if let Some(omitted) = &drawn.omitted {
        console::say(&format!("{shown}: {}", console::printable(omitted)));
    }
    warn_of_lacking(drawn, path)
}

/// Says which characters a figure leaves out.
fn warn_of_lacking(drawn: &Drawn, path: &Path) -> Result<()> {
    let lacking = outline::lacking(drawn)?;
    if !lacking.is_empty() {
        let shown = lacking.iter().take(MOST_SHOWN).map(char::to_string);
        let shown = console::printable(&shown.collect::<Vec<_>>().join(" "));
        let path = output::shown(path);
        console::say(&format!(
            "warning: {path} leaves out characters that its font does not have: {shown}"
        ));
    }
    Ok(())
}

/// `norm_nuclear_val_weights.svg`.
fn file_name(id: &PanelId, format: FormatArgument) -> PathBuf {
    let entry = &id.entry;
    let parts = [
        &*entry.label,
        entry.split.name(),
        id.kind.name(),
        &*id.output,
    ];
    let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let name: String = parts
        .join("_")
        .chars()
        .map(|c| if is_plain(c) { c } else { '-' })
        .collect();
    let ending = match format {
        FormatArgument::Svg => "svg",
        FormatArgument::Png => "png",
        FormatArgument::Pdf => "pdf",
    };
    PathBuf::from(format!("{name}.{ending}"))
}

/// By the file's ending; what goes to the standard output has none.
fn format_of(arguments: &PlotArguments) -> Result<FormatArgument> {
    let path = &arguments.out;
    if is_standard_output(path) {
        return Ok(arguments.format);
    }
    let ending = path.extension().and_then(|ending| ending.to_str());
    match ending.map(str::to_ascii_lowercase).as_deref() {
        Some("svg") => Ok(FormatArgument::Svg),
        Some("png") => Ok(FormatArgument::Png),
        Some("pdf") => Ok(FormatArgument::Pdf),
        _ => Err(Misuse(format!(
            "--out {}: a figure's file ends in .svg, .png or .pdf (without --metric --out is a \
             folder)",
            path.display()
        ))
        .into()),
    }
}

fn choice(arguments: &PlotArguments, panels: &[PanelCurves]) -> Result<Choice> {
    if !RESOLUTIONS.contains(&arguments.dpi) {
        let (least, most) = (RESOLUTIONS.start(), RESOLUTIONS.end());
        let words = format!("--dpi {}: from {least} to {most}", arguments.dpi);
        return Err(Misuse(words).into());
    }
    refuse_what_the_chart_lacks(arguments)?;
    Ok(Choice {
        components: selection::components(panels, arguments)?,
        layers: selection::layers(panels, arguments)?,
        heads: arguments.heads,
        chart: arguments.kind,
        by: match arguments.by {
            ByArgument::Layer => By::Layer,
            ByArgument::Head => By::Head,
            ByArgument::Component => By::Component,
        },
        // Training begins with step 0, which has a place on this one.
        x: arguments.x.map(|scale| scale.or(Scale::LogFromZero)),
        y: arguments.y.map(|scale| scale.or(Scale::Log)),
        free_y: arguments.free_y,
        theme: match arguments.theme {
            ThemeArgument::Light => Theme::Light,
            ThemeArgument::Dark => Theme::Dark,
        },
        width: pixels("--width", arguments.width)?,
        height: pixels("--height", arguments.height)?,
    })
}

/// Options that a chart has no use for are refused rather than passed over.
fn refuse_what_the_chart_lacks(arguments: &PlotArguments) -> Result<()> {
    let is_by_component = matches!(arguments.by, ByArgument::Component);
    let has_colours: fn(&Chart) -> bool = |chart| chart.has_colours;
    let options = [
        ("--by component", is_by_component, has_colours),
        ("--x", arguments.x.is_some(), Chart::has_x_axis),
        ("--free-y", arguments.free_y, Chart::has_x_axis),
    ];
    let chart = arguments.kind;
    let mut lacking = options.into_iter();
    let Some((option, _, has)) = lacking.find(|(_, is_asked, has)| *is_asked && !has(chart)) else {
        return Ok(());
    };
    let names: Vec<&str> = CHARTS
        .iter()
        .filter(|chart| has(chart))
        .map(|chart| chart.name)
        .collect();
    let (name, summary) = (chart.name, chart.summary);
    let names = names.join(", ");
    let words = format!("{option} is for {names}; a {name} has none ({summary})");
    Err(Misuse(words).into())
}

impl ScaleArgument {
    fn or(self, log: Scale) -> Scale {
        match self {
            Self::Linear => Scale::Linear,
            Self::Log => log,
        }
    }
}

fn pixels(name: &str, centimetres: Option<f64>) -> Result<Option<u32>> {
    let Some(length) = centimetres else {
        return Ok(None);
    };
    if !SIZES_CM.contains(&length) {
        let (least, most) = (SIZES_CM.start(), SIZES_CM.end());
        let words = format!("{name} {length}: a figure has from {least} to {most} centimetres");
        return Err(Misuse(words).into());
    }
    Ok(Some((length * PIXELS_PER_CM).round() as u32))
}

/// Whoever asks otherwise gets a figure.
fn judged(error: &FigureError) -> anyhow::Error {
    Misuse(error.to_string()).into()
}
