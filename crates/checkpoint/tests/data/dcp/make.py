"""Writes the distributed checkpoints of this folder with PyTorch itself.

usage: python make.py        (in this folder; needs torch and numpy)

Every case is a folder as `torch.distributed.checkpoint.save` leaves it, written by one process or by
several that talk over gloo. `expected.json` has each tensor's shape and its elements in row-major
order, as they were before they were spread.
"""

import json
import pathlib
import shutil

import torch
import torch.distributed as dist
import torch.distributed.checkpoint as dcp
import torch.multiprocessing as mp
from torch.distributed.checkpoint.filesystem import SerializationFormat
from torch.distributed.checkpoint.state_dict import get_state_dict
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import Replicate, Shard, distribute_tensor

HERE = pathlib.Path(__file__).parent


def values(*shape, dtype=torch.float32):
    """Elements that tell their place, and are exact in every dtype used here."""
    count = torch.Size(shape).numel()
    return (torch.arange(count).reshape(shape) % 251 - 125).to(dtype)


class Block(torch.nn.Module):
    def __init__(self, width):
        super().__init__()
        self.q_proj = torch.nn.Linear(width, width, bias=False)
        self.v_proj = torch.nn.Linear(width, 5)
        self.norm = torch.nn.LayerNorm(width, bias=False)

    def forward(self, x):
        return self.v_proj(self.q_proj(self.norm(x)))


class Model(torch.nn.Module):
    def __init__(self, width=6, layers=2):
        super().__init__()
        self.layers = torch.nn.ModuleList(Block(width) for _ in range(layers))

    def forward(self, x):
        return sum(layer(x) for layer in self.layers)


def fsdp(folder, mesh):
    """A model sharded by FSDP2 and its optimizer, nested as people save them: 7 rows over 3 ranks."""
    torch.manual_seed(3)
    model = Model()
    whole = {f"model.{name}": tensor.clone() for name, tensor in model.state_dict().items()}
    for layer in model.layers:
        fully_shard(layer, mesh=mesh)
    fully_shard(model, mesh=mesh)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.0, weight_decay=0.0)
    model(torch.ones(2, 6)).sum().backward()
    optimizer.step()
    state, optim = get_state_dict(model, optimizer)
    dcp.save({"model": state, "optim": optim, "step": 7}, checkpoint_id=folder)
    return whole


def sharded(folder, mesh):
    """Tensors by themselves, sharded along each dimension, unevenly, and not at all."""
    whole = {
        "layers.0.rows": values(7, 4),
        "layers.0.columns": values(3, 8),
        "layers.0.uneven_columns": values(2, 5),
        "layers.0.fewer_rows_than_ranks": values(2, 3),
        "layers.0.middle": values(2, 5, 3),
        "layers.0.vector": values(10),
        "layers.0.whole": values(4, 4),
        "layers.0.bf16": values(6, 4, dtype=torch.bfloat16),
        "layers.0.scalar": values(),
        "layers.0.plain": values(3, 2),
    }
    dimension = {"columns": 1, "uneven_columns": 1, "middle": 1}
    state = {}
    for name, tensor in whole.items():
        leaf = name.rsplit(".", 1)[1]
        if leaf in ("scalar", "plain"):
            state[name] = tensor
        elif leaf == "whole":
            state[name] = distribute_tensor(tensor, mesh, [Replicate()])
        else:
            state[name] = distribute_tensor(tensor, mesh, [Shard(dimension.get(leaf, 0))])
    dcp.save(state, checkpoint_id=folder)
    return whole


def two_dimensions(folder, mesh):
    """Sharded along two dimensions over two by two ranks, as FSDP with tensor parallelism does."""
    mesh = init_device_mesh("cpu", (2, 2), mesh_dim_names=("dp", "tp"))
    whole = {"layers.0.both": values(6, 7), "layers.0.rows_of_one": values(5, 4)}
    state = {
        "layers.0.both": distribute_tensor(whole["layers.0.both"], mesh, [Shard(0), Shard(1)]),
        "layers.0.rows_of_one": distribute_tensor(whole["layers.0.rows_of_one"], mesh, [Replicate(), Shard(0)]),
    }
    dcp.save(state, checkpoint_id=folder)
    return whole


def alone(folder, mesh):
    """One process, several files of it, and tensors that are views."""
    base = values(12, 4)
    whole = {
        "layers.0.transposed": values(4, 6).t(),
        "layers.0.slice": base[2:7, 1:3],
        "layers.0.empty": values(0, 4),
        "layers.0.expanded": torch.tensor([[3.0]]).expand(2, 5),
        "layers.1.f64": values(2, 3, dtype=torch.float64),
        "layers.1.i64": values(2, 3, dtype=torch.int64),
    }
    dcp.save(dict(whole), storage_writer=dcp.FileSystemWriter(folder, thread_count=3))
    return {name: tensor.contiguous() for name, tensor in whole.items()}


def in_safetensors(folder, mesh):
    """Chunks in a format of which `.metadata` says neither the length nor where elements begin."""
    writer = dcp.FileSystemWriter(folder, serialization_format=SerializationFormat.SAFETENSORS)
    dcp.save({"layers.0.rows": values(6, 4), "layers.1.rows": values(3, 4)}, storage_writer=writer)
    return {}


CASES = {
    "fsdp": (fsdp, 3),
    "sharded": (sharded, 3),
    "two_dimensions": (two_dimensions, 4),
    "alone": (alone, 1),
    "in_safetensors": (in_safetensors, 1),
}


def run(rank, case, ranks, port, folder, answers):
    dist.init_process_group("gloo", init_method=f"tcp://127.0.0.1:{port}", rank=rank, world_size=ranks)
    make, _ = CASES[case]
    mesh = init_device_mesh("cpu", (ranks,))
    whole = make(folder, mesh)
    if rank == 0:
        answers.put({
            name: {"shape": list(tensor.shape), "values": tensor.double().flatten().tolist()}
            for name, tensor in whole.items()
        })
    dist.barrier()
    dist.destroy_process_group()


if __name__ == "__main__":
    expected = {}
    for index, (case, (_, ranks)) in enumerate(CASES.items()):
        folder = HERE / case
        shutil.rmtree(folder, ignore_errors=True)
        context = mp.get_context("spawn")
        answers = context.Queue()
        arguments = (case, ranks, 29400 + index, str(folder), answers)
        processes = [context.Process(target=run, args=(rank, *arguments)) for rank in range(ranks)]
        for process in processes:
            process.start()
        expected[case] = answers.get(timeout=120)
        for process in processes:
            process.join()
    (HERE / "expected.json").write_text(json.dumps(expected) + "\n")
