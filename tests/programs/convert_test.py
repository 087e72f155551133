"""Conversion as a user runs it."""

from golden import draws, writers
from golden.configurations import read_trunk
from golden.formats import FORMATS


def test_converting_an_own_checkpoint(iqa, tmp_path):
    trunk = "resnet20"
    state = draws.draw(read_trunk(trunk).parameters, seed=5)
    form, path = FORMATS["torchvision"], tmp_path / "own training.pth"
    writers.write(FORMATS["cifar10"].tree(trunk, state), form.kind, path)
    flags = (f"--source={path}", f"--checkpoints_dir={tmp_path / 'checkpoints'}")
    done = iqa("convert", "--model=resnet20-supervised-cifar10", *flags)
    assert done.status == 0, done.stderr
    assert "converted from" in done.stdout
    assert not done.stderr
    wrong = iqa("convert", "--model=resnet18", *flags)
    assert wrong.status == 1
    assert wrong.stderr.startswith("iqa convert: error: own training.pth for resnet18: ")
