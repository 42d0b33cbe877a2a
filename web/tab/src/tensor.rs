//! What one tensor looks like.

use ckptscope_analysis::look::{self, Look};
use ckptscope_checkpoint::read::count_stored;
use ckptscope_checkpoint::{Contents, HeldTensor, StoredTensor, Tensor, matrix_file, read_stored};
use ckptscope_protocol::call::SINGULAR_VALUES;
use ckptscope_protocol::tab::{
    PartName, SpectrumCost, SpectrumView, SpectrumWay, TensorView, ViewSpectrum, ViewTensor,
};

use super::memory;
use super::opened::OpenedFiles;
use super::sending;
use super::tensors::part_named;

/// How often a matrix is in memory while its singular values are computed.
const COPIES: u64 = 3;

/// Reads a tensor and describes it.
pub(super) async fn view(
    files: &OpenedFiles,
    ViewTensor { part, path, name }: ViewTensor,
) -> Result<Box<TensorView>, String> {
    let (values, stored) = found(files, &part, &path, &name).await?;
    let look = looked_at(files, &values).await?;
    let finite = look.finite;
    let of_finite = |get: fn(&look::Finite) -> f64| finite.as_ref().map(get);
    let shape = MatrixShape::of(&values);
    Ok(Box::new(TensorView {
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
        histogram: finite.map(|finite| finite.histogram).unwrap_or_default(),
        spectrum: shape.cost(look.not_finite),
    }))
}

/// Reads a tensor and decomposes it.
pub(super) async fn spectrum(
    files: &OpenedFiles,
    ViewSpectrum {
        tensor: ViewTensor { part, path, name },
        way,
    }: ViewSpectrum,
) -> Result<Box<SpectrumView>, String> {
    let (values, _) = found(files, &part, &path, &name).await?;
    let tensor = read(files, &values).await?;
    let view = match way {
        SpectrumWay::Estimated => look::spectrum(tensor, true)?,
        SpectrumWay::Exact => look::spectrum(tensor, false)?,
        SpectrumWay::Sent { address, token } => {
            let file = matrix_file(&tensor);
            drop(tensor);
            let told = sending::send(format!("{address}{SINGULAR_VALUES}"), token, file).await?;
            let foreign = |error| format!("the worker's answer was not understood: {error}");
            serde_json::from_str(&told).map_err(foreign)?
        }
    };
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

/// The distribution of a tensor's entries. Those of at most 16 bits are counted as they are read.
async fn looked_at(files: &OpenedFiles, values: &StoredTensor) -> Result<Look, String> {
    let counts = count_stored(files.tree(), values).await;
    let counts = counts.and_then(|counts| {
        let counts = counts.map(|counts| counts.values(values.name()));
        counts.transpose()
    });
    match counts.map_err(|error| error.to_string())? {
        Some(counted) => Ok(Look::of_counts(&counted)),
        None => Ok(Look::of(&read(files, values).await?.values)),
    }
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

    /// What singular values take, or why there are none.
    fn cost(&self, not_finite: u64) -> Result<SpectrumCost, String> {
        let Self { rows, columns } = *self;
        if rows < 2 || columns < 2 {
            return Err(format!(
                "it has only one row or column ({rows} by {columns})"
            ));
        }
        if not_finite > 0 {
            return Err(format!("{not_finite} entries are NaN or infinite"));
        }
        let entries = (rows as u64).saturating_mul(columns as u64);
        let needed = wide_bytes(entries).saturating_mul(COPIES);
        let too_large = (needed > memory::LIMIT_BYTES).then(|| {
            format!(
                "They would take {} of memory, and a browser gives a page 4 GB at most.",
                memory::in_words(needed)
            )
        });
        Ok(SpectrumCost {
            work: look::work(rows, columns),
            too_large,
        })
    }
}

const fn wide_bytes(elements: u64) -> u64 {
    elements.saturating_mul(size_of::<f64>() as u64)
}
