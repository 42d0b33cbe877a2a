"""Writes the checkpoints of this folder, and `expected.json` with what their weights are.

usage: python make.py        (in this folder; needs torch, numpy and safetensors)

Every case is a folder with one step of two layers. Values are computed with NumPy in float64 from
the stored elements and their scales, as the schemes' own definitions have it. Where the weights
cannot be known, `expected.json` has the status's code and words that its text must have.
"""

import json
import pathlib

import numpy as np
import torch
from safetensors.torch import save_file

HERE = pathlib.Path(__file__).parent
NAME = "model.layers.{}.self_attn.v_proj"
E4M3, E5M2 = torch.float8_e4m3fn, torch.float8_e5m2
random = np.random.default_rng(13)
expected = {}


def write(case, tensors, config=None, shard=None):
    folder = HERE / case / "checkpoint-100"
    folder.mkdir(parents=True, exist_ok=True)
    if shard is None:
        save_file(tensors, folder / "model.safetensors")
    else:
        second = {name: tensor for name, tensor in tensors.items() if shard in name}
        first = {name: tensor for name, tensor in tensors.items() if shard not in name}
        save_file(first, folder / "model-00001-of-00002.safetensors")
        save_file(second, folder / "model-00002-of-00002.safetensors")
    if config is not None:
        (folder / "config.json").write_text(json.dumps({"quantization_config": config}))


def numbers(weight):
    magnitudes = np.sort(np.abs(weight).ravel())
    count = magnitudes.size
    ranks = np.arange(1, count + 1)
    singular = np.linalg.svd(weight, compute_uv=False)
    share = singular / singular.sum()
    share = share[share > 0]
    return {
        "norm": float(np.sqrt((weight**2).sum())),
        "gini": float((2 * ranks - count - 1) @ magnitudes / (count * magnitudes.sum())),
        "per": float(np.exp(-(share * np.log(share)).sum()) / min(weight.shape)),
    }


def spread(scale, block, shape):
    """A factor for every element."""
    for axis, size in enumerate(block):
        scale = np.repeat(scale, size, axis=axis)
    return scale[tuple(slice(extent) for extent in shape)]


def scales(*shape):
    return torch.tensor(random.lognormal(0, 1.5, shape), dtype=torch.float32)


def eight_bits(dtype, *shape):
    if dtype is torch.int8:
        return torch.tensor(random.integers(-127, 128, shape), dtype=torch.int8)
    return torch.tensor(random.normal(0, 20, shape), dtype=torch.float32).to(dtype)


def scaled(case, dtype, shape, scale_shape, block, name, divisor=1, extra=None, **how):
    tensors = {}
    expected[case] = {}
    for layer in range(2):
        stored, scale = eight_bits(dtype, *shape), scales(*scale_shape)
        module = NAME.format(layer)
        tensors[f"{module}.weight"] = stored
        tensors[f"{module}.{name}"] = scale.to(how.get("scale_dtype", torch.float32))
        tensors.update(extra(module) if extra else {})
        scale = tensors[f"{module}.{name}"].double().numpy()
        scale = scale.reshape(scale_shape + (1,) * (len(shape) - len(scale_shape)))
        weight = stored.double().numpy() * spread(scale, block, shape) / divisor
        expected[case][str(layer)] = numbers(weight)
    write(case, tensors, how.get("config"), how.get("shard"))


def told(case, tensors, code, *words, config=None):
    """Tensors by what follows the module's name, in both layers."""
    layers = [NAME.format(layer) for layer in range(2)]
    write(case, {f"{module}.{name}": tensor.clone() for module in layers for name, tensor in tensors.items()}, config)
    expected[case] = {"code": code, "words": list(words)}


def bytes_of(*shape):
    return torch.tensor(random.integers(0, 256, shape), dtype=torch.uint8)


def words_of(*shape):
    return torch.tensor(random.integers(-(2**31), 2**31, shape), dtype=torch.int32)


fp8 = {"quant_method": "fp8", "weight_block_size": [4, 8]}
scaled("fp8-blocks-ragged", E4M3, (10, 20), (3, 3), (4, 8), "weight_scale_inv", config=fp8)
scaled("fp8-blocks-by-shape", E4M3, (12, 16), (3, 4), (4, 4), "weight_scale_inv")
scaled("fp8-blocks-two-shards", E4M3, (8, 16), (2, 2), (4, 8), "weight_scale_inv", config=fp8, shard="scale")
scaled("fp8-rows", E4M3, (6, 10), (6, 1), (1, 10), "weight_scale", scale_dtype=torch.bfloat16,
       extra=lambda module: {f"{module}.input_scale": torch.tensor(2.0)})
scaled("fp8-whole", E5M2, (6, 10), (), (6, 10), "weight_scale")
scaled("fp8-comfy", E4M3, (6, 10), (1,), (6, 10), "scale_weight",
       extra=lambda module: {f"{module}.scale_input": torch.tensor([3.0])})
scaled("e5m2-rows", E5M2, (6, 10), (6,), (1, 10), "weight_scale")
scaled("int8-bitsandbytes", torch.int8, (8, 8), (8,), (1, 8), "SCB", divisor=127,
       extra=lambda module: {f"{module}.weight_format": torch.tensor(0, dtype=torch.uint8)})
scaled("int8-rows", torch.int8, (6, 10), (6, 1), (1, 10), "weight_scale",
       config={"config_groups": {"group_0": {"weights": {"num_bits": 8, "group_size": None}}}})
scaled("int8-groups", torch.int8, (6, 32), (6, 4), (1, 8), "weight_scale",
       config={"config_groups": {"group_0": {"weights": {"num_bits": 8, "group_size": 8}}}})

# Elements that are values: no scale stands beside them.
case = "fp8-without-scale"
stored = [eight_bits(E4M3, 6, 10) for _ in range(2)]
write(case, {f"{NAME.format(layer)}.weight": stored[layer] for layer in range(2)})
expected[case] = {str(layer): numbers(stored[layer].double().numpy()) for layer in range(2)}

quant_state = torch.tensor(list(b'{"quant_type": "fp4", "blocksize": 64, "shape": [16, 16]}'), dtype=torch.uint8)
told("bitsandbytes-fp4", {
    "weight": bytes_of(128, 1), "weight.absmax": bytes_of(4), "weight.quant_map": scales(16),
    "weight.nested_absmax": scales(1), "weight.nested_quant_map": scales(256),
    "weight.quant_state.bitsandbytes__fp4": quant_state,
}, "packed", "bitsandbytes fp4", "U8 [128, 1]", "absmax")
told("gptq", {
    "qweight": words_of(2, 16), "qzeros": words_of(1, 2), "scales": scales(1, 16).half(),
    "g_idx": torch.zeros(16, dtype=torch.int32),
}, "packed", "GPTQ", "I32 [2, 16]", "qzeros")
told("awq", {
    "qweight": words_of(16, 2), "qzeros": words_of(1, 2), "scales": scales(1, 16).half(),
}, "packed", "AWQ", "I32 [16, 2]")
told("compressed-tensors-int4", {
    "weight_packed": words_of(16, 2), "weight_scale": scales(16, 1).bfloat16(),
    "weight_shape": torch.tensor([16, 16]),
}, "packed", "compressed-tensors", "I32 [16, 2]", "weight_scale")
told("nvfp4", {
    "weight": bytes_of(16, 8), "weight_scale": eight_bits(E4M3, 16, 1), "weight_scale_2": torch.tensor(0.5),
}, "packed", "NVFP4")
told("bitnet", {"weight": bytes_of(4, 16), "weight_scale": scales(1)}, "packed", "U8 [4, 16]")
told("mxfp4", {"weight_blocks": bytes_of(16, 1, 16), "weight_scales": bytes_of(16, 1)}, "packed", "MXFP4")
told("int8-alone", {"weight": eight_bits(torch.int8, 8, 8)}, "stored_as_integers", "I8", "nothing beside it")
told("int32-alone", {"weight": words_of(8, 8)}, "stored_as_integers", "I32")
told("int8-zero-points", {
    "weight": eight_bits(torch.int8, 8, 8), "weight_scale": scales(8, 1),
    "weight_zero_point": eight_bits(torch.int8, 8, 1),
}, "scale_not_understood", "I8", "weight_zero_point")
told("int8-of-four-bits", {"weight": eight_bits(torch.int8, 8, 8), "weight_scale": scales(8, 1)},
     "scale_not_understood", "fewer than 8 bits", config={"bits": 4})
told("int8-other-order", {
    "weight": eight_bits(torch.int8, 8, 8), "SCB": scales(8),
    "weight_format": torch.tensor(2, dtype=torch.uint8),
}, "order_not_known", "weight_format", "[2.0]")
told("fp8-two-scales", {
    "weight": eight_bits(E4M3, 8, 8), "weight_scale": scales(8, 1), "weight_scale_inv": scales(8, 1),
}, "scale_not_understood", "which of them counts")
told("fp8-misfit", {"weight": eight_bits(E4M3, 8, 6), "weight_scale": scales(6)},
     "scale_not_understood", "[6]", "[8, 6]")
told("fp8-which-blocks", {"weight": eight_bits(E4M3, 6, 8), "weight_scale_inv": scales(2, 1)},
     "scale_not_understood", "[3, 4]", "weight_block_size")
told("fp8-other-blocks", {"weight": eight_bits(E4M3, 16, 16), "weight_scale_inv": scales(8, 8)},
     "scale_not_understood", "blocks of 4", config={"weight_block_size": [4, 4]})
told("mxfp8", {"weight": eight_bits(E4M3, 8, 32), "weight_scale": bytes_of(8, 1)},
     "scale_not_understood", "factors of U8")
told("empty", {"weight": torch.zeros(0)}, "empty_tensor", "[0]", "zero_to_fp32.py")
told("empty-matrix", {"weight": torch.zeros(0, 16)}, "empty_tensor", "[0, 16]")

# What stands beside elements decides before their type does: FSDP shards packed bytes as floats.
told("nf4-in-bf16", {
    "weight": bytes_of(64, 2).view(torch.bfloat16), "weight.absmax": scales(4), "weight.quant_map": scales(16),
    "weight.quant_state.bitsandbytes__nf4": quant_state,
}, "packed", "bitsandbytes nf4", "BF16 [64, 1]", "absmax")
told("hqq-in-floats", {"W_q": scales(8, 16), "scale": scales(1, 16), "zero": scales(1, 16)}, "packed", "HQQ", "F32 [8, 16]")
# FP8 beside what may be its scale and is called otherwise.
for case, name in [("fp8-modelopt", ".weight_quantizer._scale"), ("fp8-amax", ".weight_amax"),
                   ("fp8-word", ".w_s"), ("fp8-beside-module", "_scale"), ("fp8-input-scale", ".input_scale")]:
    modules = [NAME.format(layer) for layer in range(2)]
    tensors = {f"{module}.weight": eight_bits(E4M3, 8, 8) for module in modules}
    write(case, tensors | {f"{module}{name}": scales(1) for module in modules})
    expected[case] = {"code": "scale_not_understood", "words": [name.lstrip("."), "not understood"]}
# Other ways to say in a config that weights are quantised.
for case, dtype, scale, name, config, code, word in [
    ("int8-of-chatglm", torch.int8, True, "config.json", {"model_type": "chatglm", "quantization_bit": 4},
     "scale_not_understood", "fewer than 8 bits"),
    ("fp8-of-modelopt", E4M3, False, "hf_quant_config.json", {"quantization": {"quant_algo": "FP8"}},
     "scale_missing", "no scale is beside it"),
]:
    told(case, {"weight": eight_bits(dtype, 8, 8)} | ({"weight_scale": scales(8)} if scale else {}), code, word)
    (HERE / case / "checkpoint-100" / name).write_text(json.dumps(config))

(HERE / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")
