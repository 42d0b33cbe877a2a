//! Wrappers: what training code puts around a model, and so into its tensors' names.

use std::borrow::Cow;

/// The segments of a name that say how a model was trained, and not which tensor it is.
/// `DistributedDataParallel`, `torch.compile`, Fabric, FSDP and PEFT add them, at the start of a
/// name or within it.
pub const WRAPPERS: &[&str] = &[
    "module",
    "_orig_mod",
    "_forward_module",
    "_fsdp_wrapped_module",
    "_checkpoint_wrapped_module",
    "base_model",
];

/// Whether a segment of a name is a wrapper's.
#[must_use]
pub fn is_wrapper(segment: &str) -> bool {
    WRAPPERS.contains(&segment)
}

/// A name without the segments of wrappers; one of nothing else stays as it is.
///
/// ```
/// use ckptscope_vocabulary::without_wrappers;
///
/// assert_eq!(without_wrappers("module.layers.0._orig_mod.mlp"), "layers.0.mlp");
/// assert_eq!(without_wrappers("_forward_module.layers."), "layers.");
/// assert_eq!(without_wrappers("layers.0.submodule"), "layers.0.submodule");
/// assert_eq!(without_wrappers("module"), "module");
/// ```
#[must_use]
pub fn without_wrappers(name: &str) -> Cow<'_, str> {
    let segments = || name.split('.');
    if !segments().any(is_wrapper) || segments().all(is_wrapper) {
        return Cow::Borrowed(name);
    }
    let kept: Vec<&str> = segments().filter(|segment| !is_wrapper(segment)).collect();
    Cow::Owned(kept.join("."))
}
