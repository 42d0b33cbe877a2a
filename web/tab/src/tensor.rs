//! What one tensor looks like.

use ckptscope_analysis::look::{self, Look};
use ckptscope_checkpoint::read::count_stored;
use ckptscope_checkpoint::{Contents, HeldTensor, StoredTensor, Tensor, read_stored};
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
    let (values, stored) = found(files, &part, &path, &name).await?;
    let shape = MatrixShape::of(&values);
    let (look, tensor) = looked_at(files, &values).await?;
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
    let singular_values = match shape.obstacle(look.not_finite, flops_per_second) {
        Some(reason) => Err(reason),
        None => {
            let tensor = match tensor {
                Some(tensor) => tensor,
                None => read(files, &values).await?,
            };
            look::singular_values(tensor)
        }
    };
    match singular_values {
        Ok(values) => view.singular_values = values,
        Err(reason) => view.no_singular_values = Some(reason),
    }
    Ok(Box::new(view))
}

/// A tensor that has values, and how they are stored where that is to be known.
async fn found(
    files: &OpenedFiles,
    part: &PartName,
    path: &str,
    name: &str,
) -> Result<(StoredTensor, Option<String>), String> {
    let part = part_named(files, part).await?;
    let content = part.read(files.tree()).await;
    let content = content.map_err(|error| error.to_string())?;
    let contents = Contents::of(content.files, files.tree()).await;
    let is_it = |tensor: &&HeldTensor| tensor.name == name && tensor.path == path;
    let held = contents.tensors.iter().find(is_it);
    let held = held.ok_or_else(|| format!("there is no tensor {name:?} in {path}"))?;
    let values = held.values(part.kind);
    let values = values.map_err(|obstacle| format!("it has no values to look at: {obstacle}"))?;
    Ok((values.clone(), held.remark.clone()))
}

/// The distribution of a tensor's entries, and its values where they had to be read for that.
/// Those of at most 16 bits are counted instead.
async fn looked_at(
    files: &OpenedFiles,
    values: &StoredTensor,
) -> Result<(Look, Option<Tensor>), String> {
    let counts = count_stored(files.tree(), values).await;
    let counts = counts.and_then(|counts| {
        let counts = counts.map(|counts| counts.values(values.name()));
        counts.transpose()
    });
    if let Some(counted) = counts.map_err(|error| error.to_string())? {
        return Ok((Look::of_counts(&counted), None));
    }
    let tensor = read(files, values).await?;
    Ok((Look::of(&tensor.values), Some(tensor)))
}

async fn read(files: &OpenedFiles, values: &StoredTensor) -> Result<Tensor, String> {
    let needed = values.bytes().saturating_add(wide_bytes(values.count()));
    if needed > memory::LIMIT_BYTES {
        return Err(format!(
            "{} takes {} of memory to look at, and a browser gives a page 4 GB at most; `worker \
             analyze` has no such limit",
            values.name(),
            memory::in_words(needed)
        ));
    }
    let tensor = read_stored(files.tree(), values).await;
    tensor.map_err(|error| error.to_string())
}

/// A tensor seen as a matrix.
struct MatrixShape {
    rows: usize,
    columns: usize,
}

impl MatrixShape {
    fn of(values: &StoredTensor) -> Self {
        let (rows, columns) = look::rows_and_columns(values);
        Self { rows, columns }
    }

    /// Why singular values are not computed here; none where they are.
    fn obstacle(&self, not_finite: u64, flops_per_second: f64) -> Option<String> {
        let Self { rows, columns } = *self;
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
                "they would take about {seconds:.0} seconds ({rows} by {columns}); an analysis \
                 computes what they tell, as the effective rank (per) or the condition number"
            ));
        }
        let entries = (rows as u64).saturating_mul(columns as u64);
        let needed = wide_bytes(entries).saturating_mul(COPIES);
        (needed > memory::LIMIT_BYTES).then(|| {
            format!(
                "they would take {} of memory, and a browser gives 4 GB at most",
                memory::in_words(needed)
            )
        })
    }
}

const fn wide_bytes(elements: u64) -> u64 {
    elements.saturating_mul(size_of::<f64>() as u64)
}
