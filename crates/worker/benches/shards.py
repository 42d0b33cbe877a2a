"""What it costs to deal an analysis to shards: an analysis of 12 layers by one process, and in 1, 2,
4 and 8 shards that are computed one after the other on this machine.

usage: shards.py WORKER
"""

import array
import json
import random
import resource
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

LAYERS, STEPS, WIDTH = 12, 6, 256

CONFIG = """analysis_name: twelve
metrics:
  - metric_name: condition_number
    data_split: val
    components: &weights
      - {component_name: simple, data_type: weights, layer_suffixes: attention.v_proj, layers: all}
  - {metric_name: per, data_split: val, components: *weights}
  - {metric_name: gini, data_split: val, components: *weights}
  - {metric_name: relative_change, data_split: val, target_checkpoint: last, components: *weights}
steps: all
"""


def write_run(folder):
    generator = random.Random(1)
    for step in range(STEPS):
        header, data = {}, b""
        for layer in range(LAYERS):
            values = array.array("f", map(float, generator.randbytes(WIDTH * WIDTH))).tobytes()
            place = [len(data), len(data) + len(values)]
            entry = {"dtype": "F32", "shape": [WIDTH, WIDTH], "data_offsets": place}
            header[f"layers.{layer}.attention.v_proj"] = entry
            data += values
        text = json.dumps(header).encode()
        path = folder / f"checkpoints/step_{step}/learning_dynamics/val_weights.pt"
        path.parent.mkdir(parents=True)
        path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def timed(name, *commands):
    def processor():
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime

    wall, used = time.monotonic(), processor()
    for command in commands:
        ended = subprocess.run([str(word) for word in command], capture_output=True, text=True)
        if ended.returncode != 0:
            sys.exit(f"{command} ended with {ended.returncode}: {ended.stderr}")
    wall, used = time.monotonic() - wall, processor() - used
    print(f"{name:<34}{wall:8.2f} s{used:10.2f} s of processors", flush=True)


def main(worker):
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        run, config = folder / "run", folder / "config.yaml"
        write_run(run)
        config.write_text(CONFIG)
        threads = ["--threads", "2"]
        whole = [worker, "analyze", "--config", config, "--run-path", run, *threads]
        timed("one process, to warm up", [*whole, "--output-dir", folder / "warm"])
        timed("one process", [*whole, "--output-dir", folder / "whole"])
        for count in [1, 2, 4, 8]:
            out = folder / f"shards-{count}"
            submit = [worker, "submit", config, run, "--engine", "none", *threads]
            timed(f"{count} shards: submit", [*submit, "--shards", str(count), "--out", out])
            shard = [worker, "shard", out, "--index"]
            timed(f"{count} shards: all shards", *([*shard, str(i)] for i in range(count)))
            timed(f"{count} shards: merge", [worker, "merge", out])


main(*sys.argv[1:])
