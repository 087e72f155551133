"""What tests of a page look for."""

import csv
import re

import numpy as np
from programs.report.made_up import COLUMNS
from scipy.stats import rankdata

GREEN = (20, 160, 20)
"""Colour of the maps."""


def rows_of(results):
    with (results / "scores.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def scores(rows, name):
    return np.array([float(row[name]) for row in rows])


def chosen(view):
    """Name of the distorted image of the pair that is shown."""
    return re.split(r" \(|: ", view.text("#pair-name"))[0]


def best(rows):
    """The column shown first: that of the highest correlation."""
    opinions = rankdata(scores(rows, "score"))

    def correlation(name):
        sign = 1 if name == "psnr" else -1
        return np.corrcoef(rankdata(sign * scores(rows, name)), opinions)[0, 1]

    return max(COLUMNS, key=correlation)
