"""The folder of a study of results that were made up."""

from pathlib import Path

from study import made_up

NASTY = "r <b>&\"'é"
NAMES = {"alexnet": "alexnet", "vgg16": "vgg", NASTY: "resnet"}


def results(folder: Path) -> Path:
    """Results of three networks of different families with a planted best layer, and of SSIM."""
    networks = {
        name: made_up.network(family=family, architecture=name, trunk=name, top1=60.0 + place)
        for place, (name, family) in enumerate(NAMES.items())
    }
    columns = [made_up.Planted("ssim", 0.6, direction="higher")]
    for name in networks:
        columns += made_up.layers(name, (0.7, 0.8, 0.75))
    table = made_up.drawn(references=20, types=3, levels=3)
    return made_up.write(folder / "tid_2013", table, columns, networks)
