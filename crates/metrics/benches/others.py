"""Times what numpy and torch offer in place of the kernels of `kernels`, at the same sizes.

usage: others.py THREADS WIDTHS [FILTER]

WIDTHS are of models, with commas between them. Lines are those of the kernels' benchmark: a name
and a shape, and the best and median of milliseconds. torch's LAPACK is MKL on x86-64.
"""

import os
import sys
import time

THREADS = sys.argv[1]
for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[variable] = THREADS

import numpy
import torch

torch.set_num_threads(int(THREADS))

# As many runs and milliseconds at least as the kernels get; one of a kernel that takes as long.
RUNS, LEAST, LONG = 5, 0.6, 4.0
SAMPLES = 1430


def weights(width):
    return (width, 4 * width)


def square(width):
    return (width, width)


def activations(width):
    return (SAMPLES, width)


def gram(matrix):
    return matrix @ matrix.T


def by_gram(matrix):
    return torch.linalg.eigvalsh(gram(matrix))


def cka(matrix):
    one, other = matrix - matrix.mean(0), matrix * 2 - 1
    other = other - other.mean(0)
    cross = torch.linalg.norm(one.T @ other) ** 2
    return cross / (torch.linalg.norm(one.T @ one) * torch.linalg.norm(other.T @ other))


# Name, shape, widest model, kernel.
CASES = [
    ("limit: copy", weights, 4096, lambda m: m.clone()),
    ("limit: product", square, 4096, lambda m: m @ m),
    ("entry statistics", weights, 4096, lambda m: (m.abs().sum(), (m * m).sum(), m.abs().max())),
    ("sorted magnitudes", weights, 4096, lambda m: numpy.sort(numpy.abs(m.numpy()).ravel())),
    ("gram", weights, 4096, gram),
    ("singular values", weights, 4096, by_gram),
    ("singular values by decomposition", weights, 2048, torch.linalg.svdvals),
    ("singular values of a square", square, 4096, torch.linalg.svdvals),
    ("cka", activations, 2048, cka),
]


def milliseconds(kernel, matrix):
    times = []
    kernel(matrix)
    while len(times) < RUNS or sum(times) < LEAST:
        begun = time.perf_counter()
        kernel(matrix)
        times.append(time.perf_counter() - begun)
        if times[0] > LONG:
            break
    times.sort()
    return times[0] * 1e3, times[len(times) // 2] * 1e3


def main():
    wanted = sys.argv[3] if len(sys.argv) > 3 else ""
    for name, shape, widest, kernel in CASES:
        for width in map(int, sys.argv[2].split(",")):
            rows, columns = shape(width)
            line = f"{name}, {rows}x{columns}"
            if width <= widest and wanted in line:
                matrix = torch.randn(rows, columns, dtype=torch.float64)
                best, median = milliseconds(kernel, matrix)
                print(f"{line:48} {best:9.3f} {median:9.3f}", flush=True)


main()
