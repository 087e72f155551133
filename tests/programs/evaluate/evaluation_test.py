"""The whole way, from files to correlations."""

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import oracle
import pytest
from etils import epath
from PIL import Image
from scipy import optimize, stats

from iqa_jax import datasets
from iqa_jax.compilation import convolution_library
from iqa_jax.datasets import load_dataset
from iqa_jax.datasets.tfds.builder import build
from iqa_jax.engine import capacity
from iqa_jax.engine import run as engine
from iqa_jax.engine.plan import make_plan
from iqa_jax.errors import CheckpointError, DatasetError, ImageError, InputError
from iqa_jax.metrics.features import FeatureScores
from iqa_jax.metrics.layer_statistics import FeatureStatistics
from iqa_jax.programs.evaluate import tables
from iqa_jax.programs.evaluate.evaluation import evaluate
from iqa_jax.programs.evaluate.report import best_layers
from iqa_jax.programs.evaluate.settings import EvaluateSettings
from iqa_jax.weights import checkpoints as saved
from iqa_jax.zoo import load_backbone, model_layers

LPIPS = "alexnet/relu1+relu2+relu3+relu4+relu5/unit@lpips-alex"


@pytest.fixture(autouse=True)
def messages(caplog):
    caplog.set_level("INFO", "iqa_jax")


@pytest.fixture
def settings(pair_folder, checkpoints, tmp_path):
    def make(**changes):
        return EvaluateSettings(
            **{
                "dataset": "csv",
                "data_dir": str(pair_folder / "pairs.csv"),
                "output_dir": str(tmp_path / "results"),
                "models": ("alexnet",),
                "layers": ("input", "relu1", "relu5"),
                "checkpoints_dir": str(checkpoints),
            }
            | changes
        )

    return make


def agreements(evaluation):
    """Every column and its agreement with opinion scores."""
    return [(result.column, result.agreement) for result in evaluation.analysis.results]


@pytest.fixture(scope="module")
def tid2013(test_data, tmp_path_factory):
    """TID2013 (reconstructed): three references, 105 distorted images."""
    folder = tmp_path_factory.mktemp("tid2013")
    make = test_data / "tid2013_reconstruction" / "make.py"
    command = [sys.executable, str(make), "--output", str(folder), "--images", "1-3"]
    subprocess.run(command, check=True, capture_output=True)
    return folder


@pytest.mark.slow
def test_tid2013_agrees_with_plain_numpy_and_scipy(tid2013, settings, checkpoints):
    found = evaluate(
        settings(
            dataset="tid2013",
            data_dir=str(tid2013),
            layers=("all", "relu1+relu2+relu3+relu4+relu5"),
            readouts=("l2", "unit", "unit@lpips-alex"),
            allow_partial=True,
        )
    )
    backbone = load_backbone("alexnet", checkpoints_dir=checkpoints)
    rows = [line.split() for line in (tid2013 / "mos_with_names.txt").read_text().splitlines()]
    mos = np.array([float(score) for score, _ in rows])
    distances = {layer: ([], []) for layer in model_layers("alexnet")}
    for _, name in rows:
        r, d = (
            {
                layer: np.asarray(values[0], np.float64)
                for layer, values in backbone(np.asarray(Image.open(path))[None]).items()
            }
            for path in (
                tid2013 / "reference_images" / f"{name[:3].upper()}.BMP",
                tid2013 / "distorted_images" / name,
            )
        )
        for layer, (l2, unit) in distances.items():
            l2.append(oracle.l2([r[layer]], [d[layer]]))
            unit.append(oracle.unit([r[layer]], [d[layer]]))
    checked = 0
    for column, agreement in agreements(found):
        is_single = column.layer_index is not None or column.kind == "baseline"
        if not is_single or column.readout not in ("l2", "unit"):
            continue
        expected = np.array(distances[column.layer or "input"][column.readout == "unit"])
        np.testing.assert_allclose(found.scores[column.name], expected, rtol=1e-4)
        assert agreement.pairs == 105
        assert agreement.plcc == pytest.approx(stats.pearsonr(-expected, mos)[0], abs=1e-4)
        if column.name == "pixels/input/l2":
            # The dataset aims its distortions at equal errors of the pixels: images differ by less
            # than float32 can tell (1e-9), and their ranks with them.
            expected = found.scores[column.name].astype(np.float64)
        assert agreement.srcc == pytest.approx(stats.spearmanr(-expected, mos)[0], abs=1e-4)
        assert agreement.krcc == pytest.approx(stats.kendalltau(-expected, mos)[0], abs=1e-4)
        plcc, rmse = logistic(expected, mos)
        assert agreement.logistic.plcc == pytest.approx(plcc, abs=1e-4)
        assert agreement.logistic.rmse == pytest.approx(rmse, abs=1e-3)
        checked += 1
    assert checked == 18


def logistic(distances, mos):
    """The best of many starts of scipy's fit; a and t are kept positive by being squared."""
    x = (distances - distances.mean()) / distances.std()

    def curve(x, b, a, m, t):
        return b + a**2 / (1 + np.exp(np.clip((x - m) / t**2, -500, 500)))

    best = None
    for m in (-10, -2, 0, 2):
        for t in (0.3, 1, 2):
            try:
                p, _ = optimize.curve_fit(curve, x, mos, [mos.min(), 3, m, t], maxfev=20_000)
            except (RuntimeError, optimize.OptimizeWarning):
                continue
            rmse = np.sqrt(np.mean((mos - curve(x, *p)) ** 2))
            if best is None or rmse < best[1]:
                best = np.corrcoef(curve(x, *p), mos)[0, 1], rmse
    assert best is not None
    return best


def test_scores_are_raw_and_correlations_oriented(settings):
    higher = evaluate(settings())
    lower = evaluate(settings(score_direction="lower"))
    for name, values in higher.scores.items():
        np.testing.assert_array_equal(values, lower.scores[name])
    for (column, a), (_, b) in zip(agreements(higher), agreements(lower), strict=True):
        if column.kind == "baseline":
            assert a.srcc > 0.5  # the scores of this dataset fall with the noise
        assert a.srcc == pytest.approx(-b.srcc)


def test_metrics_and_joined_scores_stand_in_the_same_tables(settings, pair_folder, caplog):
    (pair_folder / "theirs.csv").write_text(
        "distorted,psnr_distance\n"
        + "".join(f"{name}_{level}.png,{level}\n" for name in "abc" for level in (1, 2, 3, 4))
    )
    found = evaluate(
        settings(
            layers=("relu1+relu2+relu3+relu4+relu5",),
            readouts=("unit@lpips-alex",),
            metrics=(LPIPS, "lpips-alex", "alexnet/pool5/l2"),
            scores_csv=str(pair_folder / "theirs.csv"),
        )
    )
    names = [(column.model, column.layer) for column, _ in agreements(found)]
    assert names == [
        ("alexnet", "relu1+relu2+relu3+relu4+relu5"),
        ("lpips-alex", ""),
        ("alexnet/pool5/l2", ""),
        ("psnr_distance", ""),
    ]
    first, second = (agreement for _, agreement in agreements(found)[:2])
    assert first == second
    assert found.scores["psnr_distance"].tolist() == [1, 2, 3, 4, 1, 2, 1, 2, 3]
    assert f"named twice, done once: {LPIPS}\n" in caplog.text


def test_stored_statistics_give_the_same_scores(settings, tmp_path, monkeypatch):
    changes = {"readouts": ("l2", "unit", "unit@lpips-alex"), "metrics": (LPIPS, "psnr")}
    direct = evaluate(settings(**changes))
    changes["statistics_dir"] = str(tmp_path / "statistics")
    first = evaluate(settings(**changes))
    monkeypatch.setattr(engine, "compute", computing_nothing)
    second = evaluate(settings(**changes))
    assert list(direct.scores) == list(first.scores) == list(second.scores)
    for name, values in direct.scores.items():
        np.testing.assert_allclose(first.scores[name], values, rtol=1e-5, err_msg=name)
        np.testing.assert_array_equal(first.scores[name], second.scores[name])
    speeds = [run["pairs_per_second"] for run in first.record["runs"] + second.record["runs"]]
    assert [speed is None for speed in speeds] == [False, True, True, True]


def test_readouts_that_compare_with_the_dataset_need_stored_statistics(settings, tmp_path):
    with pytest.raises(InputError, match="with statistics_dir"):
        evaluate(settings(readouts=("balanced",)))
    found = evaluate(settings(readouts=("balanced",), statistics_dir=str(tmp_path / "store")))
    assert all(np.isfinite(values).all() for values in found.scores.values())


def test_means_to_compare_with_may_be_those_of_another_dataset(settings, pair_folder, tmp_path):
    rows = (pair_folder / "pairs.csv").read_text().splitlines()
    (pair_folder / "others.csv").write_text("\n".join(rows[:4]) + "\n")
    pixels = {"layers": ("input",), "readouts": ("l2", "balanced")}
    others = {"data_dir": str(pair_folder / "others.csv"), "output_dir": str(tmp_path / "2")}
    evaluate(settings(**pixels, **others, statistics_dir=str(tmp_path / "others")))
    pixels["statistics_dir"] = str(tmp_path / "own")
    own = evaluate(settings(**pixels))
    found = evaluate(settings(**pixels, normaliser_from=str(tmp_path / "others")))
    same = evaluate(settings(**pixels, normaliser_from=str(tmp_path / "own" / "pairs")))
    l2 = own.scores["pixels/input/l2"].astype(np.float64)
    for each, rows, is_transductive in (
        (own, slice(None), True),
        (found, slice(3), False),
        (same, slice(None), True),
    ):
        expected = l2 / np.sqrt(np.mean(l2[rows] ** 2))
        np.testing.assert_allclose(each.scores["pixels/input/balanced"], expected, rtol=1e-5)
        columns = each.record["columns"]
        assert columns["pixels/input/balanced"]["transductive"] == is_transductive
        assert not columns["pixels/input/l2"]["transductive"]
        noted = any("means over these pairs" in warning for warning in each.record["warnings"])
        assert noted == is_transductive
    assert found.record["runs"][0]["normaliser"]["dataset"] == "others"
    assert "normaliser" not in own.record["runs"][0]
    with pytest.raises(InputError, match="expected the resize short:64, found None"):
        evaluate(settings(**pixels, normaliser_from=str(tmp_path / "others"), resize="short:64"))


def test_a_relevance_tested_on_what_it_was_learned_from_is_marked(settings, checkpoints, tmp_path):
    folder = tmp_path / "own checkpoints"
    folder.mkdir()
    (folder / "alexnet").symlink_to(checkpoints / "alexnet")
    for name, dataset in (("mine", "pairs"), ("other", "elsewhere")):
        statistics = {"dataset": dataset, "dataset_fingerprint": "that of more pairs"}
        saved.save(
            epath.Path(folder),
            name,
            {"relu1": np.ones(64, np.float32)},
            {"kind": "relevance", "model": "alexnet", "source": {"statistics": statistics}},
        )
    found = evaluate(
        settings(
            layers=("relu1",),
            readouts=("unit@mine",),
            metrics=("alexnet/relu1/unit@other",),
            checkpoints_dir=str(folder),
        )
    )
    assert [column["in_sample"] for column in found.record["columns"].values()] == [True, False]
    (warning,) = [each for each in found.record["warnings"] if "learned from" in each]
    assert warning.startswith("The relevance mine was learned from pairs: pairs is used for both")


@pytest.mark.parametrize("stored", [False, True])
def test_models_of_one_trunk_share_their_programs(stored, settings, tmp_path, monkeypatch):
    """One trace for each of the two image sizes; another network between them changes nothing."""
    step = FeatureStatistics if stored else FeatureScores
    compare, traced = step.compare, []

    def spy(function, *images):
        traced.append(function.label)
        return compare(function, *images)

    monkeypatch.setattr(step, "compare", spy)
    seeds = [f"resnet20-random-none-seed{seed}" for seed in (0, 1)]
    models = (seeds[0], "alexnet", seeds[1])
    folder = str(tmp_path / "statistics") if stored else None
    layers = ("layer1", "relu1")
    found = evaluate(
        settings(models=models, layers=layers, readouts=("l2",), statistics_dir=folder)
    )
    assert traced == [seeds[0]] * 2 + ["alexnet"] * 2
    assert [run["model"] for run in found.record["runs"]] == list(models)
    assert len({found.scores[f"{seed}/layer1.2/l2"][0] for seed in seeds}) == 2


def test_what_is_named_twice_is_done_once(settings, caplog):
    once = evaluate(settings(layers=("relu1",), readouts=("l2",)))
    assert "twice" not in caplog.text
    twice = evaluate(
        settings(
            models=("alexnet", "alexnet"),
            layers=("relu1", "relu1"),
            readouts=("l2", "l2"),
            metrics=("alexnet/relu1/l2",),
        )
    )
    assert list(twice.scores) == list(once.scores) == ["alexnet/relu1/l2"]
    assert len(agreements(twice)) == 1
    assert "named twice, done once: alexnet, relu1, l2, alexnet/relu1/l2\n" in caplog.text


def test_the_pixels_are_scored_once_for_all_models(settings, caplog):
    model = "resnet20-random-none-seed0"
    found = evaluate(settings(models=("alexnet", model), layers=("input", "relu1")))
    assert list(found.scores) == [
        *("pixels/input/l2", "pixels/input/unit", "alexnet/relu1/l2", "alexnet/relu1/unit")
    ]
    columns = found.record["columns"]
    assert columns["pixels/input/l2"] == {
        **{"kind": "baseline", "model": None, "layers": ["input"], "readout": "l2"},
        **{"relevance": None, "direction": "lower", "in_sample": False, "transductive": False},
    }
    assert columns["alexnet/relu1/unit"]["model"] == "alexnet"
    assert f"besides the pixels): {model}\n" in caplog.text


def test_joined_scores_keep_their_direction(settings, pair_folder):
    names = [f"{name}_{level}" for name in "abc" for level in (1, 2, 3, 4)]
    rows = [f"{name}.png,{-int(name[-1])},{-int(name[-1])},{name[-1]}" for name in names]
    (pair_folder / "theirs.csv").write_text("\n".join(["distorted,ssim,mine,other", *rows]) + "\n")
    theirs = {"models": (), "scores_csv": str(pair_folder / "theirs.csv")}
    found = evaluate(settings(**theirs, metrics=("psnr",), joined_direction=("mine=higher",)))
    assert [agreement.srcc > 0.9 for _, agreement in agreements(found)] == [True] * 4
    columns = found.record["columns"]
    assert [columns[name]["direction"] for name in ("psnr", "ssim", "mine", "other")] == [
        *("higher", "higher", "higher", "lower")
    ]
    assert columns["ssim"]["kind"] == "joined"
    unsaid = evaluate(settings(**theirs, metrics=("psnr",)))
    (doubt,) = [warning for warning in unsaid.record["warnings"] if "joined_direction=" in warning]
    assert doubt.startswith("mine is significantly negative")


def test_the_record_says_what_a_later_analysis_needs(settings, pair_folder, monkeypatch):
    table = (pair_folder / "pairs.csv").read_text().splitlines()
    with_std = [f"{table[0]},score_std", *(f"{row},0.5" for row in table[1:])]
    (pair_folder / "pairs.csv").write_text("\n".join(with_std) + "\n")
    published = {"opinions": 4.0, "published_pairs": 12, "score_range": (0.0, 9.0)}
    monkeypatch.setattr(
        datasets, "load_dataset", lambda *a, **k: replace(load_dataset(*a, **k), **published)
    )
    found = evaluate(settings(models=(), metrics=("psnr",), score_direction="lower"))
    dataset = found.record["dataset"]
    assert dataset["protocol"] == "opinion"
    assert dataset["target"] == "score"
    assert dataset["score_range"] == [0, 9]
    assert (dataset["opinions"], dataset["published_pairs"]) == (4, 12)
    assert not dataset["higher_is_better"]
    assert {"name", "fingerprint", "references", "pairs_left_out", "citation"} <= set(dataset)
    variance = np.var([pair.score for pair in found.table.pairs], ddof=1)
    assert dataset["ceiling"]["reliability"] == pytest.approx(1 - 0.25**2 / variance)
    assert 0.9 < dataset["ceiling"]["srcc"] < 1
    assert found.record["warnings"] == list(found.analysis.warnings)
    assert any("With 9 pairs" in warning for warning in found.record["warnings"])
    assert found.record["columns"]["psnr"] == {
        **{"kind": "metric", "model": None, "layers": [], "readout": None, "relevance": None},
        **{"direction": "higher", "in_sample": False, "transductive": False},
    }


@pytest.fixture
def choices(tmp_path, rng):
    """BAPPS's layout: two triplets of one subset in blocks of 4x4 pixels."""
    for number, preference in enumerate((0.2, 1.0)):
        reference = rng.integers(0, 256, (64, 64, 3)).astype(np.uint8)
        noise = rng.normal(0, 30, reference.shape)
        strength = {"ref": 0.0, "p0": 2 - preference, "p1": preference}
        for folder, share in strength.items():
            pixels = np.clip(reference + share * noise, 0, 255).astype(np.uint8)
            path = tmp_path / "2afc" / "train" / "cnn" / folder / f"{number:06d}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels.repeat(4, 0).repeat(4, 1)).save(path)
        path = tmp_path / "2afc" / "train" / "cnn" / "judge" / f"{number:06d}.npy"
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, np.array([preference], np.float32))
    for other in ("traditional", "mix"):
        for folder in ("ref", "p0", "p1", "judge"):
            (tmp_path / "2afc" / "train" / other / folder).mkdir(parents=True)
    return tmp_path


def test_forced_choices(settings, choices):
    found = evaluate(
        settings(
            dataset="bapps-2afc:train",
            data_dir=str(choices),
            models=(),
            metrics=("psnr",),
            allow_partial=True,
        )
    )
    (result,) = found.analysis.forced_choices
    column, subsets = result.column, result.subsets
    assert column.name == "psnr"
    # p1 is nearer in both where its strength is less: 0.2 of 1.8, and a tie of strengths 1 and 1.
    assert subsets.overall.judgements == 2
    assert subsets.overall.score == pytest.approx((0.2 + 0.5) / 2)
    assert not agreements(found)


def test_a_stored_dataset_gives_the_same_scores_to_the_bit(settings, pair_folder, tmp_path):
    build("csv", pair_folder / "pairs.csv", tmp_path / "tfds")
    folder = evaluate(settings(metrics=("psnr",)))
    stored = evaluate(
        settings(
            data_dir=None,
            tfds_dir=str(tmp_path / "tfds"),
            metrics=("psnr",),
            output_dir=str(tmp_path / "other"),
        )
    )
    assert stored.record["dataset"]["fingerprint"] == folder.record["dataset"]["fingerprint"]
    assert stored.record["runs"][0]["pairs_per_second"] is not None
    for name, values in folder.scores.items():
        np.testing.assert_array_equal(values, stored.scores[name])


def computing_nothing(*_, **__):
    pytest.fail("computed again")


def test_run_twice_computes_once(settings, monkeypatch):
    first = evaluate(settings())
    assert first.record["runs"][0]["pairs_per_second"] > 0

    monkeypatch.setattr(engine, "compute", computing_nothing)
    second = evaluate(settings())
    assert second.record["runs"][0]["pairs_per_second"] is None
    for name, values in first.scores.items():
        np.testing.assert_array_equal(values, second.scores[name])


def test_other_settings_are_another_run(settings):
    native = evaluate(settings())
    smaller = evaluate(settings(resize="exact:63x63"))
    assert not np.allclose(native.scores["alexnet/relu1/l2"], smaller.scores["alexnet/relu1/l2"])
    again = evaluate(settings())
    assert again.record["runs"][0]["pairs_per_second"] is None


def test_scores_do_not_depend_on_the_plan(settings):
    plans = [evaluate(settings(versions=versions)).scores for versions in (None, 1, 2)]
    for name, values in plans[0].items():
        for other in plans[1:]:
            np.testing.assert_array_equal(values, other[name])


def test_a_broken_image_stops_the_run_and_what_is_done_is_kept(settings, pair_folder, tmp_path):
    whole = evaluate(settings(output_dir=str(tmp_path / "whole")))
    data = (pair_folder / "b_2.png").read_bytes()
    (pair_folder / "b_2.png").write_bytes(data[:300] + bytes(len(data) - 300))
    with pytest.raises(ImageError, match="b_2.png: is damaged"):
        evaluate(settings())
    parts = (tmp_path / "results" / "parts").glob("**/part-*.npz")
    kept = np.concatenate([np.load(part)["keys"] for part in parts])
    assert len(kept) == 7  # the size before that of b
    (pair_folder / "b_2.png").write_bytes(data)
    found = evaluate(settings())
    for name, values in whole.scores.items():
        np.testing.assert_array_equal(values, found.scores[name])


def test_an_image_that_changes_meanwhile_stops_the_run(settings, pair_folder, monkeypatch):
    def changing(*arguments, **options):
        path = pair_folder / "b_2.png"
        path.write_bytes((pair_folder / "b_1.png").read_bytes())
        return make_plan(*arguments, **options)

    monkeypatch.setattr("iqa_jax.programs.evaluate.evaluation.make_plan", changing)
    with pytest.raises(ImageError, match="b_2.png: was changed while it was in use"):
        evaluate(settings(models=(), metrics=("psnr",)))


def test_everything_is_checked_before_anything_is_computed(settings, pair_folder, monkeypatch):
    monkeypatch.setattr(engine, "compute", lambda *_, **__: pytest.fail("computed"))
    ours = pair_folder / "ours.csv"
    names = [f"{name}_{level}.png" for name in "abc" for level in (1, 2, 3, 4)]
    ours.write_text("distorted,alexnet/relu1/l2\n" + "".join(f"{name},1\n" for name in names))
    for changes, error, complaint in (
        ({"dataset": "tid2013", "data_dir": str(pair_folder)}, DatasetError, "mos_with_names.txt"),
        ({"models": ("alexnet", "vgg61")}, InputError, "no model 'vgg61'"),
        ({"layers": ("relu7",)}, InputError, "no model has the layer relu7"),
        ({"readouts": ("l3",)}, InputError, "no read-out"),
        ({"metrics": ("lpips",)}, InputError, "no metric .lpips.; .*there are: psnr, ssim"),
        ({"resize": "half"}, InputError, "short:PIXELS"),
        ({"resize": "exact:32x32", "layers": ("pool5",)}, InputError, "at least 63x63 pixels"),
        ({"versions": 0}, InputError, "versions: expected a positive number"),
        ({"precision": "float8"}, InputError, "expected one of highest"),
        ({"exclude_references": ("I25",)}, DatasetError, "no reference I25"),
        ({"tfds_dir": "somewhere"}, DatasetError, "expected either data_dir or tfds_dir"),
        ({"interval": "jackknife"}, InputError, "at least 5 references for a jackknife, found 3"),
        ({"resamples": 9}, InputError, "got 9 without a bootstrap"),
        ({"layers_from": "nowhere"}, InputError, "found no nowhere/correlations.csv"),
        ({"scores_csv": "nowhere.csv"}, DatasetError, "there is no file"),
        ({"scores_csv": str(ours)}, InputError, "scores_csv: alexnet/relu1/l2 is computed here"),
        ({"joined_direction": ("a=lower",)}, InputError, "no scores are joined under the name a"),
        ({"normaliser_from": "x"}, InputError, "normaliser_from: nothing asked for compares with"),
        (
            {
                "normaliser_from": str(pair_folder),
                "readouts": ("balanced",),
                "statistics_dir": str(pair_folder),
            },
            InputError,
            "has no statistics of alexnet",
        ),
        ({"checkpoints_dir": str(pair_folder)}, CheckpointError, "fetch it with: iqa fetch"),
    ):
        with pytest.raises(error, match=complaint):
            evaluate(settings(**changes))
    with monkeypatch.context() as little:
        little.setattr(capacity, "available_memory", lambda: 1e5)
        with pytest.raises(InputError, match="a.png: alexnet needs about .* images of 80x72"):
            evaluate(settings())
    (pair_folder / "a_2.png").unlink()
    with pytest.raises(DatasetError, match="row 2: a_2.png: there is no such file"):
        evaluate(settings())


def test_layers_are_chosen_by_an_earlier_evaluation_or_half_of_the_references(settings, tmp_path):
    options = {"layers": ("relu1", "pool1"), "readouts": ("l2",), "versions": 1}
    earlier = evaluate(settings(**options, exclude_references=("a", "b")))
    tables.write(earlier, epath.Path(tmp_path / "earlier"))
    options |= {"output_dir": str(tmp_path / "later"), "exclude_references": ("b",)}
    found = evaluate(settings(**options, layers_from=str(tmp_path / "earlier")))
    assert "Layers are chosen on pairs: " in found.analysis.warnings[-1]
    (best,) = best_layers(earlier.analysis.results)
    column = best.column
    (chosen,) = found.analysis.chosen
    assert (chosen.column.name, chosen.references) == (column.name, 2)
    ((_, overall),) = (each for each in agreements(found) if each[0].name == column.name)
    assert chosen.srcc == pytest.approx(overall.srcc)
    halved = evaluate(settings(**options, layers_from="split"))
    tables.write(halved, epath.Path(tmp_path / "halved"))
    (record,) = json.loads((tmp_path / "halved/run.json").read_text())["chosen_layers"]
    assert record["chosen_on"] == "one half of the references"
    assert (record["references"], record["srcc_low"]) == (1, None)


def test_partial_copies_say_how_many_pairs_they_lack(settings, pair_folder, caplog):
    (pair_folder / "a_2.png").unlink()
    found = evaluate(settings(allow_partial=True))
    assert found.record["dataset"]["pairs"] == 8
    assert found.record["dataset"]["pairs_left_out"] == 1
    assert "1 pair with missing images left out" in caplog.text


def test_record_is_json_and_says_what_was_run(settings):
    record = evaluate(settings()).record
    json.dumps(record)
    assert record["settings"]["layers"] == ("input", "relu1", "relu5")
    assert len(record["dataset"]["fingerprint"]) == 64
    assert record["devices"]["platform"] == "cpu"
    assert record["interval"] == {"method": "none", "references": 3}
    (run,) = record["runs"]
    assert len(run["weights_sha256"]) == 64
    assert run["software"]["jax"]
    assert run["convolutions"] == convolution_library()


def test_the_record_describes_every_model(settings):
    names, of_metric = ("alexnet", "resnet20-random-none-seed1"), "resnet20-random-none-seed0"
    metrics = (f"{of_metric}/conv1/l2",)
    chosen = {"layers": ("relu1", "conv1"), "readouts": ("l2",), "metrics": metrics}
    record = evaluate(settings(models=names, **chosen)).record
    json.dumps(record)
    assert list(record["models"]) == [*names, of_metric]
    alexnet, control = (record["models"][name] for name in names)
    assert (alexnet["family"], alexnet["depth"], alexnet["goal_family"]) == (
        *("alexnet", 5),
        "supervised",
    )
    assert (control["goal"], control["seed"], alexnet["seed"]) == ("random", 1, None)
    hashes = [run["weights_sha256"] for run in record["runs"]]
    assert [each["weights_sha256"] for each in record["models"].values()] == hashes
    assert alexnet["image_size"] == [72, 80]
    assert alexnet["layers"]["input"] == {"channels": 3, "positions": [72, 80], "stride": 1}
    assert alexnet["layers"]["relu1"] == {"channels": 64, "positions": [17, 19], "stride": 4}
    assert alexnet["layers"]["relu5"]["stride"] == 16
    assert list(alexnet["layers"]) == list(model_layers("alexnet"))


def test_absent_models_are_left_out_if_that_is_allowed(settings, caplog):
    names = ("resnet20-supervised-cifar10", "alexnet")
    with pytest.raises(CheckpointError, match="no checkpoint resnet20-supervised-cifar10"):
        evaluate(settings(models=names))
    found = evaluate(settings(models=names, layers=("relu1",), allow_absent=True))
    assert "left out (no weights): resnet20-supervised-cifar10; fetch: iqa fetch" in caplog.text
    assert {result.column.model for result in found.analysis.results} == {"alexnet"}
    assert found.record["settings"]["models"] == names
    absent = found.record["models"]["resnet20-supervised-cifar10"]
    assert absent["environment"] == "cifar10"
    assert absent["absent"] == "no weights; iqa fetch --models=resnet20-supervised-cifar10"
    assert "layers" not in absent
    assert "absent" not in found.record["models"]["alexnet"]
    with pytest.raises(InputError, match="there is no model 'alexnett'"):
        evaluate(settings(models=("alexnett",), allow_absent=True))
    with pytest.raises(InputError, match="nothing to evaluate"):
        evaluate(settings(models=names[:1], allow_absent=True))


def test_a_function_of_the_user_is_described_by_its_layers(settings, tmp_path):
    (tmp_path / "own.py").write_text("def half(x):\n    return {'half': x[:, ::2, ::2]}\n")
    name = f"{tmp_path / 'own.py'}:half"
    record = evaluate(settings(models=(name,), layers=("half",), allow_absent=True)).record
    found = record["models"][name]
    assert found["layers"]["half"] == {"channels": 3, "positions": [36, 40], "stride": None}
    assert "goal" not in found


def test_calibrated_controls_are_made_with_the_references(settings, pair_folder, caplog):
    plain, layers = "resnet20-random-none-seed0", {"layers": ("layer1.0",), "readouts": ("l2",)}
    found = evaluate(settings(models=(plain, f"{plain}-calibrated"), **layers))
    assert f"calibrated with 3 references: {plain}-calibrated" in caplog.text
    models = found.record["models"]
    assert [models[name]["calibrated"] for name in models] == [False, True]
    hashes = [each["weights_sha256"] for each in models.values()]
    assert hashes == [run["weights_sha256"] for run in found.record["runs"]]
    assert len(set(hashes)) == 2
    first, second = found.scores.values()
    assert np.isfinite(second).all()
    assert (first != second).all()
    again = evaluate(settings(models=(f"{plain}-calibrated",), output_dir=None, **layers))
    np.testing.assert_array_equal(*again.scores.values(), second)
