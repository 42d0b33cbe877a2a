"""Times the worker beside LAPACK and a sort, in turn, on the same matrices.

usage: lapack.py WORKER [REPETITIONS]

Needs torch and numpy, whose LAPACK is MKL on x86-64. Both sides get one thread. Times are those of
processors in seconds, the least of all repetitions: other programs make them longer. The worker's
are of the whole process, which reads the file and widens it; the other side's of the kernel alone.
"""

import json
import os
import resource
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import numpy
import torch

SPECTRA = [(768, 3072), (1536, 6144), (2048, 8192), (4096, 4096), (4096, 11008)]
ENTRIES = (4096, 11008)

CONFIG = """analysis_name: lapack
steps: all
metrics:
  - metric_name: {metric}
    data_split: val
    components:
      - {{component_name: simple, data_type: weights, layers: all, layer_suffixes: it}}
"""


def main():
    torch.set_num_threads(1)
    worker = Path(sys.argv[1]).absolute()
    repetitions = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    random = numpy.random.default_rng(0)
    print(f"{'':34} worker   other   ratio")
    with tempfile.TemporaryDirectory() as scratch:
        run = Run(worker, Path(scratch))
        for shape in SPECTRA:
            matrix = random.standard_normal(shape, dtype=numpy.float32)
            run.write(matrix, "BF16")
            wide = torch.from_numpy(matrix.astype(numpy.float64))
            kernel = lambda: torch.linalg.eigvalsh(wide @ wide.T)
            told(f"singular values {shape}, bf16", run, "per", kernel, repetitions)
        matrix = random.standard_normal(ENTRIES, dtype=numpy.float32)
        magnitudes = numpy.abs(matrix).ravel()
        for dtype in ("BF16", "F32"):
            run.write(matrix, dtype)
            half = magnitudes[: magnitudes.size // 2] if dtype == "BF16" else magnitudes
            for metric, kernel in (
                ("gini", lambda: numpy.sort(magnitudes)),
                ("hoyer", lambda: half.copy()),
            ):
                told(f"{metric} of 45 million, {dtype}", run, metric, kernel, repetitions)


def told(words, run, metric, kernel, repetitions):
    """Prints the least times of both sides."""
    both = [(run.seconds(metric), seconds_of(kernel)) for _ in range(repetitions)]
    ours = min(one for one, _ in both)
    other = min(one for _, one in both)
    print(f"{words:34} {ours:6.2f}  {other:6.2f}  {ours / other:6.2f}")


def seconds_of(kernel):
    """Seconds of a processor that this process takes for a kernel."""
    before = resource.getrusage(resource.RUSAGE_SELF)
    kernel()
    return processor(resource.getrusage(resource.RUSAGE_SELF)) - processor(before)


def processor(usage):
    return usage.ru_utime + usage.ru_stime


class Run:
    """A run of one step with one matrix, and the worker that analyses it."""

    def __init__(self, worker, folder):
        self.worker = worker
        self.folder = folder
        self.step = folder / "run" / "step_1"
        self.step.mkdir(parents=True)

    def write(self, matrix, dtype):
        """Writes the matrix as the only tensor of the step."""
        data = matrix
        if dtype == "BF16":
            data = ((matrix.view(numpy.uint32) + 0x8000) >> 16).astype(numpy.uint16)
        place = {"dtype": dtype, "shape": matrix.shape, "data_offsets": [0, data.nbytes]}
        header = json.dumps({"model.layers.0.it.weight": place}).encode()
        with open(self.step / "model.safetensors", "wb") as file:
            file.write(struct.pack("<Q", len(header)) + header)
            data.tofile(file)

    def seconds(self, metric):
        """Seconds of a processor that the worker takes for a metric of the matrix."""
        config = self.folder / "config.yaml"
        config.write_text(CONFIG.format(metric=metric))
        command = [self.worker, "analyze", "--quiet", "--threads", "1", "--overwrite"]
        command += ["--config", config, self.folder / "run", "--out", self.folder / "out"]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        if status != 0:
            sys.exit(f"the worker failed at {metric}")
        return processor(usage)


main()
