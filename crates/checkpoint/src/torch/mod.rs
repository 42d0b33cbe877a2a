//! PyTorch's checkpoints: a pickle that describes tensors, and the storages they view.

mod archive;
mod legacy;
mod pickle;
mod storage;
mod tensors;
mod zip;

pub use legacy::TorchLegacy;
pub use zip::TorchZip;
