//! What the page knows, as signals.

use leptos::prelude::*;
use trainscope_plot::Theme;

use super::analysis::Analysis;
use super::ask::Ask;
use super::desk::Desk;
use super::surroundings;
use super::view::View;
use crate::files::RunFiles;
use crate::message::{Answer, Opened, Request};

/// Everything that is shown. Copies share the same signals.
#[derive(Clone, Copy)]
pub(super) struct State {
    /// How far the page is with opening something.
    pub stage: RwSignal<Stage>,
    /// The run that is open; none where there is none, or results alone.
    pub opened: RwSignal<Option<Opened>>,
    /// Which side of the workbench's panel is shown.
    pub side: RwSignal<Side>,
    /// What is asked of the run.
    pub ask: Ask,
    /// What is being computed, or was.
    pub analysis: Analysis,
    /// How it is shown.
    pub view: View,
    pub theme: ReadSignal<Theme>,
    /// The workers.
    pub desk: Desk,
}

/// How far the page is with opening something.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Stage {
    /// Nothing is open.
    Landing,
    /// Something is on its way: what, and bytes so far of so many where that is known.
    Opening {
        what: String,
        bytes: Option<(u64, u64)>,
    },
    /// It could not be opened; in words.
    Failed(String),
    /// A run or results are open.
    Open,
}

/// A side of the workbench's panel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// What was found.
    Explore,
    /// What is asked, as a form.
    Ask,
    /// What is asked, as YAML.
    Yaml,
}

impl State {
    pub(super) fn new() -> Self {
        let desk = Desk::new();
        Self {
            stage: RwSignal::new(Stage::Landing),
            opened: RwSignal::new(None),
            side: RwSignal::new(Side::Ask),
            ask: Ask::new(desk),
            analysis: Analysis::new(desk),
            view: View::new(),
            theme: surroundings::theme(),
            desk,
        }
    }

    /// The state of the page that the caller is part of.
    pub(super) fn here() -> Self {
        expect_context()
    }

    /// Opens the demo run and computes its analysis.
    pub(super) fn open_demo(self) {
        self.open_demo_with(None);
    }

    /// Opens the demo run and computes the analysis of a config, or its own.
    pub(super) fn open_demo_with(self, config: Option<String>) {
        let what = "the demo run".to_owned();
        let stage = self.stage;
        leptos::task::spawn_local(async move {
            let told = what.clone();
            let progress = move |bytes, of| {
                stage.set(Stage::Opening {
                    what: told.clone(),
                    bytes: Some((bytes, of)),
                });
            };
            progress(0, crate::demo::bytes());
            let fetched = async {
                let files = crate::demo::run(progress).await?;
                let config = match config {
                    Some(config) => config,
                    None => crate::demo::config().await?,
                };
                Ok::<_, crate::fetch::FetchError>((files, config))
            };
            match fetched.await {
                Ok((files, config)) => self.open_files(files, Some(config)).await,
                Err(error) => self.stage.set(Stage::Failed(error.to_string())),
            }
        });
    }

    /// Opens a run. With a config, its analysis is computed at once; else one is proposed.
    pub(super) async fn open_files(self, files: RunFiles, config: Option<String>) {
        self.analysis.clear();
        self.stage.set(Stage::Opening {
            what: files.name.clone(),
            bytes: None,
        });
        self.desk.use_files(files);
        match self.desk.ask(Request::Open).await {
            Ok(Answer::Opened(opened)) => self.show_run(*opened, config).await,
            Ok(_) => {}
            Err(message) if message.is_empty() => {}
            Err(message) => self.stage.set(Stage::Failed(message)),
        }
    }

    /// Back to the beginning.
    pub(super) fn close(self) {
        self.analysis.clear();
        self.desk.stop();
        self.opened.set(None);
        self.stage.set(Stage::Landing);
    }

    async fn show_run(self, opened: Opened, config: Option<String>) {
        let proposed = opened.proposals.first().map(|first| first.text.clone());
        self.opened.set(Some(opened));
        self.stage.set(Stage::Open);
        let is_ordered = config.is_some();
        self.ask
            .check_text(config.or(proposed).unwrap_or_default())
            .await;
        if is_ordered {
            self.run();
        }
    }

    /// Computes what is asked.
    pub(super) fn run(self) {
        self.analysis.start(self.ask.text.get_untracked());
    }
}
