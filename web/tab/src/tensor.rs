//! What one tensor looks like.

use ckptscope_analysis::look::{self, Look};
use ckptscope_checkpoint::{Contents, HeldTensor, Tensor, read_stored};
use ckptscope_protocol::tab::{PartName, TensorView, ViewTensor};

use super::memory;
use super::opened::OpenedFiles;
use super::tensors::part_named;

/// The longest that a quick look at singular values may take.
const SECONDS: f64 = 20.0;

/// How often a matrix is in memory while its singular values are computed.
const COPIES: u64 = 3;

/// Reads a tensor and describes it.
pub(super) async fn view(
    files: &OpenedFiles,
    flops_per_second: f64,
    ViewTensor { part, path, name }: ViewTensor,
) -> Result<Box<TensorView>, String> {
    let (tensor, stored) = read(files, &part, &path, &name).await?;
    let look = Look::of(&tensor.values);
    let finite = look.finite;
    let of_finite = |get: fn(&look::Finite) -> f64| finite.as_ref().map(get);
    let mut view = TensorView {
        part,
        name,
        stored,
        entries: look.entries,
        not_finite: look.not_finite,
        zeros: look.zeros,
        min: of_finite(|finite| finite.min),
        max: of_finite(|finite| finite.max),
        mean: of_finite(|finite| finite.mean),
        standard_deviation: of_finite(|finite| finite.standard_deviation),
        frobenius_norm: of_finite(|finite| finite.frobenius_norm).filter(|norm| norm.is_finite()),
        ..TensorView::default()
    };
    view.histogram = finite.map(|finite| finite.histogram).unwrap_or_default();
    let values = match obstacle(&tensor, look.not_finite, flops_per_second) {
        Some(reason) => Err(reason),
        None => look::singular_values(tensor),
    };
    match values {
        Ok(values) => view.singular_values = values,
        Err(reason) => view.no_singular_values = Some(reason),
    }
    Ok(Box::new(view))
}

/// The values of a tensor, and how they are stored where that is to be known.
async fn read(
    files: &OpenedFiles,
    part: &PartName,
    path: &str,
    name: &str,
) -> Result<(Tensor, Option<String>), String> {
    let part = part_named(files, part).await?;
    let content = part.read(files.tree()).await;
    let content = content.map_err(|error| error.to_string())?;
    let contents = Contents::of(content.files, files.tree()).await;
    let is_it = |tensor: &&HeldTensor| tensor.name == name && tensor.path == path;
    let held = contents.tensors.iter().find(is_it);
    let held = held.ok_or_else(|| format!("there is no tensor {name:?} in {path}"))?;
    let values = held.values(part.kind);
    let values = values.map_err(|obstacle| format!("it has no values to look at: {obstacle}"))?;
    let needed = values.bytes().saturating_add(wide_bytes(values.count()));
    if needed > memory::LIMIT_BYTES {
        return Err(format!(
            "{name} takes {} of memory to look at, and a browser gives a page 4 GB at most; `worker \
             analyze` has no such limit",
            memory::in_words(needed)
        ));
    }
    let tensor = read_stored(files.tree(), values).await;
    Ok((
        tensor.map_err(|error| error.to_string())?,
        held.remark.clone(),
    ))
}

/// Why singular values are not computed here; none where they are.
fn obstacle(tensor: &Tensor, not_finite: u64, flops_per_second: f64) -> Option<String> {
    let (rows, columns) = (tensor.rows(), tensor.columns());
    if rows < 2 || columns < 2 {
        return Some(format!(
            "it has only one row or column ({rows} by {columns})"
        ));
    }
    if not_finite > 0 {
        return Some(format!("{not_finite} entries are NaN or infinite"));
    }
    let seconds = look::work(rows, columns) / flops_per_second;
    if seconds > SECONDS {
        return Some(format!(
            "they would take about {seconds:.0} seconds ({rows} by {columns}); an analysis computes \
             what they tell, as the effective rank (per) or the condition number"
        ));
    }
    let needed = wide_bytes(tensor.values.len() as u64).saturating_mul(COPIES);
    (needed > memory::LIMIT_BYTES).then(|| {
        format!(
            "they would take {} of memory, and a browser gives 4 GB at most",
            memory::in_words(needed)
        )
    })
}

const fn wide_bytes(elements: u64) -> u64 {
    elements.saturating_mul(size_of::<f64>() as u64)
}
