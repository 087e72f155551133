from iqa_jax.backbones import ARCHITECTURES, build, build_folded, family


def test_every_architecture_belongs_to_a_family():
    assert {name: family(name) for name in ("vgg11_bn", "vgg16_l2pool", "resnet20")} == {
        "vgg11_bn": "vgg",
        "vgg16_l2pool": "vgg",
        "resnet20": "resnet",
    }
    assert all(name.startswith(family(name)) for name in ARCHITECTURES)


def test_networks_are_built_once():
    """This lets all checkpoints of an architecture share compiled programs."""
    assert build("resnet20") is build("resnet20")
    assert build_folded("resnet20") is build_folded("resnet20")
    stored, run = build("resnet20"), build_folded("resnet20")
    assert stored.layers == run.layers
    assert stored.family == run.family == "resnet"
    assert "bn1.mean" in stored.parameters
    assert not any(name.endswith(".mean") for name in run.parameters)
