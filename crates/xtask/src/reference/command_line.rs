//! The command line, as its own help says it.

use std::fmt::Write as _;

use anyhow::{Context, Result};

use super::Sources;

const BEGINNING: &str = "# Command line

Exit codes: 0 done, 1 failed, 2 wrong usage or config, 75 asked to end and to be started again (`worker shard`), 130 interrupted. `worker analyze` prints the folder of results on the \
    standard output, and nothing else there. A signal that is ignored when the program starts (`nohup`) stays \
    ignored.

`analyze`, `inspect`, `audit`, `check`, `serve`, `submit`, `shard` and `merge` read `.env` in the working directory: the lines \
    that set a variable that they know, and no others. \
    `HF_TOKEN`, `HF_ENDPOINT`, `HF_HOME`, `HF_HUB_CACHE`, `HF_HUB_OFFLINE`, `WANDB_API_KEY`, `WANDB_BASE_URL`, \
    `WANDB_MODE`, `WANDB_TAGS`, `WANDB_RUN_GROUP`, `WANDB_JOB_TYPE`, `WANDB_NOTES` and `WANDB_SWEEP_ID` mean what they mean to their own tools. pico-analyze's spellings of options (`--config_path`, `--repo_id`, `--run_path`, \
    `--checkpoint_dir`) work too.
";

/// The page.
pub(super) fn page(sources: &Sources) -> Result<String> {
    let mut page = BEGINNING.to_owned();
    let whole = sources.worker(&["--help"])?;
    write_help(&mut page, "worker", &whole)?;
    for command in commands(&whole)?.into_iter().filter(|name| name != "help") {
        let help = sources.worker(&[&command, "--help"])?;
        write_help(&mut page, &format!("worker {command}"), &help)?;
    }
    Ok(page)
}

fn write_help(page: &mut String, of: &str, help: &str) -> Result<()> {
    let lines: Vec<&str> = help.lines().map(str::trim_end).collect();
    let help = lines.join("\n");
    Ok(writeln!(
        page,
        "\n## {of}\n\n```text\n{}\n```",
        help.trim_end()
    )?)
}

/// The commands that the help lists.
fn commands(help: &str) -> Result<Vec<String>> {
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let listed = lines.take_while(|line| !line.is_empty());
    // What continues a summary is indented further.
    let listed = listed.filter_map(|line| {
        line.strip_prefix("  ")
            .filter(|line| !line.starts_with(' '))
    });
    let names = listed.map(|line| line.split_whitespace().next().map(str::to_owned));
    names
        .collect::<Option<Vec<_>>>()
        .filter(|names| !names.is_empty())
        .context("the help lists no commands")
}
