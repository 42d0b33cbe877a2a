//! Charts: axes, the cursor, and what is shown of the numbers.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context, Result, ensure};
use serde_json::json;

use super::drawing::Drawing;
use super::numbers::{self, Row};
use super::visit::{self, choose};
use super::{PageTest, Site, links, saving};
use crate::browser::{Point, Tab};

pub(super) const TESTS: &[PageTest] = page_tests![
    a_logarithmic_axis_moves_every_point,
    hovering_reads_out_the_saved_numbers,
    the_legend_hides_and_isolates,
    the_table_has_the_saved_numbers,
    heatmap_and_heads_show_every_layer_and_head,
    every_view_is_drawn_and_saved_and_in_links,
];

/// Points are drawn to a tenth of a pixel.
const PIXELS: f64 = 0.2;

/// A chart whose values span powers of ten is found by the metric's label.
const LABEL: &str = "condition_number";

fn a_logarithmic_axis_moves_every_point(tab: &Tab, site: &Site) -> Result<()> {
    visit::finish_demo(tab, &site.page)?;
    tab.choose_option("[data-test=choose-metric]", LABEL)?;
    visit::wait_until_drawn(tab)?;
    let values = values(tab, "[data-test=card]")?;
    let (x_words, log_x) = (first_drawing(tab)?.words, |step: f64| (step + 1.0).ln());
    choose(tab, "x", "linear")?;
    let opened = first_drawing(tab)?;
    stands_at(&opened, &values, |step| step, f64::ln)?;
    let is_told = opened.words.iter().any(|words| words == "log scale");
    ensure!(
        is_told,
        "nothing says that y is logarithmic: {:?}",
        opened.words
    );
    choose(tab, "y", "linear")?;
    let linear = first_drawing(tab)?;
    ensure!(linear.words != x_words, "the ticks of x are the same");
    stands_at(&linear, &values, |step| step, |value| value)?;
    choose(tab, "y", "log")?;
    let log = first_drawing(tab)?;
    ensure!(log.words != linear.words, "the ticks of y are the same");
    stands_at(&log, &values, |step| step, f64::ln)?;
    choose(tab, "x", "log")?;
    let both = first_drawing(tab)?;
    let straight = stands_at(&both, &values, |step| step, f64::ln);
    ensure!(straight.is_err(), "x is still linear");
    rises(&both, log_x)
}

/// Steps by series: the values of a chart's saved table.
type Values = BTreeMap<String, Vec<(f64, f64)>>;

fn values(tab: &Tab, card: &str) -> Result<Values> {
    let rows = saved_rows(tab, card)?;
    let mut values = Values::new();
    for row in rows.iter().filter(|row| row.field("head").is_empty()) {
        let (step, value) = row
            .number("step")?
            .zip(row.number("value")?)
            .context("a gap")?;
        values.entry(row.series()).or_default().push((step, value));
    }
    Ok(values)
}

fn saved_rows(tab: &Tab, card: &str) -> Result<Vec<Row>> {
    let folder = tempfile::tempdir()?;
    tab.download_to(folder.path())?;
    tab.click(&format!("{card} [data-test=save-csv]"))?;
    numbers::rows(&saving::only_file(folder.path())?)
}

fn first_drawing(tab: &Tab) -> Result<Drawing> {
    let drawings = visit::drawings(tab)?;
    Drawing::read(drawings.first().context("there is no drawing")?)
}

/// Whether every point of every line stands where its scales say: positions are an affine
/// function of the scaled value, the same for all.
fn stands_at(
    drawing: &Drawing,
    values: &Values,
    x: fn(f64) -> f64,
    y: fn(f64) -> f64,
) -> Result<()> {
    let mut pairs = (Vec::new(), Vec::new());
    for (name, points) in values {
        let drawn = drawing.line(name)?;
        ensure!(
            drawn.len() == points.len(),
            "{name} has {} points",
            drawn.len()
        );
        for (at, (step, value)) in drawn.iter().zip(points) {
            pairs.0.push((x(*step), at.x));
            pairs.1.push((y(*value), at.y));
        }
    }
    is_affine(&pairs.0).context("along x")?;
    is_affine(&pairs.1).context("along y")
}

fn is_affine(pairs: &[(f64, f64)]) -> Result<()> {
    let by_value = |a: &&(f64, f64), b: &&(f64, f64)| a.0.total_cmp(&b.0);
    let least = pairs.iter().min_by(by_value).context("no points")?;
    let most = pairs.iter().max_by(by_value).context("no points")?;
    let slope = (most.1 - least.1) / (most.0 - least.0);
    for (value, position) in pairs {
        let expected = least.1 + slope * (value - least.0);
        ensure!(
            (position - expected).abs() <= PIXELS,
            "a point stands at {position} instead of {expected}"
        );
    }
    Ok(())
}

/// On a logarithmic axis that begins with step 0, early steps are far apart.
fn rises(drawing: &Drawing, scale: fn(f64) -> f64) -> Result<()> {
    let (_, points) = drawing.lines.first().context("there is no line")?;
    let [first, second, .., last] = points.as_slice() else {
        anyhow::bail!("a line has {} points", points.len());
    };
    let share = (second.x - first.x) / (last.x - first.x);
    let linear = (scale(1.0) - scale(0.0)) / (scale(2000.0) - scale(0.0));
    ensure!(
        share > linear / 2.0,
        "the first step takes {share} of the axis"
    );
    Ok(())
}

/// Every series' value at a step, in two charts at once.
fn hovering_reads_out_the_saved_numbers(tab: &Tab, site: &Site) -> Result<()> {
    visit::finish_demo(tab, &site.page)?;
    let step = 64.0;
    let shown: Vec<Values> = [1, 2]
        .iter()
        .map(|number| values(tab, &format!("[data-test=card]:nth-of-type({number})")))
        .collect::<Result<_>>()?;
    point_at(tab, &shown[0], step)?;
    tab.wait_for_words("[data-test=cursor-at]", "step 64")?;
    let legends = visit::legends(tab)?;
    let mut compared = 0;
    for (values, legend) in shown.iter().zip(&legends) {
        for (name, shown) in legend {
            let points = values
                .get(name)
                .with_context(|| format!("{name} was not saved"))?;
            let point = points.iter().find(|(at, _)| *at == step);
            let value = point.map(|(_, value)| *value);
            ensure!(
                numbers::is_shown_as(value, shown)?,
                "{name}: {shown} for {value:?}"
            );
            compared += 1;
        }
    }
    ensure!(compared >= 24, "only {compared} values are shown");
    Ok(())
}

/// Moves the mouse over a step of the first chart.
fn point_at(tab: &Tab, values: &Values, step: f64) -> Result<()> {
    let drawing = first_drawing(tab)?;
    let (name, points) = values.iter().next().context("no series")?;
    let place = points
        .iter()
        .position(|(at, _)| *at == step)
        .context("no such step")?;
    let point = drawing.line(name)?.get(place).context("no such point")?;
    tab.middle_of("[data-test=card] [data-test=drawing]")?;
    let corner = tab.run(
        "const box = document.querySelector('[data-test=card] [data-test=drawing] svg').getBoundingClientRect();\
         return [box.x, box.y]",
    )?;
    let [x, y]: [f64; 2] = serde_json::from_value(corner)?;
    tab.move_mouse(Point {
        x: x + point.x + 1.0,
        y: y + point.y + 15.0,
    })
}

fn the_legend_hides_and_isolates(tab: &Tab, site: &Site) -> Result<()> {
    visit::finish_demo(tab, &site.page)?;
    let all = first_drawing(tab)?.lines.len();
    let toggle = "[data-test=card] [data-test=series] [data-test=series-toggle]";
    tab.click(toggle)?;
    tab.wait_until_still()?;
    let hidden = first_drawing(tab)?.lines.len();
    ensure!(
        hidden == all - 1,
        "{hidden} of {all} lines after one was hidden"
    );
    tab.click(toggle)?;
    tab.wait_until_still()?;
    tab.run(&format!(
        "document.querySelector({}).focus()",
        json!(toggle)
    ))?;
    tab.press("Shift+Enter")?;
    tab.wait_until_still()?;
    let alone = first_drawing(tab)?.lines;
    ensure!(
        alone.len() == 1,
        "{} lines after one was isolated",
        alone.len()
    );
    tab.click("[data-test=show-all]")?;
    tab.wait_until_still()?;
    ensure!(
        first_drawing(tab)?.lines.len() == all,
        "not all lines came back"
    );
    Ok(())
}

fn the_table_has_the_saved_numbers(tab: &Tab, site: &Site) -> Result<()> {
    visit::finish_demo(tab, &site.page)?;
    let values = values(tab, "[data-test=card]")?;
    choose(tab, "view", "Table")?;
    tab.wait_until_shown("[data-test=table] tbody tr")?;
    let rows = tab.run(
        "return [...document.querySelector('[data-test=table]').tBodies[0].rows].map(row =>\
           [...row.cells].map(cell => cell.textContent))",
    )?;
    let rows: Vec<Vec<String>> = serde_json::from_value(rows)?;
    let mut compared = 0;
    for row in rows.iter().filter(|row| row[2] == "–") {
        let name = format!("layer {} · {}", row[1], row[0]);
        let points = values
            .get(&name)
            .with_context(|| format!("{name} was not saved"))?;
        let (first, last) = (points.first().map(|at| at.1), points.last().map(|at| at.1));
        for (value, shown) in [(first, &row[3]), (last, &row[4])] {
            ensure!(
                numbers::is_shown_as(value, shown)?,
                "{name}: {shown} for {value:?}"
            );
        }
        compared += 1;
    }
    ensure!(
        compared == values.len(),
        "{compared} rows of {}",
        values.len()
    );
    filters_and_sorts(tab)
}

fn filters_and_sorts(tab: &Tab) -> Result<()> {
    let rows = "[...document.querySelector('[data-test=table]').tBodies[0].rows]";
    tab.click("[data-test=table-filter]")?;
    tab.type_text("layer 2")?;
    tab.wait_for(
        "rows of layer 2 only",
        &format!("{rows}.length > 0 && {rows}.every(row => row.cells[1].textContent === '2')"),
    )?;
    tab.click("[data-test=table] thead th:nth-of-type(5) button")?;
    tab.wait_for(
        "rows sorted by the last value",
        &format!(
            "(values => values.every((value, i) => i === 0 || values[i - 1] <= value))\
             ({rows}.map(row => parseFloat(row.cells[4].textContent)))"
        ),
    )
}

fn heatmap_and_heads_show_every_layer_and_head(tab: &Tab, site: &Site) -> Result<()> {
    visit::finish_demo(tab, &site.page)?;
    choose(tab, "view", "Heatmap")?;
    let words = first_drawing(tab)?.words;
    for layer in 0..3 {
        let row = format!("{layer} · v_proj");
        ensure!(
            words.contains(&row),
            "the heatmap has no row {row}: {words:?}"
        );
    }
    choose(tab, "view", "Heads")?;
    tab.wait_until_shown("[data-test=head-chart]")?;
    let charts = tab.count("[data-test=card]:nth-of-type(1) [data-test=head-chart]")?;
    ensure!(charts == 3, "three layers have {charts} small charts");
    let heads = tab.words("[data-test=card] [data-test=head-legend]")?;
    for head in 0..4 {
        ensure!(heads.contains(&head.to_string()), "no head {head}: {heads}");
    }
    Ok(())
}

/// Whatever views there are.
fn every_view_is_drawn_and_saved_and_in_links(tab: &Tab, site: &Site) -> Result<()> {
    visit::finish_demo(tab, &site.page)?;
    tab.choose_option("[data-test=choose-metric]", "gini")?;
    let titles = tab.run(
        "return [...document.querySelectorAll('[data-test=choose-view] button')].map(it => it.textContent)",
    )?;
    let titles: Vec<String> = serde_json::from_value(titles)?;
    ensure!(titles.len() > 3, "the views are {titles:?}");
    for title in titles.iter().filter(|title| *title != "Table") {
        choose(tab, "view", title)?;
        let drawings = all_drawings(tab)?;
        ensure!(!drawings.is_empty(), "{title}: nothing is drawn");
        let folder = tempfile::tempdir()?;
        tab.download_to(folder.path())?;
        tab.click("[data-test=card] [data-test=save-svg]")?;
        let saved = fs::read_to_string(saving::only_file(folder.path())?)?;
        let saved = Drawing::read(&saved)?;
        let heading = saved.words.iter().any(|words| words == "Gini coefficient");
        ensure!(heading, "{title}: the file says {:?}", saved.words);
        let link = links::shared(tab, "share-with")?;
        site.as_another_visitor(|tab| {
            visit::open(tab, &link)?;
            tab.wait_for_words("[data-test=choose-view] [aria-pressed=true]", title)?;
            let found = all_drawings(tab)?;
            ensure!(found == drawings, "{title}: the charts differ");
            Ok(())
        })?;
    }
    Ok(())
}

/// The drawings of all charts that are filled, small ones as well, as SVG text.
fn all_drawings(tab: &Tab) -> Result<Vec<String>> {
    tab.wait_for(
        "a drawing",
        "document.querySelector('[data-test=card] .drawing svg') \
         && !document.querySelector('[data-test=results][aria-busy=true]')",
    )?;
    tab.wait_until_still()?;
    let found = tab.run(
        "return [...document.querySelectorAll('[data-test=card] .drawing svg')].map(it => it.outerHTML)",
    )?;
    Ok(serde_json::from_value(found)?)
}

#[cfg(test)]
mod tests {
    use super::is_affine;

    #[test]
    fn what_is_not_straight_is_noticed() {
        assert!(is_affine(&[(0.0, 5.0), (1.0, 15.0), (2.0, 25.1)]).is_ok());
        assert!(is_affine(&[(0.0, 5.0), (1.0, 10.0), (2.0, 25.0)]).is_err());
    }
}
