"""Lists of pairs, which SciPy ranks again."""

import numpy as np
from programs.report.page.seen import best, chosen, scores
from scipy.stats import rankdata


def test_the_greatest_disagreements_come_first(view, rows):
    def ranks(values):
        return (rankdata(values) - 1) / (len(rows) - 1) * 100

    name = best(rows)
    sign = 1 if name == "psnr" else -1
    difference = ranks(sign * scores(rows, name)) - ranks(scores(rows, "score"))
    order = np.argsort(-difference, kind="stable")[:12]
    names = [rows[row]["distorted"] for row in order]
    shown = [each.split(" (")[0] for each in view.texts("#better strong")]
    assert shown == names
    view.page.locator("#better button").nth(1).click()
    assert chosen(view) == names[1]
    first, second = view.page.locator("#first"), view.page.locator("#second")
    a, b = first.input_value(), second.input_value()
    first.select_option(b)
    second.select_option(a)
    assert [each.split(" (")[0] for each in view.texts("#worse strong")] == names
    assert view.text("#worse-heading") == f"Worse for mean opinion score than for {name}"


def test_two_that_are_equal_for_one_and_not_for_the_other(view, rows):
    """Five levels of four pairs each, of which the two farthest apart for people are shown."""
    values = scores(rows, best(rows)) * (1 if best(rows) == "psnr" else -1)
    order = np.argsort(values)
    opinions = scores(rows, "score")
    expected = []
    for level in range(5):
        start = round((level + 0.5) / 5 * len(rows) - 2)
        equal = order[start : start + 4]
        both = equal[np.argmax(opinions[equal])], equal[np.argmin(opinions[equal])]
        expected += [rows[row]["distorted"] for row in both]
    assert [each.split(" (")[0] for each in view.texts("#defended strong")] == expected
