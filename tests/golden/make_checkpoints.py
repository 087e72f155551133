"""Writes the files in `checkpoints/` with real PyTorch: a small one of every kind to be read.

Example:
  pip install torch
  python tests/golden/make_checkpoints.py

The values come from `draw`, which tests/weights/formats/torch_file_test.py repeats. Written by
PyTorch 2.13.0.
"""

# PyTorch is not a dependency of the package.
# pyright: reportMissingImports=false

from pathlib import Path

import numpy as np
import torch
from torch import nn

FOLDER = Path(__file__).parent / "checkpoints"

DTYPES = "float16 bfloat16 float32 float64 uint8 int8 int16 int32 int64 uint16 bool".split()


def draw(seed: int, *shape: int) -> torch.Tensor:
    """Quarters in [-12.5, 12.5], which every floating-point type represents exactly."""
    numbers = 37 * np.arange(np.prod(shape, dtype=int)) + seed
    return torch.from_numpy(((numbers % 101 - 50) / 4).astype(np.float32)).reshape(shape)


def views() -> dict:
    """Tensors that view storages in every possible way, and values of other types."""
    base = draw(1, 6, 8)
    with_attributes = draw(4, 3)
    with_attributes.note = "kept by PyTorch"
    parameter_with_attributes = nn.Parameter(draw(5, 3))
    parameter_with_attributes.note = "kept by PyTorch"
    return {
        "whole": base,
        "shared": base,
        "transposed": base.T,
        "sliced": base[1:5:2, 2:7:3],
        "offset": base[3],
        "expanded": base[1].expand(4, 8),
        "channels_last": draw(2, 2, 3, 2, 2).to(memory_format=torch.channels_last),
        "types": {name: draw(3, 7).abs().to(getattr(torch, name)) for name in DTYPES},
        "empty": torch.zeros(0, 3),
        "scalar": torch.tensor(2.5),
        "parameter": nn.Parameter(draw(6, 2, 2)),
        "with_attributes": with_attributes,
        "parameter_with_attributes": parameter_with_attributes,
        "storage": torch.tensor([1, 2, 3], dtype=torch.uint8).untyped_storage(),
        "size": torch.Size([2, 3]),
        "device": torch.device("cuda", 1),
        "dtype": torch.float16,
        "numpy": np.arange(3, dtype=np.int32),
        "numpy_scalar": np.float64(0.5),
        "others": [1, 2.5, True, None, "text", b"bytes", (1, (2, []))],
    }


def network() -> nn.Module:
    """A convolution, a batch norm and a linear layer."""
    model = nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.Linear(3, 2))
    with torch.no_grad():
        for seed, tensor in enumerate(model.state_dict().values()):
            tensor.copy_(draw(seed, *tensor.shape).to(tensor.dtype))
    return model


def training() -> dict:
    """A training checkpoint, as saved by PyTorch's own example program."""
    model = nn.DataParallel(network())
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    model(torch.ones(1, 2, 5, 5).expand(2, 2, 5, 5))[:, :, 0].sum().backward()
    optimizer.step()
    scheduler = torch.optim.lr_scheduler.MultiStepLR(optimizer, [3, 6])
    model.load_state_dict(nn.DataParallel(network()).state_dict())
    return {
        "epoch": 3,
        "arch": "tiny",
        "state_dict": model.state_dict(),
        "best_acc1": torch.tensor(71.5),
        "optimizer": optimizer.state_dict(),
        "scheduler": scheduler.state_dict(),
    }


def vissl() -> dict:
    """A checkpoint with VISSL's nesting."""
    trunk = {f"_feature_blocks.{name}": value for name, value in network().state_dict().items()}
    return {
        "phase_idx": 7,
        "loss": {},
        "iteration": 1000,
        "classy_state_dict": {
            "train": True,
            "base_model": {"model": {"trunk": trunk, "heads": [{"clf.weight": draw(9, 2, 3)}]}},
            "meters": [{"name": "accuracy", "meters": {}}],
            "optimizer": {"optim": {"state": {0: {"momentum_buffer": draw(8, 3)}}}},
            "losses": [0.5, 0.25],
            "hooks": {"log": {}},
        },
    }


class Program(nn.Module):
    """A network with parameters of several kinds, and with attributes that are no parameters."""

    def __init__(self):
        super().__init__()
        self.network = network()
        self.again = self.network[2]
        self.halved = nn.Linear(3, 2).half()
        self.base = nn.Parameter(draw(1, 6, 8)[1:5:2, 2:7:3])
        self.register_buffer("number", torch.tensor(7))
        self.numbers, self.tensors, self.table = [1, 2], [draw(2, 3)], {"a": 1}
        self.text, self.factor, self.place = "text", 0.5, torch.device("cpu")
        with torch.no_grad():
            self.halved.weight.copy_(draw(3, 2, 3))
            self.halved.bias.copy_(draw(4, 2))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Uses every attribute, since the archive leaves out what is not used."""
        known = len(self.numbers) + self.table["a"] + len(self.text) + self.factor
        x = self.again(x.to(self.place)) + self.tensors[0][:2] + known
        return x + self.halved(torch.ones(3).half()).float() + torch.zeros(2)


def main() -> None:
    """Writes all files."""
    FOLDER.mkdir(exist_ok=True)
    for make in (views, training, vissl):
        torch.save(make(), FOLDER / f"{make.__name__}_zip.pth")
        torch.save(
            make(), FOLDER / f"{make.__name__}_legacy.pth", _use_new_zipfile_serialization=False
        )
    torch.save(views(), FOLDER / "views_zip5.pth", pickle_protocol=5)
    torch.save(
        views(),
        FOLDER / "views_legacy4.pth",
        pickle_protocol=4,
        _use_new_zipfile_serialization=False,
    )
    torch.jit.save(torch.jit.script(Program()), FOLDER / "torchscript.pth")


if __name__ == "__main__":
    main()
