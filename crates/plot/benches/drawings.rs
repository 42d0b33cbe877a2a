//! Times drawings as large as the page has them.
//!
//!     cargo bench -p ckptscope-plot -- FILTER
//!
//! FILTER is a part of a line, as in `heatmap`. Machines are noisy: compare ratios.

use std::hint::black_box;
use std::time::{Duration, Instant};

use ckptscope_plot::{Heatmap, Histogram, LineChart, Row, Scale, Series, Theme, layer_colours};

/// A drawing is made for this long at least.
const AT_LEAST: Duration = Duration::from_millis(300);

fn main() {
    let own = std::env::args()
        .skip(1)
        .find(|word| !word.starts_with("--"));
    let filter = own.unwrap_or_default();
    println!(
        "{:48} {:>9} {:>9} {:>9}",
        "milliseconds", "best", "median", "kB"
    );
    let lines_60 = lines(50, 60);
    let lines_100 = lines(50, 100);
    let spectrum = spectrum(4096);
    let heatmap = heatmap(48, 100);
    let histogram = histogram(200);
    let drawings: [(&str, &dyn Fn() -> String); 5] = [
        ("line chart, 50 series x 60 points, dots", &|| {
            lines_60.to_svg()
        }),
        ("line chart, 50 series x 100 points", &|| lines_100.to_svg()),
        ("line chart, 1 series x 4096 points", &|| spectrum.to_svg()),
        ("heatmap, 48 rows x 100 columns", &|| heatmap.to_svg()),
        ("histogram, 200 bins", &|| histogram.to_svg()),
    ];
    for (name, draw) in drawings {
        if name.contains(&filter) {
            time(name, draw);
        }
    }
}

fn time(name: &str, draw: &dyn Fn() -> String) {
    let kilobytes = draw().len() as f64 / 1e3;
    let mut times = Vec::new();
    while times.iter().sum::<Duration>() < AT_LEAST {
        let start = Instant::now();
        black_box(draw());
        times.push(start.elapsed());
    }
    times.sort();
    let milliseconds = |index: usize| times[index].as_secs_f64() * 1e3;
    let (best, median) = (milliseconds(0), milliseconds(times.len() / 2));
    println!("{name:48} {best:9.3} {median:9.3} {kilobytes:9.1}");
}

/// What varies without an order, 0 to 1.
fn scattered(index: usize) -> f64 {
    (index * 7919 % 1009) as f64 / 1008.0
}

fn lines(series: usize, points: usize) -> LineChart {
    let colours = layer_colours(series, Theme::Light).into_iter().enumerate();
    let line = |(line, colour)| Series {
        name: format!("layer {line}"),
        colour,
        points: (0..points)
            .map(|step| (step as f64, Some(scattered(line * points + step))))
            .collect(),
        ..Series::default()
    };
    LineChart {
        series: colours.map(line).collect(),
        ..LineChart::default()
    }
}

fn spectrum(values: usize) -> LineChart {
    let mut chart = lines(1, values);
    chart.y_scale = Scale::Log;
    for series in &mut chart.series {
        for (index, value) in &mut series.points {
            *value = Some(30.0 * (-*index / 300.0).exp());
        }
    }
    chart
}

fn heatmap(rows: usize, columns: usize) -> Heatmap {
    let row = |row: usize| Row {
        name: format!("{row} · v_proj"),
        values: (0..columns)
            .map(|column| Some(scattered(row * columns + column)))
            .collect(),
    };
    Heatmap {
        rows: (0..rows).map(row).collect(),
        columns: (0..columns).map(|step| (step * 100).to_string()).collect(),
        ..Heatmap::default()
    }
}

fn histogram(bins: usize) -> Histogram {
    Histogram {
        edges: (0..=bins).map(|edge| edge as f64).collect(),
        counts: (0..bins).map(|bin| bin as u64 * 17 % 101).collect(),
        ..Histogram::default()
    }
}
