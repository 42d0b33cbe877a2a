//! `worker audit`: what is odd about the checkpoints of a run.

use std::sync::Arc;

use anyhow::{Result, bail};
use ckptscope_analysis::Audit;
use ckptscope_analysis::audit::{AuditedStep, Finding};
use ckptscope_checkpoint::Run;
use serde::Serialize;

use crate::arguments::AuditArguments;
use crate::executor::Executor;
use crate::find::overview;
use crate::identity::PROGRAM;
use crate::output::TrafficReport;
use crate::place::{Address, Place};
use crate::{Outcome, console, hub};

/// The value of [`AuditReport::format`].
const FORMAT: &str = "ckptscope-audit";

/// The version of the layout of the JSON.
const VERSION: u32 = 1;

/// Everything `worker audit` says; as JSON, its layout is stable.
#[derive(Debug, Serialize)]
struct AuditReport {
    /// Always [`FORMAT`].
    format: &'static str,
    /// Version of this layout: [`VERSION`].
    version: u32,
    /// Version of the program.
    program: &'static str,
    /// The path or the repository as it was given.
    path: String,
    /// The steps, ascending, those that cannot be read among them.
    steps: Vec<AuditedStep>,
    /// What is odd.
    findings: Vec<Told>,
    /// What was assumed or passed over beside the findings.
    warnings: Vec<String>,
    /// What went over the network; none for what needs none.
    network: Option<TrafficReport>,
}

/// A finding, and the same in words.
#[derive(Debug, Serialize)]
struct Told {
    #[serde(flatten)]
    finding: Finding,
    message: String,
}

/// Runs the command.
pub(crate) fn run(arguments: &AuditArguments) -> Result<Outcome> {
    let address = Address::of_argument(&arguments.path);
    let executor = Executor::start(Arc::default())?;
    let audited = async {
        let (run, place) = overview(&address, &executor).await?;
        let (run, audit) = audit(run, &place).await?;
        anyhow::Ok(AuditReport::of(&address, &run, audit, &place))
    };
    let Some(report) = executor.block_on(audited) else {
        return Ok(Outcome::Interrupted);
    };
    let report = report?;
    let answer = if arguments.json {
        serde_json::to_string_pretty(&report)? + "\n"
    } else {
        report.text()
    };
    console::print(&answer)?;
    match report.findings.len() {
        0 => Ok(Outcome::Done),
        1 => bail!("one thing is odd, as said above"),
        count => bail!("{count} things are odd, as said above"),
    }
}

async fn audit(run: Run, place: &Place) -> Result<(Run, Audit)> {
    match place {
        Place::Hub(tree) => {
            let audited = Audit::of_repository(tree, &run, &|_| ()).await;
            audited.map_err(|error| hub::judged(&error))
        }
        Place::Folder(_) | Place::Confined(_) => {
            let audit = Audit::of_run(place.tree(), &run).await;
            Ok((run, audit))
        }
    }
}

impl AuditReport {
    fn of(address: &Address, run: &Run, audit: Audit, place: &Place) -> Self {
        let told = |finding: Finding| Told {
            message: finding.to_string(),
            finding,
        };
        Self {
            format: FORMAT,
            version: VERSION,
            program: PROGRAM,
            path: address.shown(),
            steps: audit.steps,
            findings: audit.findings.into_iter().map(told).collect(),
            warnings: run.warnings_of_others(),
            network: place.traffic().map(TrafficReport::of),
        }
    }

    fn text(&self) -> String {
        let mut text = format!("{}: {}\n", self.path, self.extent());
        for Told { message, .. } in &self.findings {
            text += &format!("  {message}\n");
        }
        if self.findings.is_empty() {
            text += "  nothing is odd about their weights\n";
        }
        for warning in &self.warnings {
            text += &format!("warning: {warning}\n");
        }
        if let Some(network) = &self.network {
            text += &format!("{} requests, {} bytes\n", network.requests, network.bytes);
        }
        text
    }

    /// `154 steps, 0 to 143000`.
    fn extent(&self) -> String {
        let numbers = self.steps.iter().map(|step| step.step);
        match (numbers.clone().min(), numbers.max()) {
            (Some(first), Some(last)) if first < last => {
                format!("{} steps, {first} to {last}", self.steps.len())
            }
            (Some(only), _) => format!("step {only}"),
            (None, _) => "no steps with weights".to_owned(),
        }
    }
}
