//! What the values of one tensor are, by its own dtype and what stands beside it.

use super::beside::{Beside, Companion, Names, Role, in_words, names_in_words};
use super::block::{Blocks, blocks};
use super::quantization::Quantization;
use super::{Found, Obstacle, Storage};
use crate::dtype::Dtype;
use crate::stored::{ChunkedTensor, StorageScale, StoredTensor};

/// What 8-bit integers divide the largest magnitude of a row into.
const PARTS_OF_ROW_MAXIMUM: u32 = 127;

/// What a tensor's values are, and how it is stored where that is to be known.
pub(super) fn decide(
    tensor: &Found,
    names: &Names<'_>,
    quantization: &Quantization,
) -> (Storage, Option<String>) {
    let elements = match &tensor.elements {
        Ok(elements) => elements,
        Err(reason) => {
            let reason = reason.clone();
            return (Storage::Obstructed(Obstacle::Unreadable { reason }), None);
        }
    };
    if elements.shape.contains(&0) {
        let shape = elements.shape.clone();
        return (Storage::Obstructed(Obstacle::Empty { shape }), None);
    }
    let beside = names.beside(tensor);
    // What stands beside them decides before the type: some libraries store packed bytes as floats.
    let is_packed = beside.iter().any(|it| it.role == Role::Packing);
    if is_packed || Beside::of(&elements.name).is_of_packed_weight() {
        return (Storage::Obstructed(packed(elements, &beside)), None);
    }
    match elements.dtype {
        Dtype::F64 | Dtype::F32 | Dtype::F16 | Dtype::BF16 => {
            if quantization.has_fewer_than_eight_bits && elements.is_column() {
                return (Storage::Obstructed(packed(elements, &beside)), None);
            }
            let remark = beside_float(elements, names).or_else(|| unmerged(elements, names));
            (plain(elements), remark)
        }
        Dtype::F8E4M3 | Dtype::F8E5M2 | Dtype::I8 => {
            let unknown = || names.that_may_be_scales(tensor);
            of_eight_bits(elements, &beside, unknown, quantization)
                .unwrap_or_else(|obstacle| (Storage::Obstructed(obstacle), None))
        }
        Dtype::I64
        | Dtype::I32
        | Dtype::I16
        | Dtype::U64
        | Dtype::U32
        | Dtype::U16
        | Dtype::U8
        | Dtype::Bool => (of_integers(elements, &beside), None),
    }
}

fn plain(elements: &ChunkedTensor) -> Storage {
    Storage::Values(StoredTensor {
        elements: elements.clone(),
        scale: None,
    })
}

/// Floats beside a scale are values, as far as anybody can tell; that there is one is said.
fn beside_float(elements: &ChunkedTensor, names: &Names<'_>) -> Option<String> {
    let module = Beside::of(&elements.name).module();
    let scales = [
        format!("{}_scale_inv", elements.name),
        format!("{}_scale", elements.name),
        format!("{module}SCB"),
        format!("{module}scale_weight"),
    ];
    let scale = scales.iter().find(|name| names.contains(name))?;
    let scale = scale.get(module.len()..).unwrap_or(scale);
    Some(format!(
        "stored as {} beside `{scale}`, with which it is not multiplied: such a scale belongs to \
         weights of 8 bits",
        elements.dtype
    ))
}

/// What the model changes a weight with when it is used: an adapter, a mask. The weight is what is
/// stored, so its numbers are right; that they are not of what the model computes with is said.
fn unmerged(elements: &ChunkedTensor, names: &Names<'_>) -> Option<String> {
    let (name, dtype) = (&elements.name, elements.dtype);
    let module = name.strip_suffix("weight").unwrap_or(name);
    let masks = [format!("{name}_mask"), format!("{module}mask")];
    if let Some(mask) = masks.iter().find(|mask| names.contains(mask)) {
        let mask = mask.get(module.len()..).unwrap_or(mask);
        return Some(format!(
            "stored as {dtype} beside `{mask}`, which is not applied to it: where the mask is 0, \
             the model has no weight"
        ));
    }
    let adapter = names.of_adapters(name);
    (!adapter.is_empty()).then(|| {
        format!(
            "stored as {dtype} beside {} of an adapter: numbers are of the weight without it; \
             merge it to measure both (PEFT: `merge_and_unload`)",
            names_in_words(&adapter)
        )
    })
}

/// Elements of eight bits: values times a scale, where one is understood. Without any they are
/// values only where nothing beside them may be one.
fn of_eight_bits(
    elements: &ChunkedTensor,
    beside: &[Companion<'_>],
    unknown: impl Fn() -> Vec<String>,
    quantization: &Quantization,
) -> Result<(Storage, Option<String>), Obstacle> {
    if Beside::of(&elements.name).is_packed() {
        return Err(packed(elements, beside));
    }
    let dtype = elements.dtype;
    let refuse = |reason: String| Obstacle::StorageScale {
        dtype,
        beside: in_words(beside),
        reason,
    };
    if beside.iter().any(|it| it.role == Role::Other) {
        return Err(refuse("what they are to it is not known".to_owned()));
    }
    let is_scale = |it: &&Companion<'_>| matches!(it.role, Role::Factors | Role::RowMaxima);
    let scales: Vec<&Companion<'_>> = beside.iter().filter(is_scale).collect();
    let scale = match scales.as_slice() {
        [] if dtype == Dtype::I8 => return Ok((Storage::Integers(whole(elements)), None)),
        [] if quantization.is_said => return Err(Obstacle::NoScale { dtype }),
        [] => {
            let unknown = unknown();
            if !unknown.is_empty() {
                return Err(Obstacle::StorageScale {
                    dtype,
                    beside: names_in_words(&unknown),
                    reason: "which may be its scale and is not understood".to_owned(),
                });
            }
            let remark = format!("stored as {dtype} with no scale beside it, and taken as it is");
            return Ok((plain(elements), Some(remark)));
        }
        [scale] => *scale,
        _ => return Err(refuse("which of them counts is not known".to_owned())),
    };
    if dtype == Dtype::I8 && quantization.has_fewer_than_eight_bits {
        let reason = "the model's config says that weights have fewer than 8 bits";
        return Err(refuse(reason.to_owned()));
    }
    let order = beside.iter().find(|it| it.role == Role::Order);
    let order = order
        .map(|order| readable(order))
        .transpose()
        .map_err(&refuse)?;
    let scaled = scaled(elements, scale, order, quantization).map_err(&refuse)?;
    Ok((Storage::Values(scaled.0), Some(scaled.1)))
}

/// The tensor with its scale, and how it is stored.
fn scaled(
    elements: &ChunkedTensor,
    companion: &Companion<'_>,
    order: Option<&ChunkedTensor>,
    quantization: &Quantization,
) -> Result<(StoredTensor, String), String> {
    let (name, factors) = (companion.name, readable(companion)?);
    if !factors.dtype.is_float() || factors.dtype.bytes() < 2 {
        return Err(format!("factors of {} are not understood", factors.dtype));
    }
    let is_of_rows = companion.role == Role::RowMaxima;
    if is_of_rows && elements.dtype != Dtype::I8 {
        return Err(format!("`{name}` belongs to I8"));
    }
    let Blocks { block, in_words } = blocks(&elements.shape, &factors.shape, quantization)
        .map_err(|reason| format!("`{name}` has the shape {:?}, and {reason}", factors.shape))?;
    let divisor = if is_of_rows { PARTS_OF_ROW_MAXIMUM } else { 1 };
    let divided = if is_of_rows { ", divided by 127" } else { "" };
    let remark = format!(
        "stored as {}, multiplied with `{name}`{divided}: {in_words}",
        elements.dtype
    );
    let scale = StorageScale {
        factors: factors.clone(),
        block,
        divisor,
        order: order.cloned(),
    };
    Ok((
        StoredTensor {
            elements: elements.clone(),
            scale: Some(scale),
        },
        remark,
    ))
}

/// What a companion stores.
fn readable<'a>(companion: &Companion<'a>) -> Result<&'a ChunkedTensor, String> {
    let name = companion.name;
    let tensor = companion
        .tensor
        .ok_or_else(|| format!("there are several `{name}`"))?;
    let elements = tensor.elements.as_ref();
    elements.map_err(|reason| format!("`{name}` cannot be read: {reason}"))
}

/// Whole numbers: packed where something stands beside them that unpacks them.
fn of_integers(elements: &ChunkedTensor, beside: &[Companion<'_>]) -> Storage {
    let name = Beside::of(&elements.name);
    let is_packed = !beside.is_empty() || name.is_packed();
    if is_packed && elements.dtype != Dtype::Bool {
        Storage::Obstructed(packed(elements, beside))
    } else {
        Storage::Integers(whole(elements))
    }
}

fn whole(elements: &ChunkedTensor) -> StoredTensor {
    StoredTensor {
        elements: elements.clone(),
        scale: None,
    }
}

fn packed(elements: &ChunkedTensor, beside: &[Companion<'_>]) -> Obstacle {
    Obstacle::Packed {
        scheme: scheme(elements, beside),
        dtype: elements.dtype,
        shape: elements.shape.clone(),
        beside: match beside {
            [] => "nothing that unpacks it".to_owned(),
            some => in_words(some),
        },
    }
}

/// Who packs so, as far as names tell.
fn scheme(elements: &ChunkedTensor, beside: &[Companion<'_>]) -> String {
    let has = |part: &str| beside.iter().any(|it| it.name.contains(part));
    let name = elements.name.as_str();
    let state = beside
        .iter()
        .find_map(|it| it.name.split_once("bitsandbytes__"));
    let known = match state {
        Some((_, kind)) => return format!("bitsandbytes {kind}"),
        None if has("absmax") => "bitsandbytes, 4 bits",
        None if name.ends_with("_blocks") => "MXFP4",
        None if has("scale_2") || has("global_scale") => "NVFP4",
        None if name.ends_with("weight_packed") => "compressed-tensors",
        None if name.ends_with("W_q") => "HQQ",
        None if name.ends_with("qweight") && has("g_idx") => "GPTQ",
        None if name.ends_with("qweight") && has("qzeros") => "GPTQ or AWQ",
        None => "several elements in one",
    };
    known.to_owned()
}
