//! Results as one file for people, written by a part of the program that is fetched when somebody
//! asks for it.

use ckptscope_protocol::tab::ReportText;
use ckptscope_report::{Provenance, html};
use ckptscope_results::Results;
use ckptscope_web_browser::part::{MissingPart, begin};
#[cfg(feature = "split")]
use ckptscope_web_browser::wasm_split::wasm_split;

/// The same file that the native worker writes beside its results.
pub(super) async fn report(results: Results) -> Result<ReportText, String> {
    let written = begin!(written(results));
    let html = written.map_err(|missing| missing.to_string())??;
    Ok(ReportText { html })
}

#[cfg_attr(
    feature = "split",
    wasm_split(report, wasm_split_path = ::ckptscope_web_browser::wasm_split, fallible)
)]
#[expect(clippy::unnecessary_wraps, reason = "fails where the part is missing")]
#[expect(clippy::needless_pass_by_value, reason = "it goes to another part")]
fn written(results: Results) -> Result<Result<String, String>, MissingPart> {
    let written = html(&results, &Provenance::default());
    Ok(written.map_err(|error| error.to_string()))
}
