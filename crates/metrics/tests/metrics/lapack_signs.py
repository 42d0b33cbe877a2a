"""Writes lapack_signs.txt: the signs that LAPACK (through numpy) gives left singular vectors.

For matrices of several sides, one line each: the side, and for every left singular vector, the
largest singular value first, the sign of its component of largest magnitude.

    python3 lapack_signs.py > lapack_signs.txt
"""

import numpy

SIDES = [1, 2, 3, 5, 8, 12, 20, 25, 26, 27, 33, 48, 64, 100, 150, 200, 301]


def exact(side):
    """The same matrix as `exact` in reference_signs.rs: quotients of small numbers."""
    state, entries = side, []
    for _ in range(side * side):
        state = (state * 1_664_525 + 1_013_904_223) % 2**32
        entries.append((state >> 16) / 32_768 - 1)
    return numpy.array(entries).reshape(side, side)


for side in SIDES:
    vectors = numpy.linalg.svd(exact(side))[0]
    largest = numpy.abs(vectors).argmax(axis=0)
    signs = numpy.sign(vectors[largest, range(side)])
    print(side, "".join("+" if sign > 0 else "-" for sign in signs))
