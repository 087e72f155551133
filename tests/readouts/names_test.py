import pytest

from iqa_jax.errors import InputError
from iqa_jax.readouts import READOUTS, ReadoutName, has_relevance, parse_readout


@pytest.mark.parametrize(
    "text",
    [
        "vgg16/relu3_3/l2",
        "alexnet/relu2+relu5/unit",
        "vgg16/relu1_2+relu5_3/unit@my-relevance",
        "folder/mine.py:features/last/rmse",
        "vgg16/relu1_2/unit@mine.safetensors",
        "vgg16/relu1_2+relu5_3/unit@/home/me@work/unit/l2@x.safetensors",
        "of@me/mine.py:features/last/rmse@../mine.safetensors",
    ],
)
def test_names_survive_parsing(text):
    assert str(ReadoutName.parse(text)) == text


def test_parts_of_a_name():
    name = ReadoutName.parse("vgg16/relu1_2+relu5_3/unit@my-relevance")
    assert name == ReadoutName("vgg16", ("relu1_2", "relu5_3"), "unit", "my-relevance")
    assert name.layer == "relu1_2+relu5_3"
    assert name.weighted_readout == "unit@my-relevance"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("lpips", "expected MODEL/LAYER"),
        ("vgg16/l2", "expected MODEL/LAYER"),
        ("vgg16//l2", "expected MODEL/LAYER"),
        ("vgg16/relu1_1/l3", f"no read-out 'l3'; there are: {', '.join(READOUTS)}"),
        ("vgg16/relu1_1/cosin", "no read-out 'cosin'; do you mean cosine. there are: "),
        ("vgg16/relu1_1/unit@", "after the @"),
        ("vgg16/relu1_1/unitt@mine", "no read-out 'unitt'; do you mean unit"),
        ("vgg16/relu1_1/unitt@a/b@c/mine.safetensors", "no read-out 'unitt'; do you mean unit"),
        ("vgg16/relu1_1++pool1/l2", "different layers"),
        ("vgg16/relu1_1+relu1_1/l2", "different layers"),
    ],
)
def test_refuses_invalid_names(text, complaint):
    with pytest.raises(InputError, match=complaint):
        ReadoutName.parse(text)


@pytest.mark.parametrize(
    ("text", "relevance"),
    [
        ("vgg16/relu1_2/unit@a/b/mine.safetensors", "a/b/mine.safetensors"),
        ("vgg16/relu1_2/unit@a/unit@b.safetensors", "a/unit@b.safetensors"),
    ],
)
def test_the_path_of_a_relevance_may_have_any_further_signs(text, relevance):
    name = ReadoutName.parse(text)
    assert name == ReadoutName("vgg16", ("relu1_2",), "unit", relevance)
    assert has_relevance(text)
    assert not has_relevance(relevance.replace("unit@", ""))


def test_parse_readout():
    assert parse_readout("unit") == ("unit", None)
    assert parse_readout("unit@a@b") == ("unit", "a@b")
