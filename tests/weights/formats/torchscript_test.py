import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from assembler import (
    STORAGE,
    as_torch_zip,
    as_torchscript,
    call,
    mapping,
    name,
    number,
    program,
    storage,
    tensor,
)
from etils import epath
from golden import writers

from iqa_jax.errors import CheckpointError
from iqa_jax.weights.conversion import flatten
from iqa_jax.weights.formats.reading import read_checkpoint

# Written by PyTorch: see tests/golden/make_checkpoints.py.
GOLDEN = Path(__file__).parents[2] / "golden" / "checkpoints" / "torchscript.pth"
FLOATS = np.frombuffer(STORAGE, "<f4")


def instance(state, of="__torch__.network"):
    return name(of, "Module") + b")\x81" + state + b"b"


def test_our_writer_writes_what_pytorch_writes(tmp_path):
    arrays = dict(flatten(read_checkpoint(epath.Path(GOLDEN))))
    path = epath.Path(tmp_path) / "ours.pt"
    writers.write(arrays, "torchscript", path)
    found = dict(flatten(read_checkpoint(path)))
    assert set(found) == set(arrays)
    for key, array in arrays.items():
        assert found[key].dtype == array.dtype
        np.testing.assert_array_equal(found[key], array)
    kinds = []
    for data in (GOLDEN.read_bytes(), path.read_bytes()):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = [each.partition("/")[2] for each in archive.namelist()]
        kinds.append({each.partition("/")[0] for each in names} - {".data"})
    assert kinds[0] == kinds[1]


def test_instances_of_any_class_are_dicts(read):
    inner = instance(mapping(a=tensor(storage()), b=number(3)), "__torch__.os")
    found = read(as_torchscript(program(instance(mapping(inner=inner, flag=b"\x88")))))
    assert set(found) == {"inner"}
    assert set(found["inner"]) == {"a"}
    np.testing.assert_array_equal(found["inner"]["a"], FLOATS[:3])


HOSTILE = {
    "another package": (
        program(call(name("os", "system"), number(1))),
        "asks to build os.system; only arrays",
    ),
    "a package with a similar name": (
        program(instance(mapping(), "__torch__x")),
        "asks to build __torch__x.Module",
    ),
    "a state that is no dict": (program(instance(number(3))), "stores its parameters in a way of"),
    "a call with arguments": (
        program(call(name("__torch__.a", "B"), number(3))),
        "is not a complete zip archive",
    ),
    "a changed class": (program(name("__torch__", "B") + mapping() + b"b"), "changes a _Construct"),
    "a module inside itself": (
        program(name("__torch__", "B") + b")\x81q\1" + b"}" + b"X\1\0\0\0ah\1s" + b"b"),
        "inside itself",
    ),
    "an empty program": (program(number(3)), "holds a int, expected arrays"),
    "an unknown function": (
        program(call(name("torch.jit._pickle", "build_tensor_from_id"), number(3))),
        "asks to build torch.jit._pickle.build_tensor_from_id",
    ),
}


@pytest.mark.parametrize(("data", "message"), HOSTILE.values(), ids=HOSTILE)
def test_anything_else_is_refused(read, data, message):
    with pytest.raises(CheckpointError, match=rf"a.pth: .*{message}"):
        read(as_torchscript(data))


def test_classes_of_a_program_are_refused_without_one(read):
    with pytest.raises(CheckpointError, match="asks to build __torch__.network.Module"):
        read(as_torch_zip(program(instance(mapping(a=tensor(storage()))))))
