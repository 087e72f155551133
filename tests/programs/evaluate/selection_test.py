import pytest

from iqa_jax.errors import CheckpointError, InputError
from iqa_jax.programs.evaluate.selection import select_columns

FIVE = "relu1+relu2+relu3+relu4+relu5"


def names(models, layers="all", readouts="l2", **options):
    columns = select_columns(
        models.split(), layers=layers.split(), readouts=readouts.split(), **options
    )
    return [column.name for column in columns]


def test_all_layers_of_all_models():
    found = names("alexnet vgg16", readouts="l2 unit")
    assert len(found) == (1 + 8 + 18) * 2
    assert found[:4] == [
        "pixels/input/l2",
        "pixels/input/unit",
        "alexnet/relu1/l2",
        "alexnet/relu1/unit",
    ]
    assert found[-1] == "vgg16/pool5/unit"


def test_positions():
    columns = select_columns(["alexnet"], layers=["all", "relu1+relu2"], readouts=["unit"])
    assert [column.layer_index for column in columns] == [None, *range(1, 9), None]
    assert [column.relative_depth for column in columns[1:-1]] == [i / 8 for i in range(1, 9)]
    assert columns[-1].relative_depth is None
    assert columns[-1].layer == "relu1+relu2"
    assert [column.cumulative_depth for column in columns] == [None, 1 / 8, *[None] * 8]
    columns = select_columns(["alexnet"], layers=["cumulative"], readouts=["unit"])
    assert [column.cumulative_depth for column in columns] == [i / 8 for i in range(1, 9)]
    assert [column.layer_index for column in columns] == [1, *[None] * 7]
    assert {column.readout for column in columns} == {"unit"}


def test_cumulative_leaves_the_input_out():
    found = names("alexnet", "cumulative")
    assert found[:3] == [
        "alexnet/relu1/l2",
        "alexnet/relu1+pool1/l2",
        "alexnet/relu1+pool1+relu2/l2",
    ]
    assert len(found) == 8


def test_a_layer_that_one_model_has_is_enough():
    assert names("alexnet vgg16", "relu5_3 relu3") == ["alexnet/relu3/l2", "vgg16/relu5_3/l2"]


def test_nothing_stands_twice():
    assert names("alexnet", "relu1 all relu1").count("alexnet/relu1/l2") == 1
    once = names("alexnet", "relu1 relu2")
    assert names("alexnet alexnet", "relu1 relu2 relu1", "l2 l2") == once
    metrics = ["alexnet/relu1/l2", "psnr", "psnr"]
    columns = select_columns(["alexnet"], layers=["relu1"], readouts=["l2"], metrics=metrics)
    assert [(column.name, column.kind) for column in columns] == [
        ("alexnet/relu1/l2", "layer"),
        ("psnr", "metric"),
    ]


def test_the_pixels_are_a_baseline_of_no_model():
    options = {"metrics": ["vgg16/input/l2"]}
    found = select_columns(["vgg16", "alexnet"], layers=["input"], readouts=["l2"], **options)
    baseline, named = found
    assert baseline.kind == "baseline"
    assert (baseline.name, baseline.model, baseline.readout) == ("pixels/input/l2", "pixels", "l2")
    assert (baseline.layer, baseline.layer_index, baseline.relative_depth) == ("", None, None)
    assert baseline.metric.computed == named.name == "vgg16/input/l2"
    assert named.kind == "metric"
    joined = select_columns(["alexnet"], layers=["input+relu1"], readouts=["l2"])
    assert [(column.kind, column.layer) for column in joined] == [("layer", "input+relu1")]


def test_relevance_only_where_it_weighs(checkpoints):
    found = names("alexnet vgg16", f"all {FIVE}", "unit@lpips-alex", checkpoints_dir=checkpoints)
    assert found == [
        *(f"alexnet/relu{number}/unit@lpips-alex" for number in range(1, 6)),
        f"alexnet/{FIVE}/unit@lpips-alex",
    ]


def test_metrics_stand_under_their_own_names(checkpoints):
    name = f"alexnet/{FIVE}/unit@lpips-alex"
    columns = select_columns(
        [], layers=["all"], readouts=["l2"], metrics=[name], checkpoints_dir=checkpoints
    )
    assert [(column.name, column.model, column.layer) for column in columns] == [(name, name, "")]


@pytest.mark.parametrize(
    ("models", "layers", "readouts", "complaint"),
    [
        ("alexnett", "all", "l2", "no model 'alexnett'"),
        ("alexnet", "relu9", "l2", "no model has the layer relu9; there are:\n  alexnet: input"),
        ("alexnet vgg16", "relu1+relu1_1", "l2", r"no model has the layer relu1\+relu1_1"),
        ("alexnet", "relu1++", "l2", "different layers"),
        ("alexnet", "all", "l3", "no read-out 'l3'"),
        ("vgg16", "all", "unit@lpips-alex", "lpips-alex weighs none of the layers"),
        ("alexnet", "pool1", "unit@lpips-alex", "lpips-alex weighs none of the layers"),
    ],
)
def test_refuses_what_there_is_not(models, layers, readouts, complaint, checkpoints):
    with pytest.raises(InputError, match=complaint):
        names(models, layers, readouts, checkpoints_dir=checkpoints)


def test_unknown_relevance(checkpoints):
    with pytest.raises(CheckpointError, match="no checkpoint mine"):
        names("alexnet", "all", "unit@mine", checkpoints_dir=checkpoints)


def test_layers_on_request_have_no_place_among_all():
    model = "vits16_augreg-random-none-seed0"
    layers = ["block1", "block1.attention", "block2.class_token+block2"]
    columns = select_columns([model], layers=layers, readouts=["l2"])
    assert [column.layer_index for column in columns] == [2, None, None]
    assert [column.layer for column in columns] == layers
    assert len(names(model)) == 16
    assert not any("attention" in name for name in names(model))
