"""Statistics on disk: a network runs over a dataset once, every read-out comes from here.

A store is a folder ``STATISTICS_DIR/DATASET/MODEL``, a group of zarr v3 that other tools read too:

* ``zarr.json``: what the statistics depend on (the signature), the dataset, and of every layer of
  the model in forward order its channels and, by image size, its positions;
* ``pairs.csv``: the pairs in the order of the rows of all arrays, ``row`` being the place of each
  in the dataset's own order;
* ``STATISTIC/LAYER``: float32 ``[pairs, channels]``, with the software that made it.

An array is cut into chunks of rows with a checksum each. A chunk appears whole or not at all, when
it is safely on disk, so the chunks that are there are the record of what is done: a killed run
continues with the chunks that are missing, and an array is whole when none is.
"""

from iqa_jax.engine.store.layout import LayerShape
from iqa_jax.engine.store.reader import StatisticsStore
from iqa_jax.engine.store.writer import StatisticsWriter

__all__ = ["LayerShape", "StatisticsStore", "StatisticsWriter"]
