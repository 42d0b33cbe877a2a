//! `worker plot`: figures of the size that was asked for, with words that look the same
//! everywhere, and errors that say what there is.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use ckptscope_chart::CHARTS;
use ckptscope_results::{Number, Results, SEPARATOR, SeriesSet, Value};
use roxmltree::Document;

use crate::support::{CONFIG, Ended, Scratch, Sizes};

/// A folder with results in `out/scratch`: condition_number, per and cka of three layers.
fn analysed() -> Scratch {
    let scratch = Scratch::with_run(Sizes {
        layers: 3,
        steps: 4,
        width: 4,
    });
    scratch.analyze(CONFIG, "out", &[]).expect(0);
    scratch
}

fn plot(scratch: &Scratch, arguments: &[&str]) -> Ended {
    let start = ["plot", "out/scratch"];
    scratch.worker(&[&start[..], arguments].concat())
}

/// Width, height and pixels per metre of a PNG file.
fn of_png(path: &Path) -> (u32, u32, u32) {
    let bytes = fs::read(path).unwrap();
    let number = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
    let physical = bytes.windows(4).position(|name| name == b"pHYs").unwrap();
    (number(16), number(20), number(physical + 4))
}

#[test]
fn an_svg_has_its_size_in_centimetres_and_outlines_for_words() {
    let scratch = analysed();
    let asked = ["--width", "8.5", "--height", "6", "--out", "per.svg"];
    plot(&scratch, &[&["--metric", "per"], &asked[..]].concat()).expect(0);
    let text = fs::read_to_string(scratch.path().join("per.svg")).unwrap();
    let document = Document::parse(&text).unwrap();
    let root = document.root_element();
    assert_eq!(root.attribute("width"), Some("8.5cm"));
    assert_eq!(root.attribute("height"), Some("6cm"));
    let nodes = || document.descendants();
    assert!(!nodes().any(|node| node.has_tag_name("text")));
    assert!(!text.contains("font-family"));
    assert!(nodes().filter(|node| node.has_tag_name("path")).count() > 20);
    let title = nodes().find(|node| node.has_tag_name("title")).unwrap();
    assert_eq!(title.text(), Some("Effective rank (PER) · weights · val"));
}

#[test]
fn a_png_has_its_size_in_pixels_and_its_resolution() {
    let scratch = analysed();
    let size = ["--width", "8.5", "--height", "6", "--out", "cka.png"];
    plot(&scratch, &[&["--metric", "cka"], &size[..]].concat()).expect(0);
    assert_eq!(of_png(&scratch.path().join("cka.png")), (1004, 709, 11811));
    let size = ["--width", "5.08", "--height", "5.08", "--dpi", "100"];
    let arguments = [&["--metric", "cka", "--out", "cka.png"], &size[..]].concat();
    plot(&scratch, &arguments).expect(0);
    assert_eq!(of_png(&scratch.path().join("cka.png")), (200, 200, 3937));
}

#[test]
fn the_same_results_give_the_same_figure() {
    let scratch = analysed();
    for out in [
        "one.svg", "two.svg", "one.png", "two.png", "one.pdf", "two.pdf",
    ] {
        let arguments = ["--metric", "cka", "--kind", "heatmap", "--out", out];
        plot(&scratch, &arguments).expect(0);
    }
    for kind in ["svg", "png", "pdf"] {
        let read = |name| fs::read(scratch.path().join(format!("{name}.{kind}"))).unwrap();
        assert!(read("one") == read("two"), "{kind}");
    }
}

/// The numbers of a page's box, and how often a word stands in an uncompressed part.
fn of_pdf(bytes: &[u8]) -> (Vec<f64>, impl Fn(&str) -> usize) {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let (_, after) = text.split_once("/MediaBox").unwrap();
    let inside = after.split_once('[').unwrap().1.split_once(']').unwrap().0;
    let numbers = inside.split_whitespace().map(|word| word.parse().unwrap());
    (numbers.collect(), move |word: &str| {
        text.matches(word).count()
    })
}

#[test]
fn a_pdf_has_its_size_and_its_words() {
    let scratch = analysed();
    let size = ["--width", "8.5", "--height", "6", "--out", "per.pdf"];
    let ended = plot(&scratch, &[&["--metric", "per"], &size[..]].concat()).expect(0);
    ended.says(&["per.pdf: 8.5 by 6.0 cm"]);
    let bytes = fs::read(scratch.path().join("per.pdf")).unwrap();
    assert!(bytes.starts_with(b"%PDF-1.") && bytes.ends_with(b"%%EOF"));
    let (area, count) = of_pdf(&bytes);
    let expected = [0.0, 0.0, 8.5 / 2.54 * 72.0, 6.0 / 2.54 * 72.0];
    assert_eq!(area.len(), 4);
    for (found, expected) in area.iter().zip(expected) {
        assert!((found - expected).abs() < 0.01, "{area:?}");
    }
    // The plain face and the bold one, with what turns glyphs back into words.
    assert_eq!((count("+DejaVuSans"), count("/ToUnicode")), (6, 2));
    assert_eq!(count("/FontFile2"), 2);
    // Nothing that the clock says.
    assert_eq!(count("CreationDate") + count("ModDate"), 0);
    let title = "Effective rank".encode_utf16();
    let title: String = title.map(|unit| format!("{unit:04X}")).collect();
    assert_eq!(count(&title), 1);
    // Every metric has a file of its own, as of the other formats.
    plot(&scratch, &["--out", "figures", "--format", "pdf"]).expect(0);
    let files = fs::read_dir(scratch.path().join("figures")).unwrap();
    let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    assert!(names.filter(|name| name.ends_with(".pdf")).count() == 3);
}

#[test]
fn a_figure_goes_to_the_standard_output_by_itself() {
    let scratch = analysed();
    for format in ["svg", "png", "pdf"] {
        let file = format!("per.{format}");
        plot(&scratch, &["--metric", "per", "--out", &file]).expect(0);
        let output = Command::new(env!("CARGO_BIN_EXE_worker"))
            .args([
                "plot",
                "out/scratch",
                "--metric",
                "per",
                "--out",
                "-",
                "--format",
                format,
            ])
            .current_dir(scratch.path())
            .output()
            .unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{said}");
        assert!(said.starts_with("the standard output: "), "{said}");
        assert!(
            output.stdout == fs::read(scratch.path().join(file)).unwrap(),
            "{format}"
        );
    }
    let all = plot(&scratch, &["--out", "-"]).expect(2);
    all.says(&["--out - is for one figure: choose it with --metric"]);
    assert!(!scratch.path().join("-").exists());
    let all = plot(&scratch, &["--out", "all.pdf"]).expect(2);
    all.says(&["--out all.pdf is a file of one figure", "--metric"]);
    assert!(!scratch.path().join("all.pdf").exists());
}

#[cfg(unix)]
#[test]
fn a_terminal_gets_no_bytes() {
    let scratch = analysed();
    let worker = env!("CARGO_BIN_EXE_worker");
    let command = |format: &str| {
        let plot = format!("'{worker}' plot out/scratch --metric per --out - --format {format}");
        // util-linux gives it a terminal.
        let arguments = ["--quiet", "--return", "--command", &plot, "typescript"];
        let mut script = Command::new("script");
        script.args(arguments).current_dir(scratch.path());
        script.stdin(Stdio::null()).stdout(Stdio::null()).status()
    };
    let Ok(status) = command("pdf") else {
        eprintln!("skipped: there is no `script`, which gives a program a terminal");
        return;
    };
    assert_eq!(status.code(), Some(2));
    let said = fs::read_to_string(scratch.path().join("typescript")).unwrap();
    assert!(said.contains("the standard output is a terminal"), "{said}");
    assert_eq!(command("svg").unwrap().code(), Some(0));
}

#[test]
fn without_a_metric_there_is_a_file_for_each() {
    let scratch = analysed();
    plot(&scratch, &["--out", "figures", "--by", "component"]).expect(0);
    let files = fs::read_dir(scratch.path().join("figures")).unwrap();
    let mut names: Vec<String> = files
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let expected = [
        "cka_val_activations.svg",
        "condition_number_val_weights.svg",
        "per_val_weights.svg",
    ];
    assert_eq!(names, expected);
}

#[test]
fn names_that_are_not_there_are_told_with_those_that_are() {
    let scratch = analysed();
    let refused = |arguments: &[&str]| {
        let arguments = [arguments, &["--out", "x.svg"]].concat();
        plot(&scratch, &arguments).expect(2)
    };
    refused(&["--metric", "ckaa"]).says(&[
        "--metric ckaa is not in these results",
        "they have condition_number, per, cka.",
        "Did you mean cka?",
    ]);
    refused(&["--metric", "cka", "--split", "train"]).says(&["--split train", "they have val"]);
    refused(&["--metric", "cka", "--data", "weights"]).says(&["they have activations"]);
    let component = ["--metric", "cka", "--component", "attention.v_prj"];
    refused(&component).says(&["Did you mean attention.v_proj?"]);
    refused(&["--metric", "cka", "--layers", "7"]).says(&["no layer 7; there are 0, 1, 2"]);
    refused(&["--metric", "cka", "--layers", "one"]).says(&["as in 0,3..5"]);
    refused(&["--metric", "cka", "--heads"]).says(&["nothing to draw", "no values of heads"]);
    refused(&["--metric", "cka", "--width", "1"]).says(&["from 2 to 200 centimetres"]);
    refused(&["--metric", "cka", "--dpi", "1"]).says(&["--dpi 1: from 30 to 2400"]);
    refused(&["--metric", "cka", "--by", "layers"]).says(&["layer", "component"]);
    let narrow = ["--metric", "cka", "--width", "2", "--height", "2"];
    refused(&narrow).says(&["1 chart of 76 by ", "would show nothing"]);
    let heatmap = ["--metric", "cka", "--kind", "heatmap"];
    for of_lines in [&["--by", "component"][..], &["--x", "log"], &["--free-y"]] {
        let option = of_lines.join(" ");
        let option = option.trim_end_matches(" log");
        refused(&[&heatmap[..], of_lines].concat()).says(&[&format!("{option} is for line")]);
    }
    let names: Vec<&str> = CHARTS.iter().map(|chart| chart.name).collect();
    refused(&["--metric", "cka", "--kind", "pie"]).says(&names);
    refused(&[&heatmap[..], &["--height", "2"]].concat()).says(&["would show nothing"]);
    assert!(!scratch.path().join("x.svg").exists());
    let no_format = ["--metric", "cka", "--out", "x.eps"];
    plot(&scratch, &no_format)
        .expect(2)
        .says(&["ends in .svg, .png or .pdf"]);
}

#[test]
fn the_last_part_of_a_component_will_do() {
    let scratch = analysed();
    let arguments = [
        "--metric",
        "per",
        "--component",
        "v_proj",
        "--layers",
        "0,1..2",
    ];
    plot(&scratch, &[&arguments[..], &["--out", "per.png"]].concat()).expect(0);
}

/// The same results with these components in the place of the one that they have.
fn with_components(scratch: &Scratch, components: &[&str]) {
    let place = scratch.path().join("out/scratch/results.json");
    let mut results = Results::parse(&fs::read_to_string(&place).unwrap()).unwrap();
    let own: Vec<Number> = results.series.each().collect();
    results.series = SeriesSet::default();
    for name in components {
        let (component, run) = match name.split_once(SEPARATOR) {
            Some((component, run)) => (component, Some(run)),
            None => (*name, None),
        };
        if let Some(run) = run.filter(|run| !results.runs.iter().any(|known| known == run)) {
            results.runs.push(run.to_owned());
        }
        results.series.extend(own.iter().cloned().map(|mut number| {
            number.id.component = component.into();
            number.id.run = run.map(Into::into);
            number
        }));
    }
    fs::write(place, results.to_json().unwrap()).unwrap();
}

#[test]
fn a_name_that_several_components_have_is_refused() {
    let scratch = analysed();
    let component = |name| {
        let arguments = ["--metric", "per", "--out", "x.svg", "--component", name];
        plot(&scratch, &arguments)
    };
    with_components(&scratch, &["attn.c_proj", "mlp.c_proj"]);
    component("c_proj")
        .expect(2)
        .says(&["c_proj may be any of attn.c_proj, mlp.c_proj"]);
    component("mlp.c_proj").expect(0);
    component("proj")
        .expect(2)
        .says(&["is not in these results"]);
    with_components(&scratch, &["attn.c_proj", "c_proj"]);
    component("c_proj").expect(0);
}

#[test]
fn names_of_a_file_move_no_cursor() {
    let scratch = analysed();
    with_components(&scratch, &["a.\u{1b}[2Jone", "b.\u{1b}[2Jone"]);
    for name in ["two", "\u{1b}[2Jone"] {
        let arguments = ["--metric", "per", "--out", "x.svg", "--component", name];
        let ended = plot(&scratch, &arguments).expect(2);
        let ended = ended.says(&["a.\\u{1b}[2Jone, b.\\u{1b}[2Jone"]);
        assert!(!ended.stderr.contains("a.\u{1b}"));
    }
}

#[test]
fn characters_that_the_font_lacks_are_told() {
    let scratch = analysed();
    with_components(&scratch, &["注意力", "тест"]);
    for out in ["x.svg", "x.png"] {
        let arguments = ["--metric", "per", "--out", out];
        let ended = plot(&scratch, &arguments).expect(0);
        ended.says(&[
            &format!("warning: {out} leaves out"),
            "not have: 力 意 注\n",
        ]);
        let arguments = [&arguments[..], &["--component", "тест"]].concat();
        let ended = plot(&scratch, &arguments).expect(0);
        assert!(!ended.stderr.contains("warning"), "{}", ended.stderr);
    }
}

#[test]
fn a_component_of_compared_runs_is_that_of_all_unless_one_is_named() {
    let scratch = analysed();
    let names = ["--name", "Qwen2.5-0.5B", "--name", "Qwen2.5-1.5B"];
    let runs = [
        "compare",
        "out/scratch",
        "out/scratch",
        "--out",
        "out/scratch/both",
    ];
    scratch.worker(&[&runs[..], &names].concat()).expect(0);
    let plot = ["plot", "out/scratch/both", "--metric", "per"];
    let plot = |more: &[&str]| scratch.worker(&[&plot[..], &["--out", "x.svg"], more].concat());
    let drawn = |more: &[&str]| {
        plot(more).expect(0);
        fs::read(scratch.path().join("x.svg")).unwrap()
    };
    let both = drawn(&[]);
    assert!(drawn(&["--component", "v_proj"]) == both);
    assert!(drawn(&["--component", "attention.v_proj"]) == both);
    let first = drawn(&["--component", "v_proj · Qwen2.5-0.5B"]);
    assert!(first != both);
    assert!(drawn(&["--component", "attention.v_proj · Qwen2.5-0.5B"]) == first);
    plot(&["--component", "5B"])
        .expect(2)
        .says(&["--component 5B is not in these results"]);
}

#[test]
fn values_that_a_figure_does_not_show_are_counted() {
    let scratch = analysed();
    let place = scratch.path().join("out/scratch/results.json");
    let mut results = Results::parse(&fs::read_to_string(&place).unwrap()).unwrap();
    let mut all: Vec<Number> = results.series.each().collect();
    let mut of_rank = all.iter_mut().filter(|it| &*it.id.entry.label == "per");
    of_rank.next().unwrap().value = Some(Value::Number(0.0));
    of_rank.next().unwrap().value = None;
    results.series = SeriesSet::default();
    results.series.extend(all);
    fs::write(place, results.to_json().unwrap()).unwrap();
    for kind in ["line", "heatmap"] {
        let drawn = |y| {
            let arguments = [
                "--metric", "per", "--kind", kind, "--y", y, "--out", "x.svg",
            ];
            plot(&scratch, &arguments).expect(0)
        };
        drawn("linear").says(&["x.svg: not drawn: 1 undefined\n"]);
        // Of a logarithmic axis from 0 on, a 0 has a place.
        drawn("log").says(&["x.svg: not drawn: 1 "]);
    }
    let whole = ["--metric", "cka", "--out", "x.svg"];
    let ended = plot(&scratch, &whole).expect(0);
    assert!(!ended.stderr.contains("not drawn"), "{}", ended.stderr);
}
