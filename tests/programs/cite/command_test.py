"""``iqa cite`` on results that were made up, and on those of the programs themselves."""

import json
import re
from pathlib import Path

import pytest

from iqa_jax.datasets.adapters import demo
from iqa_jax.programs.cite import bibtex

KEY = re.compile(r"^@\w+\{(\w+),$", re.M)


def record(folder: Path, **more) -> Path:
    folder.mkdir()
    made_up = {
        "settings": {"dataset": "tid2013"},
        "columns": {
            "alexnet/relu1/l2": {"kind": "layer"},
            "pixels/input/l2": {"kind": "baseline"},
            "dists": {"kind": "metric"},
            "mine": {"kind": "joined"},
        },
        "runs": [{"software": {"jax-iqa": "0.2.0"}}, {"software": {"jax-iqa": "0.1.9"}}],
    }
    (folder / "run.json").write_text(json.dumps(made_up | more))
    return folder


def test_an_evaluation(iqa, tmp_path):
    ended = iqa("cite", f"--results={record(tmp_path / 'a')}")
    assert ended.status == 0
    assert KEY.findall(ended.stdout) == [
        *("iqa_jax", "krizhevsky2014weird", "simonyan2015very", "ding2022image"),
        "ponomarenko2015image",
    ]
    assert (
        "\n% read-out structure_texture, relevance dists\n@article{ding2022image," in ended.stdout
    )
    assert "Version 0.2.0 and 0.1.9" in ended.stdout
    assert ended.stderr == "without a known publication: table or column mine\n"


def test_a_study_cites_the_claims_and_its_results(iqa, tmp_path):
    results = record(tmp_path / "a")
    (tmp_path / "run.json").write_text(
        json.dumps(
            {
                "settings": {"results": [str(results)]},
                "claims": "2-abc",
                "software": {"jax-iqa": "0.2.0"},
            }
        )
    )
    ended = iqa("cite", f"--results={tmp_path}")
    assert ended.status == 0, ended.stderr
    assert KEY.findall(ended.stdout) == [
        *("iqa_jax", "hernandezcamara2023analysis", "hernandezcamara2025dissecting"),
        *("krizhevsky2014weird", "simonyan2015very", "ding2022image", "ponomarenko2015image"),
    ]


def test_several_results_are_cited_once(iqa, tmp_path):
    first = record(tmp_path / "a")
    second = record(tmp_path / "b", settings={"dataset": "kadid10k"})
    keys = KEY.findall(iqa("cite", f"--results={first},{second}").stdout)
    assert len(set(keys)) == len(keys) == 6
    assert {"ponomarenko2015image", "lin2019kadid"} < set(keys)


def test_what_is_named(iqa):
    ended = iqa("cite", "--models=@study46", "--metrics=ssim,psnr", "--datasets=csiq,csv")
    keys = KEY.findall(ended.stdout)
    assert {"he2016deep", "zbontar2021barlow", "wang2004image", "larson2010most"} < set(keys)
    assert ended.stderr == "without a known publication: dataset csv\n"


def test_the_lines_between_entries_are_no_entries(iqa):
    """BibTeX passes over them as long as they have no @."""
    text = iqa("cite", "--metrics=alexnet/relu1/unit@mine,lpips-alex,gram.py:f/a/gram").stdout
    between = re.sub(r"^@.*?^\}$", "", text, flags=re.M | re.S)
    assert "% read-out unit" in between
    assert "@" not in between


def test_nothing_named_is_the_package_alone(iqa):
    assert KEY.findall(iqa("cite").stdout) == ["iqa_jax"]


def test_psnr_has_nothing_to_cite(iqa):
    found = iqa("cite", "--metrics=psnr")
    assert found.status == 0
    assert KEY.findall(found.stdout) == ["iqa_jax"]
    assert found.stderr == "nothing to cite besides this package\n"


def test_the_package_is_cited_as_its_repository_says(iqa):
    lines = (Path(__file__).parents[3] / "CITATION.cff").read_text().splitlines()
    assert f'title: "{bibtex.TITLE}"' in lines
    assert f"  - name: {bibtex.AUTHORS}" in lines
    version = next(line for line in lines if line.startswith("version: "))
    assert version.replace("version: ", "Version ") in iqa("cite").stdout


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ("--datasets=tid2014", "there is no dataset 'tid2014'; there are: bapps"),
        ("--models=resnet-50", "there is no model 'resnet-50'; do you mean"),
        ("--metrics=mine", "there is no metric 'mine'"),
        ("--results={0}/nothing", "nothing: there is no such file or folder"),
        ("--results={0}", "there is no run.json; expected the folder of iqa evaluate"),
        ("--results={0}/cut", "run.json: is damaged"),
        ("--results={0}/other", "run.json: is not a record of this package"),
    ],
)
def test_errors(iqa, tmp_path, flags, message):
    for name, text in {"cut": "{", "other": '{"settings": []}'}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "run.json").write_text(text)
    ended = iqa("cite", flags.format(tmp_path))
    assert ended.status == 1
    assert message in ended.stderr
    assert not ended.stdout


@pytest.mark.slow
def test_real_results(iqa, tmp_path, own_checkpoints):
    data = tmp_path / "demo"
    demo.build(data)
    common = f"--checkpoints_dir={own_checkpoints}"
    evaluated, scored = tmp_path / "evaluated", tmp_path / "scores.csv"
    dataset = ("--dataset=demo", f"--data_dir={data}", "--limit=10", "--interval=none")
    statistics = f"--statistics_dir={tmp_path / 'statistics'}"
    ended = iqa(
        *("evaluate", *dataset, "--models=alexnet", "--layers=relu1", "--metrics=lpips-alex"),
        *(common, f"--output_dir={evaluated}"),
    )
    assert ended.status == 0, ended.stderr
    pair = [f"--reference={data}/references/cat.png", f"--distorted={data}/references/cat.png"]
    ended = iqa("score", "--metrics=ssim,lpips-alex", *pair, common, f"--output={scored}")
    assert ended.status == 0, ended.stderr
    trained = tmp_path / "trained"
    ended = iqa(
        *("train", "--dataset=demo", f"--data_dir={data}", "--model=alexnet", "--name=mine"),
        *("--layers=relu1", "--readout=l2", "--strengths=0.01", "--seeds=1", common, statistics),
        f"--output_dir={trained}",
    )
    assert ended.status == 0, ended.stderr
    cited = iqa("cite", f"--results={evaluated},{scored},{trained}")
    assert KEY.findall(cited.stdout) == [
        *("iqa_jax", "krizhevsky2014weird", "zhang2018unreasonable", "vanderwalt2014scikit"),
        "wang2004image",
    ]
    assert not cited.stderr
