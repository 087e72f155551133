"""Tables as pandas frames."""

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pandas import DataFrame


def frame(header: Sequence[str], rows: Iterable[Iterable[Any]], **options: Any) -> "DataFrame":
    """A table as a pandas frame; missing numbers are NaN.

    Args:
      header: Names of the columns.
      rows: Rows of values, one value per column; None for a missing number.
      **options: Options of the frame, such as its index.
    """
    import pandas as pd  # noqa: PLC0415  takes half a second

    filled = [[math.nan if cell is None else cell for cell in row] for row in rows]
    return pd.DataFrame(filled, columns=list(header), **options)
