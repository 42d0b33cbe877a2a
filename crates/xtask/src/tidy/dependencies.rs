//! What each crate may not depend on.

use super::{Finding, Package};

/// One rule: `crates` must not depend on a package of these names.
struct Rule {
    /// The crates it binds; all but these where `but` is set.
    crates: &'static [&'static str],
    but: bool,
    forbidden: &'static [&'static str],
    reason: &'static str,
}

/// The crate that all others may depend on: it has the words they share, and nothing else.
const VOCABULARY: &str = "ckptscope-vocabulary";

/// The crates below `web/`.
const WEB: &[&str] = &[
    "ckptscope-web-app",
    "ckptscope-web-browser",
    "ckptscope-web-page",
    "ckptscope-web-tab",
];

const RULES: &[Rule] = &[
    Rule {
        crates: &["ckptscope-metrics"],
        but: false,
        forbidden: &[
            "serde",
            "serde_json",
            "granit-parser",
            "tokio",
            "futures*",
            "ckptscope-*",
        ],
        reason: "metrics is mathematics: matrices in, numbers out; no files, no async, no serde, no config",
    },
    Rule {
        crates: &["ckptscope-checkpoint"],
        but: false,
        forbidden: &["ckptscope-*", "tokio"],
        reason: "checkpoint knows no metrics, and both targets read through it",
    },
    Rule {
        crates: &[VOCABULARY, "ckptscope-results"],
        but: false,
        forbidden: &["ckptscope-*", "tokio", "web-sys", "js-sys", "wasm-bindgen*"],
        reason: "vocabulary and results say what a number is of, to whoever computes or shows it",
    },
    Rule {
        crates: &["ckptscope-protocol"],
        but: false,
        forbidden: &[
            "ckptscope-checkpoint",
            "ckptscope-metrics",
            "ckptscope-analysis",
            "ckptscope-plot",
            "ckptscope-chart",
            "ckptscope-report",
            "tokio",
            "web-sys",
            "js-sys",
            "wasm-bindgen*",
        ],
        reason: "protocol is what the page and whoever computes say to each other: the page has it without what computes",
    },
    Rule {
        crates: &["ckptscope-analysis"],
        but: false,
        forbidden: &[
            "tokio",
            "rayon",
            "web-sys",
            "js-sys",
            "wasm-bindgen*",
            "ckptscope-plot",
            "ckptscope-chart",
        ],
        reason: "analysis knows no platform: it is handed a run and a sink for events",
    },
    Rule {
        crates: &["ckptscope-plot"],
        but: false,
        forbidden: &["ckptscope-*", "web-sys", "js-sys", "wasm-bindgen*"],
        reason: "plot draws numbers; it does not know where they come from",
    },
    Rule {
        crates: &["ckptscope-chart"],
        but: false,
        forbidden: &[
            "ckptscope-analysis",
            "ckptscope-checkpoint",
            "ckptscope-metrics",
            "ckptscope-report",
            "web-sys",
            "js-sys",
            "wasm-bindgen*",
        ],
        reason: "chart makes drawings of results, for page, report and command line alike",
    },
    Rule {
        crates: &["ckptscope-wandb"],
        but: false,
        forbidden: &["ckptscope-*"],
        reason: "wandb writes runs of anything, and is useful on its own",
    },
    Rule {
        crates: &["ckptscope-report"],
        but: false,
        forbidden: &[
            "ckptscope-metrics",
            "ckptscope-checkpoint",
            "web-sys",
            "js-sys",
            "wasm-bindgen*",
        ],
        reason: "report is handed results: it knows neither how they came about nor where it goes",
    },
    Rule {
        crates: &["ckptscope-web-page"],
        but: false,
        forbidden: &[
            "ckptscope-analysis",
            "ckptscope-metrics",
            "ckptscope-checkpoint",
            "ckptscope-report",
            "ckptscope-web-tab",
        ],
        reason: "the page shows what it is told: web workers have what computes, and it comes later",
    },
    Rule {
        crates: &["ckptscope-web-tab", "ckptscope-web-browser"],
        but: false,
        forbidden: &[
            "leptos",
            "ckptscope-plot",
            "ckptscope-chart",
            "ckptscope-web-page",
        ],
        reason: "a web worker has no page to draw on",
    },
    Rule {
        crates: WEB,
        but: true,
        forbidden: &["leptos", "web-sys", "gloo*", "ckptscope-web-*"],
        reason: "only the crates below web/ know the browser",
    },
    Rule {
        crates: &["ckptscope-worker"],
        but: true,
        forbidden: &["tokio", "axum", "rusqlite"],
        reason: "only worker knows tokio, axum and the disk layout of jobs",
    },
    Rule {
        crates: &[
            "ckptscope-worker",
            "ckptscope-page-build",
            "ckptscope-page-tests",
            "xtask",
        ],
        but: true,
        forbidden: &["anyhow"],
        reason: "libraries and the page have one error variant per thing that can be wrong",
    },
];

/// The rules that a crate's direct dependencies break.
pub(super) fn check(package: &Package) -> Vec<Finding> {
    let binding = RULES.iter().filter(|rule| rule.binds(&package.name));
    binding
        .flat_map(|rule| {
            let bad = package
                .dependencies
                .iter()
                .filter(|name| rule.forbids(name));
            bad.map(|name| Finding {
                place: format!("{}/Cargo.toml", package.folder.display()),
                message: format!(
                    "{} must not depend on {name}: {}",
                    package.name, rule.reason
                ),
            })
        })
        .collect()
}

impl Rule {
    fn binds(&self, package: &str) -> bool {
        self.crates.contains(&package) != self.but
    }

    fn forbids(&self, dependency: &str) -> bool {
        let names = |pattern: &&str| match pattern.strip_suffix('*') {
            Some(start) => dependency.starts_with(start),
            None => dependency == *pattern,
        };
        dependency != VOCABULARY && self.forbidden.iter().any(names)
    }
}

#[cfg(test)]
mod tests {
    use super::{Package, check};

    fn package(name: &str, dependencies: &[&str]) -> Package {
        Package {
            name: name.to_owned(),
            folder: "crates/x".into(),
            dependencies: dependencies.iter().map(|name| (*name).to_owned()).collect(),
        }
    }

    #[test]
    fn metrics_may_not_know_serde() {
        assert_eq!(
            check(&package("ckptscope-metrics", &["faer", "serde"])).len(),
            1
        );
    }

    #[test]
    fn the_page_may_not_know_what_computes() {
        let computing = ["ckptscope-analysis", "ckptscope-metrics"];
        let found = check(&package("ckptscope-web-page", &computing));
        assert_eq!(found.len(), 2);
        assert_eq!(check(&package("ckptscope-web-tab", &computing)), vec![]);
    }

    #[test]
    fn only_web_may_know_leptos() {
        assert_eq!(check(&package("ckptscope-plot", &["leptos"])).len(), 1);
        assert_eq!(check(&package("ckptscope-web-page", &["leptos"])), vec![]);
        assert_eq!(check(&package("ckptscope-web-tab", &["leptos"])).len(), 1);
    }
}
