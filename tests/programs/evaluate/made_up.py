"""Evaluations of made-up numbers."""

import numpy as np
from agreement.made_up import COLUMNS, scores_of
from etils import epath

from iqa_jax.agreement.analysis import Analysis, analyse
from iqa_jax.agreement.columns import Column
from iqa_jax.agreement.correlation import Agreement, LogisticFit
from iqa_jax.agreement.groups import ReferenceAgreement
from iqa_jax.agreement.results import ColumnResult
from iqa_jax.datasets import Pair, PairTable
from iqa_jax.images.sources import ImageFolder
from iqa_jax.programs.evaluate.evaluation import Evaluation

LAYERS = ("input", "relu1", "relu2", "pool2")


def result(column, srcc, **intervals):
    """A column that agrees with people about as well as ``srcc`` says."""
    agreement = Agreement(60, srcc - 0.1, srcc, srcc - 0.2, LogisticFit(srcc, 0.5, True))
    return ColumnResult(column, agreement, ReferenceAgreement(1, 0, srcc, np.nan), **intervals)


def two_models():
    """Two models, two read-outs, a concatenation and a metric; the best is alexnet/relu2/unit."""
    results = []
    for model, shift in (("alexnet", 0.0), ("vgg16", -0.1)):
        for index, layer in enumerate(LAYERS):
            for readout, slope in (("l2", 0.01), ("unit", 0.05)):
                name = f"{model}/{layer}/{readout}"
                column = Column(name, model, layer, index, index / 3, readout)
                results.append(result(column, 0.7 + shift + slope * min(index, 4 - index)))
    joined = Column("joined", "alexnet", "relu1+relu2", readout="l2")
    return [*results, result(joined, 0.9), result(Column("psnr", "psnr"), 0.65)]


def evaluation_of(results=(), **analysis):
    """An evaluation that found these results."""
    pairs = [Pair("r", f"d{number}", 0.0, reference_id="r") for number in range(60)]
    return Evaluation(
        table=PairTable("made", pairs, ImageFolder(epath.Path("/")), higher_is_better=True),
        scores={each.column.name: np.zeros(60) for each in results},
        analysis=Analysis(results, **analysis),
        record={"dataset": {"references": 1}},
    )


def analysed(table, rng, **options):
    """An evaluation of made-up scores of a table."""
    scores = scores_of(table, rng)
    found = analyse(table, COLUMNS, scores, **options)
    return Evaluation(table, scores, found, {"dataset": {"references": 6}})
