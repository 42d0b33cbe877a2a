//! PyTorch's checkpoints: a pickle that describes tensors, and the storages they view.

mod account;
mod archive;
mod array;
mod call;
mod distributed;
mod legacy;
mod object;
mod pickle;
mod storage;
mod tensors;
mod value;
mod zip;

pub use distributed::DistributedMetadata;
pub use legacy::TorchLegacy;
pub use zip::TorchZip;
