"""Writes a run with the shapes of Llama-70B and no data: sparse files, of which plans read the
directories only.

usage: llama_shapes.py FOLDER STEPS
"""

import json
import struct
import sys
from pathlib import Path

LAYERS, D_MODEL, D_KV, D_MLP = 80, 8192, 1024, 28672

SHAPES = {
    "self_attn.q_proj": [D_MODEL, D_MODEL],
    "self_attn.k_proj": [D_KV, D_MODEL],
    "self_attn.v_proj": [D_KV, D_MODEL],
    "self_attn.o_proj": [D_MODEL, D_MODEL],
    "mlp.gate_proj": [D_MLP, D_MODEL],
    "mlp.up_proj": [D_MLP, D_MODEL],
    "mlp.down_proj": [D_MODEL, D_MLP],
}

CONFIG = """analysis_name: llama-70b
metrics:
  - metric_name: condition_number
    data_split: val
    components:
      - component_name: simple
        data_type: weights
        layer_suffixes: [{suffixes}]
        layers: all
steps: all
"""


def main(folder, steps):
    folder = Path(folder)
    header, end = {}, 0
    for layer in range(LAYERS):
        for name, shape in SHAPES.items():
            begin, end = end, end + 2 * shape[0] * shape[1]
            entry = {"dtype": "BF16", "shape": shape, "data_offsets": [begin, end]}
            header[f"model.layers.{layer}.{name}.weight"] = entry
    text = json.dumps(header).encode()
    for step in range(1, steps + 1):
        path = folder / f"run/checkpoint-{1000 * step}/model.safetensors"
        path.parent.mkdir(parents=True)
        with path.open("wb") as file:
            file.write(struct.pack("<Q", len(text)) + text)
            file.truncate(8 + len(text) + end)
    (folder / "config.yaml").write_text(CONFIG.format(suffixes=", ".join(SHAPES)))


main(sys.argv[1], int(sys.argv[2]))
