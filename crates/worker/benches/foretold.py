"""Compares the time that the worker foretells with the time that it takes.

usage: foretold.py WORKER [FAMILY]

Needs numpy and torch. For every family of metrics and every shape it writes a run of as many matrices as take
a third of a second or more, asks `worker check` for the seconds that it foretells with one thread,
and `worker analyze` for those that it takes. Each is the middle of three: rates are measured anew
every time. Machines are noisy: only ratios count, and they should be from 0.67 to 1.5.
"""

import json
import os
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy
import torch

SIDES = (64, 128, 256, 512, 1024, 2048, 4096)
REPETITIONS = 3
LAYERS = 8
# What a run has of entries, at most; and seconds that it should take at least.
ENTRIES = 1 << 25
SECONDS = 0.35
# Seconds that the program takes to start and to write its files.
STARTING = 0.009

WEIGHTS = {
    "per": "per",
    "condition number": "condition_number",
    "nuclear norm": "norm, norm_type: nuclear",
    "gini": "gini",
    "hoyer": "hoyer",
    "entry statistics": "entry_statistics",
}
ACTIVATIONS = {"cka": "cka", "pwcca": "pwcca"}


def main():
    worker = Path(sys.argv[1]).absolute()
    wanted = sys.argv[2] if len(sys.argv) > 2 else ""
    print(f"{'':30} {'':11} {'units':>6} {'foretold':>9} {'taken':>7} {'ratio':>6}", flush=True)
    for dtype in ("F32", "BF16"):
        for name in [*WEIGHTS, *ACTIVATIONS, "ov circuits"]:
            if wanted in f"{name}, {dtype}":
                family(worker, name, dtype)


def family(worker, name, dtype):
    """All shapes of one family."""
    for side in SIDES:
        for shape in ((side, side), (side, 4 * side)):
            if shape[0] * shape[1] > ENTRIES or name == "ov circuits" and shape[1] > side:
                continue
            if name in ACTIVATIONS and (side > 1024 or name == "pwcca" and side > 512):
                continue
            with tempfile.TemporaryDirectory() as scratch:
                run = Run(worker, Path(scratch), name, dtype, shape[::-1] if name in ACTIVATIONS else shape)
                run.tell()


class Run:
    """A run of matrices of one shape, and the worker that analyses it."""

    def __init__(self, worker, folder, name, dtype, shape):
        self.worker, self.folder, self.name = worker, folder, name
        self.dtype, self.shape = dtype, shape
        (folder / "config.yaml").write_text(self.config())
        self.units = 2
        self.write()

    def config(self):
        metric, kind, target = WEIGHTS.get(self.name), "weights", ""
        component = "{component_name: simple, data_type: %s, layers: all, layer_suffixes: it}"
        if self.name in ACTIVATIONS:
            metric, kind, target = ACTIVATIONS[self.name], "activations", "    target_checkpoint: 1\n"
        if self.name == "ov circuits":
            metric = "per"
            component = (
                "{component_name: ov_circuit, data_type: %s, layers: all, "
                "layer_suffixes: {output_layer: o, value_layer: v}}"
            )
        metric, _, parameters = metric.partition(", ")
        lines = f"  - metric_name: {metric}\n    data_split: val\n{target}"
        if parameters:
            lines += f"    {parameters}\n"
        component = component % kind
        return f"analysis_name: it\nsteps: all\nmetrics:\n{lines}    components:\n      - {component}\n"

    def write(self):
        """Writes so many layer-steps; all steps have the same matrices."""
        layers = min(LAYERS, self.units)
        steps = max(1, self.units // layers)
        if self.name in ACTIVATIONS:
            layers, steps = max(1, self.units // 4), 5
        self.units = layers * steps
        random = numpy.random.default_rng(0)
        run = self.folder / "run"
        run.mkdir(exist_ok=True)
        suffixes = ("o", "v") if self.name == "ov circuits" else ("it",)
        if self.name == "ov circuits":
            heads = {"n_heads": max(1, self.shape[0] // 64), "d_model": self.shape[0]}
            config = {"model_type": "llama", "hidden_size": self.shape[0], "num_hidden_layers": layers}
            config |= {"num_attention_heads": heads["n_heads"], "vocab_size": 8}
            (run / "config.json").write_text(json.dumps(config))
        for step in range(1, steps + 1):
            header, data = {}, []
            offset = 0
            for layer in range(layers):
                for suffix in suffixes:
                    stored = self.stored(random.standard_normal(self.shape, dtype=numpy.float32))
                    end = offset + stored.nbytes
                    place = {"dtype": self.dtype, "shape": self.shape, "data_offsets": [offset, end]}
                    header[f"model.layers.{layer}.{suffix}.weight"] = place
                    offset = end
                    data.append(stored)
            if self.name in ACTIVATIONS:
                folder = run / f"checkpoints/step_{step}/learning_dynamics"
                folder.mkdir(parents=True, exist_ok=True)
                self.save(folder / "val_activations.pt", data)
                continue
            folder, file = run / f"step_{step}", "model.safetensors"
            folder.mkdir(parents=True, exist_ok=True)
            words = json.dumps(header).encode()
            with open(folder / file, "wb") as out:
                out.write(struct.pack("<Q", len(words)) + words)
                for stored in data:
                    stored.tofile(out)

    def save(self, path, data):
        """Writes activations as pico-train does."""
        tensors = [torch.from_numpy(stored) for stored in data]
        if self.dtype == "BF16":
            tensors = [tensor.view(torch.bfloat16) for tensor in tensors]
        names = (f"_forward_module.layers.{layer}.it" for layer in range(len(data)))
        torch.save(dict(zip(names, tensors)), path)

    def stored(self, matrix):
        if self.dtype == "F32":
            return matrix
        return ((matrix.view(numpy.uint32) + 0x8000) >> 16).astype(numpy.uint16).view(numpy.int16)

    def tell(self):
        """Makes it long enough, and prints both times."""
        entries = self.shape[0] * self.shape[1]
        taken = self.taken()
        most = max(2, 2 * ENTRIES // entries)
        if taken < SECONDS and self.units < most:
            own = max(taken - 0.02, 0.001) / self.units
            self.units = min(most, int(SECONDS / own) + 1)
            self.write()
        taken = sorted(self.taken() for _ in range(REPETITIONS))[REPETITIONS // 2]
        foretold = sorted(self.foretold() for _ in range(REPETITIONS))[REPETITIONS // 2]
        shape = f"{self.shape[0]}x{self.shape[1]}"
        words = f"{self.name}, {self.dtype}"
        ratio = foretold / taken
        mark = "" if 1 / 1.5 <= ratio <= 1.5 else " !"
        print(f"{words:30} {shape:>11} {self.units:6} {foretold:9.3f} {taken:7.3f} {ratio:6.2f}{mark}", flush=True)

    def foretold(self):
        command = [self.worker, "check", "--json", "--threads", "1"]
        command += [self.folder / "config.yaml", self.folder / "run"]
        return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)["seconds"]

    def taken(self):
        """Seconds of a processor, less what starting and writing files take."""
        command = [self.worker, "analyze", "--quiet", "--threads", "1", "--overwrite"]
        command += ["--config", self.folder / "config.yaml", self.folder / "run"]
        command += ["--out", self.folder / "out"]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        if status != 0:
            sys.exit(f"the worker failed at {self.name}")
        return usage.ru_utime + usage.ru_stime - STARTING


main()
