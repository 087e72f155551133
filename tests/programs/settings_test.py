"""``run.json`` has the settings of a run under these names, in this order."""

from dataclasses import asdict

import pytest

from iqa_jax.errors import InputError
from iqa_jax.programs.evaluate.settings import EvaluateSettings
from iqa_jax.programs.settings import DatasetSettings, ModelSettings
from iqa_jax.programs.train.settings import TrainSettings

MODEL = ["checkpoints_dir", "precision", "resize", "versions"]
DATASET = [
    *("dataset", "data_dir", "tfds_dir", "score_direction", "exclude_references"),
    *("allow_partial", "limit"),
]


def test_order_of_an_evaluation():
    assert list(asdict(EvaluateSettings(dataset="csv", output_dir="x"))) == [
        *(*MODEL, *DATASET, "output_dir", "models", "layers", "readouts", "metrics"),
        *("statistics_dir", "normaliser_from", "scores_csv", "joined_direction"),
        *("interval", "resamples", "process_index", "process_count"),
        *("allow_absent", "layers_from"),
    ]


def test_order_of_a_training():
    images = DatasetSettings(dataset="csv")
    record = asdict(TrainSettings(model="m", name="n", output_dir="x", images=images))
    assert list(record) == [
        *(*MODEL, "model", "name", "export", "licence", "output_dir", "statistics_dir"),
        *(
            "dataset",
            "images",
            "layers",
            "readout",
            "test_statistics_dir",
            "test_dataset",
            "recipe",
            "scheme",
        ),
        *("interval", "resamples"),
    ]
    assert list(record["images"]) == DATASET
    assert list(record["recipe"]) == ["loss", "learning_rate", "most_steps", "patience", "sparsity"]
    assert list(record["scheme"]) == ["folds", "seeds", "strengths", "validation_share", "seed"]


def test_resizing_is_read_when_it_is_needed():
    assert ModelSettings().parsed_resize is None
    with pytest.raises(InputError, match="half"):
        _ = ModelSettings(resize="half").parsed_resize
