"""Makes the files beside this one, and expected.json with what torch.load gives for them.

    python make.py      (wants torch and numpy)

Every file holds values in some other way than a flat dict of tensors. `expected.json` has, for
each file, its tensors by name: shape, and values in row-major order.
"""

import argparse
import collections
import datetime
import functools
import json
import os
import pathlib
import shutil
import sys
import zipfile

import numpy
import torch

os.chdir(pathlib.Path(__file__).parent)
torch.manual_seed(0)
EXPECTED = {}


class Block(torch.nn.Module):
    def __init__(self, shared):
        super().__init__()
        self.note = "plain"
        self.proj = torch.nn.Linear(3, 2, bias=False)
        self.shared = shared
        self.parent_like = [1, 2]
        self.register_buffer("mask", torch.ones(2, 2, dtype=torch.bool))


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        shared = torch.nn.LayerNorm(2)
        self.layers = torch.nn.ModuleList([Block(shared), Block(shared)])
        self.scale = torch.nn.Parameter(torch.randn(2, 1))
        self.nothing = None
        self.register_parameter("absent", None)


class Trainer:
    """An object that knows a module, and itself."""

    def __init__(self):
        self.model = Net()
        self.me = self
        self.history = collections.deque([torch.randn(2), torch.randn(1)], maxlen=3)


class Weights(collections.OrderedDict):
    pass


def tell(file, tensors):
    EXPECTED[file] = {
        name: {
            "shape": list(value.shape),
            "values": numpy.asarray(value, dtype="float64").ravel().tolist(),
        }
        for name, value in tensors.items()
    }


def save(file, value, tensors, **options):
    torch.save(value, file, **options)
    tell(file, {name: torch.as_tensor(t).detach().double() for name, t in tensors.items()})


def state(module, prefix=""):
    return {prefix + name: value for name, value in module.state_dict().items()}


net = Net()
save("module.pt", net, state(net))
net = Net()
save("module_legacy.pt", {"model": net}, state(net, "model."), _use_new_zipfile_serialization=False)
trainer = Trainer()
held = {f"history.{index}": value for index, value in enumerate(trainer.history)}
save("object.pt", trainer, {**state(trainer.model, "model."), **held})

weights = {"layers.0.w": torch.randn(2, 3), "layers.1.w": torch.randn(2, 3)}
save("ordered_subclass.pt", Weights(weights), weights)
save("namespace.pt", argparse.Namespace(step=3, state=weights), {f"state.{k}": v for k, v in weights.items()})

# What Megatron and DeepSpeed say of the ranks that have parts of a model.
one = {"tensor_model_parallel_size": 1, "pipeline_model_parallel_size": 1}
save("one_rank.pt", {"model": weights, "args": argparse.Namespace(**one)}, {f"model.{k}": v for k, v in weights.items()})
for file, settings in [
    ("tensor_ranks.pt", {"args": argparse.Namespace(**{**one, "tensor_model_parallel_size": 2})}),
    ("stages.pt", {"args": argparse.Namespace(**{**one, "pipeline_model_parallel_size": 4})}),
    ("deep_ranks.pt", {"hyper_parameters": {"cfg": {"tensor_parallel_size": "2"}}}),
    ("deepspeed_ranks.pt", {"mp_world_size": 2}),
]:
    save(file, {"model": weights, **settings}, {})
dense, experts = torch.randn(2, 3), torch.randn(2, 3)
settings = argparse.Namespace(**one, expert_model_parallel_size=8)
save(
    "expert_ranks.pt",
    {"model": {"layers.0.w": dense, "layers.0.experts.0.w": experts}, "args": settings},
    {"model.layers.0.w": dense},
)

listed = {"layers.0.up.weight": [[0.5, 1.0]], "layers.1.up.weight": torch.ones(1, 2), "history": [0.5], "weight": []}
save("listed.pt", listed, {"layers.1.up.weight": torch.ones(1, 2)})

plain = {
    "when": datetime.datetime(2026, 1, 2),
    "where": pathlib.PurePosixPath("a/b"),
    "size": torch.Size([2, 3]),
    "dtype": torch.float32,
    "device": torch.device("cpu"),
    "options": argparse.Namespace(lr=0.1, tags={"a"}),
    "call": functools.partial(max, 1),
    "names": frozenset(["a"]),
    "counts": collections.Counter("abca"),
    "numpy_dtype": numpy.dtype("float32"),
    "complex": 1 + 2j,
    "queue": collections.deque([1, 2]),
}
save("plain_values.pt", {"model": weights, **plain}, {f"model.{k}": v for k, v in weights.items()})

rows = numpy.arange(6, dtype="float32").reshape(2, 3) - 200.25
arrays = {
    "c": rows,
    "fortran": numpy.asfortranarray(rows),
    "big": rows.astype(">f4"),
    "double": rows.astype("float64") / 3,
    "half": rows.astype("float16"),
    "bytes": numpy.arange(250, 256, dtype="uint8"),
    "negative": numpy.array([-1, 2], dtype=">i8"),
    "truth": numpy.array([True, False]),
    "cube": numpy.asfortranarray(numpy.arange(24, dtype="int16").reshape(2, 3, 4)),
    "none": numpy.zeros((0, 2), dtype="float32"),
    "scalar": numpy.float64(-0.1),
    "point": numpy.array(7, dtype="int32"),
}
shown = {name: numpy.asarray(value, dtype="float64") for name, value in arrays.items()}
unreadable = {
    "objects": numpy.array([None, {}], dtype=object),
    "records": numpy.zeros(2, dtype=[("a", "f4"), ("b", "i4")]),
    "complex": numpy.zeros(2, dtype="complex64"),
    "masked": numpy.ma.masked_array([1.0, 2.0], mask=[True, False]),
}
for file, options in [
    ("arrays_2.pt", {}),
    ("arrays_4.pt", {"pickle_protocol": 4}),
    ("arrays_5.pt", {"pickle_protocol": 5}),
    ("arrays_legacy.pt", {"_use_new_zipfile_serialization": False}),
]:
    torch.save({**arrays, "odd": unreadable}, file, **options)
    tell(file, shown)


class FromNumpy:
    """What torch.save writes of tensors on devices that only NumPy can reach."""

    def __reduce__(self):
        return torch._utils._rebuild_device_tensor_from_numpy, (rows, torch.float32, "xla:0", False)


class FromCpu:
    def __reduce__(self):
        data = torch.from_numpy(rows)
        return torch._utils._rebuild_device_tensor_from_cpu_tensor, (data, torch.float32, "maia:0", False)


torch.save({"numpy": FromNumpy(), "cpu": FromCpu()}, "devices.pt")
tell("devices.pt", {"numpy": shown["c"], "cpu": shown["c"]})

flipped = torch._neg_view(torch.randn(2, 3))
imaginary = torch.view_as_complex(torch.randn(2, 3, 2)).conj().imag
views = {"neg": flipped, "conj": imaginary, "transposed": flipped.t(), "sound": torch.randn(1)}
save("negated.pt", views, {name: value.resolve_neg() for name, value in views.items()})

torch.save({"a": {"b": torch.ones(1)}, "a.b": torch.zeros(1), "c": torch.ones(2), torch.nn.Linear: {}, torch.device("cpu"): {}, torch.float32: {}}, "shared_name.pt")
tell("shared_name.pt", {"c": numpy.ones(2)})

quantised = torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.qint8)
torch.save(
    {
        "quantised": quantised,
        "sparse": torch.eye(2).to_sparse(),
        "meta": torch.empty(2, device="meta"),
        "sound": torch.ones(2),
    },
    "unreadable.pt",
)
tell("unreadable.pt", {"sound": numpy.ones(2)})

# A process of its own is enough to make a mesh of one, and tensors that are spread over it.
os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT="29511", RANK="0", WORLD_SIZE="1")
torch.distributed.init_process_group("gloo")
from torch.distributed.tensor import DTensor, Partial, Replicate, Shard, distribute_tensor

mesh = torch.distributed.init_device_mesh("cpu", (1,))
whole = torch.randn(4, 2)
spread = {
    "sharded": distribute_tensor(whole, mesh, [Shard(0)]),
    "replicated": torch.nn.Parameter(distribute_tensor(whole, mesh, [Replicate()])),
    "sum": DTensor.from_local(whole, mesh, [Partial()]),
    "part": DTensor.from_local(whole, mesh, [Shard(0)], shape=torch.Size([8, 2]), stride=(2, 1)),
}
save("distributed.pt", spread, {"sharded": whole, "replicated": whole})
torch.distributed.destroy_process_group()


def packed_anew(source, target, root):
    """The archive packed again as tools do, compressed."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(root + name.split("/", 1)[1], old.read(name))


many = {"zeros": torch.zeros(16, 16), "random": torch.randn(4, 4), "view": torch.arange(10.0)[3:7]}
many["transposed"] = many["random"].t()
torch.save({**many, "array": rows}, "whole.tmp")
for file, root in [("deflated.pt", "archive/"), ("deflated_bare.pt", ""), ("deflated_deep.pt", "a/b/")]:
    packed_anew("whole.tmp", file, root)
    tell(file, many)
os.remove("whole.tmp")

with open("expected.json", "w") as file:
    json.dump(EXPECTED, file, indent=None, separators=(",", ":"))
