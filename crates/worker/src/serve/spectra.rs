//! Singular values of a tensor that a page sends, which would take it longer itself.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use ckptscope_analysis::look::{self, rows_and_columns};
use ckptscope_checkpoint::{Contents, DataKind, MemoryTree, Run, StoredTensor, read_stored};
use ckptscope_metrics::linalg::SpareCores;
use ckptscope_protocol::tab::SpectrumView;

use super::refused::Refused;
use super::{Answer, Server, blocking, json, next_piece};
use crate::hardware::cores;
use crate::progress::bytes;

/// A file is in memory twice while its tensor is read.
const COPIES_OF_FILE: u64 = 2;

/// And a matrix so often, as float64, while it is decomposed.
const COPIES_OF_MATRIX: u64 = 3;

/// `POST api/singular-values`. One at a time: whoever comes meanwhile waits, and whoever goes away
/// while waiting costs nothing.
pub(super) async fn compute(State(server): State<Arc<Server>>, request: Request) -> Answer {
    if !server.machine.told.takes_tensors {
        return Err(Refused::new(
            StatusCode::NOT_IMPLEMENTED,
            "here Slurm computes, and this program takes no tensors",
        ));
    }
    let turn = Arc::clone(&server.decomposing).acquire_owned().await;
    let turn = turn.map_err(|_| ending())?;
    let memory = server.machine.told.memory_bytes;
    let file = received(&server, request.into_body(), memory / COPIES_OF_FILE).await?;
    let executor = server.executor.clone();
    let view = blocking(move || {
        let view = executor.block_on(spectrum(file, memory));
        // Held until here, also where nobody waits for the answer any more.
        drop(turn);
        view.unwrap_or_else(|| Err(ending()))
    });
    Ok(json(StatusCode::OK, &view.await?))
}

/// A body of so many bytes at most, of which every piece comes within some time.
async fn received(server: &Server, mut body: Body, limit: u64) -> Result<Vec<u8>, Refused> {
    let mut received = Vec::new();
    loop {
        let Some(piece) = next_piece(server, &mut body, "send it again").await? else {
            return Ok(received);
        };
        if received.len() as u64 + piece.len() as u64 > limit {
            return Err(too_large(limit, server.machine.told.memory_bytes));
        }
        received.extend_from_slice(&piece);
    }
}

async fn spectrum(file: Vec<u8>, memory: u64) -> Result<SpectrumView, Refused> {
    let length = file.len() as u64;
    let tree = MemoryTree::new("what was sent", [("model.safetensors", file)]);
    let stored = only_tensor(&tree).await.map_err(unreadable)?;
    let (rows, columns) = rows_and_columns(&stored);
    if rows < 2 || columns < 2 {
        return Err(unreadable(format!(
            "it has only one row or column ({rows} by {columns})"
        )));
    }
    let matrix = stored.count().saturating_mul(size_of::<f64>() as u64);
    let needed = length.saturating_mul(COPIES_OF_FILE);
    let needed = needed.saturating_add(matrix.saturating_mul(COPIES_OF_MATRIX));
    if needed > memory {
        return Err(too_large(needed, memory));
    }
    let tensor = read_stored(&tree, &stored).await;
    let tensor = tensor.map_err(|error| unreadable(error.to_string()))?;
    drop(tree);
    let _spare = SpareCores::lend(cores().saturating_sub(1));
    look::spectrum(tensor, false).map_err(unreadable)
}

/// The tensor of a file that has no other.
async fn only_tensor(tree: &MemoryTree) -> Result<StoredTensor, String> {
    let in_words = |error: &dyn std::error::Error| error.to_string();
    let run = Run::find(tree).await.map_err(|error| in_words(&error))?;
    let part = run.steps.iter().flat_map(|step| &step.parts).next();
    let content = part.ok_or("there is no checkpoint in it")?.read(tree).await;
    let content = content.map_err(|error| in_words(&error))?;
    let contents = Contents::of(content.files, tree).await;
    let [held] = contents.tensors.as_slice() else {
        let count = contents.tensors.len();
        return Err(format!("it has {count} tensors, where one is wanted"));
    };
    let stored = held.values(DataKind::Weights);
    stored.cloned().map_err(|obstacle| obstacle.to_string())
}

fn ending() -> Refused {
    let message = "the worker is about to end";
    Refused::new(StatusCode::SERVICE_UNAVAILABLE, message)
}

fn unreadable(reason: String) -> Refused {
    Refused::new(StatusCode::UNPROCESSABLE_ENTITY, reason)
}

fn too_large(needed: u64, there: u64) -> Refused {
    Refused::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        format!(
            "this takes {} of memory or more, and the worker may use {}; its owner can change that \
             with --memory",
            bytes(needed),
            bytes(there)
        ),
    )
}
