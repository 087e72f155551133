"""Pairs on which two columns disagree: largest rank differences, and maximum differentiation.

Ma, Duanmu, Wang, Wu, Liu, Yong, Li and Zhang: Group maximum differentiation competition: model
comparison with few samples, IEEE TPAMI 42(4), 2020.
"""

import numpy as np
from scipy.stats import rankdata

MOST = 12
"""Number of pairs in a list."""

LEVELS = 5
"""Number of quality levels at which columns are compared."""

_SHARE, _LEAST = 0.02, 4
"""Share of the pairs that count as equal at a level, and their minimum number."""


def ranks(values: np.ndarray, higher_is_better: bool) -> np.ndarray:
    """Ranks in percent: 0 for the worst or least similar image, 100 for the best.

    Args:
      values: ``[pairs]``; NaN where there is no score.
      higher_is_better: Direction of the scores.

    Returns:
      float64 ``[pairs]``, equal scores have their mean rank; NaN where there is no score, and 50 if
      there is only one.
    """
    found = np.full(len(values), np.nan)
    known = np.isfinite(values)
    count = int(known.sum())
    if count == 1:
        found[known] = 50
    elif count:
        quality = values[known] if higher_is_better else -values[known]
        found[known] = (rankdata(quality) - 1) / (count - 1) * 100
    return found


def worst(found: np.ndarray) -> list[int]:
    """Rows of the worst ranks, the worst first, at most twenty-four; none without a rank."""
    order = np.argsort(found, kind="stable")
    return [int(row) for row in order[: 2 * MOST] if np.isfinite(found[row])]


def largest_differences(first: np.ndarray, second: np.ndarray) -> list[list[int]]:
    """The pairs that are ranked most differently.

    Args:
      first: Ranks of one column, ``[pairs]``.
      second: Ranks of another.

    Returns:
      Rows that the first ranks better, and rows that it ranks worse, the largest difference first,
      at most twelve each.
    """
    difference = np.nan_to_num(first - second)
    order = np.argsort(-difference, kind="stable")
    better = [int(row) for row in order[:MOST] if difference[row] > 0]
    order = np.argsort(difference, kind="stable")
    return [better, [int(row) for row in order[:MOST] if difference[row] < 0]]


def differentiate(defender: np.ndarray, attacker: np.ndarray) -> list[tuple[int, int]]:
    """Two pairs at each level that are equal for the defender and farthest apart for the attacker.

    Of the pairs that both columns have scored, the two in a hundred nearest to a level of the
    defender, but at least four, count as equal. If people agree with the attacker that the two
    differ, the defender has failed.

    Args:
      defender: Ranks of the column for which the two are equal, ``[pairs]``.
      attacker: Ranks of the column for which they differ.

    Returns:
      Rows of the better and the worse of the two for the attacker, from the worst level of the
      defender to the best; no level at which the attacker sees no difference.
    """
    rows = np.flatnonzero(np.isfinite(defender) & np.isfinite(attacker))
    rows = rows[np.argsort(defender[rows], kind="stable")]
    width = min(len(rows), max(_LEAST, round(_SHARE * len(rows))))
    found = []
    for level in range(LEVELS):
        centre = (level + 0.5) / LEVELS * len(rows)
        start = int(np.clip(round(centre - width / 2), 0, len(rows) - width))
        equal = rows[start : start + width]
        if len(equal) and np.ptp(attacker[equal]) > 0:
            best, worst = equal[np.argmax(attacker[equal])], equal[np.argmin(attacker[equal])]
            found.append((int(best), int(worst)))
    return list(dict.fromkeys(found))
