//! What a report must not have: scripts, requests, and words that become markup.

use ckptscope_report::{Provenance, Results, html};

use ckptscope_results::Status;

use crate::example::{changed, inputs, report, results};

const HOSTILE: &str = "<script>alert('1')</script>\"><img src=x onerror=\"1\">&amp;\u{7}";

/// The example with a hostile text wherever a text can be.
fn hostile() -> Results {
    let mut results = results(2, 2);
    let text = || HOSTILE.to_owned();
    results.program = text();
    results.analysis_name = text();
    results.source = text();
    results.warnings = vec![text()];
    results.config = text();
    results.inputs = inputs();
    for input in &mut results.inputs {
        input.path = text();
        input.commit = Some(text());
        input.content_id = Some(text());
    }
    if let Some(model) = &mut results.model {
        model.source = text();
    }
    for entry in &mut results.entries {
        entry.label = text();
        entry.metric = text();
        entry.summary = text();
        entry.parameters.insert(text(), text().into());
    }
    changed(results, |mut number| {
        number.id.entry.label = HOSTILE.into();
        number.id.component = HOSTILE.into();
        number.id.run = Some(HOSTILE.into());
        number.id.output = HOSTILE.into();
        number.status = Some(Status::new(HOSTILE, HOSTILE));
        Some(number)
    })
}

#[test]
fn names_stay_words() {
    let provenance = Provenance {
        written: Some(HOSTILE.to_owned()),
        ..Provenance::default()
    };
    let report = html(&hostile(), &provenance).unwrap();
    for markup in ["<script", "<img", "onerror=\"", "\u{7}"] {
        assert!(!report.contains(markup), "{markup}");
    }
    // Said all the same.
    assert!(report.contains("&lt;script&gt;alert(&#39;1&#39;)"));
}

#[test]
fn there_is_no_script_and_no_request() {
    let report = report(&results(2, 2));
    for word in [
        "<script",
        "<link",
        "<img",
        "<iframe",
        "<object",
        "<image",
        "<use",
        " src=",
        "url(",
        "@import",
        "javascript:",
        "http://",
        "https://",
        "xlink",
        " onload",
        " style=\"",
    ] {
        assert!(!report.contains(word), "{word}");
    }
    for target in report.split("href=").skip(1) {
        assert!(target.starts_with("\"#"), "{}", &target[..40]);
    }
    // And a browser is told so.
    assert!(report.contains("content=\"default-src 'none';style-src 'unsafe-inline'\""));
}

#[test]
fn the_same_results_give_the_same_bytes() {
    assert_eq!(report(&results(3, 4)), report(&results(3, 4)));
    assert_eq!(report(&hostile()), report(&hostile()));
}

#[test]
fn drawings_are_well_formed() {
    for report in [report(&results(3, 2)), report(&hostile())] {
        let drawings = report.split("<svg").skip(1);
        let mut count = 0;
        for rest in drawings {
            let end = rest.find("</svg>").unwrap();
            let svg = format!("<svg{}</svg>", &rest[..end]);
            assert!(roxmltree::Document::parse(&svg).is_ok(), "{svg}");
            count += 1;
        }
        assert!(count > 5, "{count}");
    }
}
