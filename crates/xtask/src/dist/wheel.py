"""Writes a Python wheel that carries a program and nothing else: `pip install FILE` puts it into the
environment's `bin`, on machines where nobody may install anything else.

usage: wheel.py PROGRAM FOLDER
"""

import base64
import hashlib
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

NAME = "ckptscope_worker"
TAG = "py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64"

METADATA = """Metadata-Version: 2.1
Name: {name}
Version: {version}
Summary: Metrics of language models' parts over training: the worker of ckptscope
License: MIT OR Apache-2.0
Requires-Python: >=3.6
"""

WHEEL = """Wheel-Version: 1.0
Generator: ckptscope
Root-Is-Purelib: false
Tag: py3-none-manylinux_2_17_x86_64
Tag: py3-none-manylinux2014_x86_64
"""


def main(program, folder):
    told = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    # worker 0.1.0 (COMMIT)
    version = told.stdout.split()[1]
    own = f"{NAME}-{version}"
    files = {
        f"{own}.data/scripts/worker": Path(program).read_bytes(),
        f"{own}.dist-info/METADATA": METADATA.format(name=NAME, version=version).encode(),
        f"{own}.dist-info/WHEEL": WHEEL.encode(),
    }
    record = ""
    wheel = f"{own}-{TAG}.whl"
    with zipfile.ZipFile(Path(folder) / wheel, "w", zipfile.ZIP_DEFLATED) as archive:

        def add(path, content, mode):
            entry = zipfile.ZipInfo(path, (2020, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            # pip starts what says that it is a file, and one that can be started.
            entry.external_attr = (stat.S_IFREG | mode) << 16
            archive.writestr(entry, content)

        for path, content in files.items():
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest())
            record += f"{path},sha256={digest.rstrip(b'=').decode()},{len(content)}\n"
            add(path, content, 0o755 if path.endswith("/worker") else 0o644)
        path = f"{own}.dist-info/RECORD"
        add(path, f"{record}{path},,\n", 0o644)
    print(wheel)


main(*sys.argv[1:])
