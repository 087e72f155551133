import hashlib
import json
import re
from pathlib import Path

import numpy as np
from programs.report.made_up import data_of

from iqa_jax.programs.report import html
from iqa_jax.programs.report.html import as_script, page_text
from iqa_jax.programs.report.model import Page, PairRow, Shown, page_data

NASTY = "</script><!--<b>\u2028'\"&é"


def page(**more):
    pairs = [PairRow(NASTY, f"{NASTY}{number}", "blur") for number in range(3)]
    columns = [Shown("psnr", np.array([30.123456789, np.nan, 20]), True)]
    return Page(title=NASTY, facts={"Dataset": NASTY}, pairs=pairs, columns=columns, **more)


def test_names_survive_whatever_they_contain():
    text = page_text(page(warnings=[NASTY], remarks=[NASTY]))
    assert data_of(text) == page_data(page())
    assert data_of(text)["pairs"]["reference"] == [NASTY] * 3
    assert NASTY not in text
    assert text.count("<!--") == 0


def test_scores_are_rounded_and_missing_ones_are_null():
    (axis,) = page_data(page())["axes"]
    assert axis["values"] == [30.1235, None, 20]
    assert axis["spearman"] is None


def test_a_page_asks_for_nothing_elsewhere():
    text = page_text(page())
    assert "sourceMappingURL" not in text
    tags = re.findall(r"<(?:script|link|img|iframe|source)\b[^>]*>", text)
    assert not [tag for tag in tags if re.search(r"(src|href)=.?(?!data:)\w+:", tag)]
    assert "default-src 'none'" in text


def test_line_separators_do_not_end_a_line_of_script():
    assert json.loads(as_script(json.dumps(NASTY, ensure_ascii=False))) == NASTY
    assert not set("<\u2028\u2029") & set(as_script(f"{NASTY}\u2029"))


def test_libraries_are_those_of_their_publishers():
    folder = Path(html.__file__).with_name("vendored")
    table = (folder / "README.md").read_text()
    listed = dict(re.findall(r"^\| `(\S+)` .*`([0-9a-f]{64})` \|$", table, re.M))
    there = {path.name: path for path in folder.iterdir()}
    licences = {name for name in there if name.endswith(".LICENSE")}
    assert set(listed) == set(there) - licences - {"README.md"}
    for name, sha256 in listed.items():
        assert hashlib.sha256(there[name].read_bytes()).hexdigest() == sha256
    assert licences == set(re.findall(r"MIT, `(\S+)`", table))
    for name in licences:
        assert "without restriction" in there[name].read_text()


def test_a_page_states_the_licence_of_its_libraries():
    text = page_text(page())
    assert "Permission is hereby granted" in text
    assert "Chart.js Contributors" in text
    assert "SpryMedia" in text


def test_a_large_page_is_small():
    """3,000 pairs and 20 columns, without images."""
    random = np.random.default_rng(0)
    pairs = [
        PairRow(f"I{n % 25:02}.BMP", f"i{n:04}_{n % 24}.bmp", f"{n % 24}") for n in range(3000)
    ]
    columns = [Shown(f"metric {n}", random.normal(size=3000), True) for n in range(20)]
    opinion = Shown("mean opinion score", random.uniform(0, 9, 3000), True)
    made = Page(title="t", facts={}, pairs=pairs, columns=columns, opinion=opinion)
    assert len(page_text(made).encode()) < 1.5e6
