"""What the page of a study shows, before it is opened."""

import json
import re

import numpy as np
import pytest
from etils import epath
from programs.study import made_up

from iqa_jax.programs.study.page_model import study_data, study_page
from iqa_jax.study.claims import CLAIMS
from iqa_jax.study.pseudovalues import SPEARMAN
from iqa_jax.study.whole import run_study


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return run_study([epath.Path(made_up.results(tmp_path_factory.mktemp("study")))])


def test_the_data_are_the_tables(study):
    data = study_data(study)
    assert [each["id"] for each in data["claims"]] == [claim.id for claim in CLAIMS]
    assert data["verdicts"]["verdict"] == [row.verdict for row in study.claims]
    assert data["contrasts"]["a"] == [row.a for row in study.contrasts]
    models = [row for row in study.models if row.measure == SPEARMAN]
    assert data["networks"]["model"] == [row.model for row in models]
    assert data["networks"]["value"] == pytest.approx([row.value for row in models], rel=1e-5)
    apparent = data["networks"]["quantity"].index("best_apparent")
    assert data["networks"]["low"][apparent] is None


def test_a_curve_is_the_correlation_of_each_layer(study):
    curves = {each["model"]: each for each in study_data(study)["curves"]}
    assert list(curves) == list(made_up.NAMES)
    assert curves["vgg16"]["depths"] == pytest.approx([1 / 3, 2 / 3, 1], rel=1e-5)
    (best,) = (
        row.value
        for row in study.models
        if (row.model, row.quantity, row.measure) == ("vgg16", "best_apparent", SPEARMAN)
    )
    assert max(curves["vgg16"]["values"]) == pytest.approx(best, rel=1e-5)
    assert np.argmax(curves["vgg16"]["values"]) == 1


def test_every_verdict_that_was_tested_leads_to_networks(study):
    data = study_data(study)
    known = set(data["networks"]["model"])
    tested = {row.claim for row in study.claims if row.verdict != "not tested" and row.contrasts}
    assert tested == set(data["contrasts"]["claim"])
    columns = ("a", "b", "members")
    for a, b, members in zip(*(data["contrasts"][name] for name in columns), strict=True):
        assert known & {a, b, *members.split(",")}


def test_the_page_is_whole_and_its_names_are_text(study):
    text = study_page(study)
    (found,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', text, re.S)
    assert json.loads(found) == study_data(study)
    assert made_up.NASTY not in text
    tags = re.findall(r"<(?:script|link|img|iframe|source)\b[^>]*>", text)
    assert not [tag for tag in tags if re.search(r"(src|href)=.?(?!data:)\w+:", tag)]
