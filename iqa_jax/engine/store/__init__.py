"""Statistics on disk: a network runs over a dataset once, and every read-out is made from these.

A store is a folder ``STATISTICS_DIR/DATASET/MODEL``, a zarr v3 group that other tools can read too:

* ``zarr.json``: everything the statistics depend on (the signature), the dataset, and for every
  layer of the model in forward order its channels and, by image size, its positions;
* ``pairs.csv``: the pairs in the order of the rows of all arrays; the column ``row`` is each pair's
  place in the dataset's own order;
* ``STATISTIC/LAYER``: float32 ``[pairs, channels]``, with the software that made it.

An array is cut into chunks of rows with a checksum each. A chunk appears only once it is whole and
safely on disk, so the chunks themselves record the progress: a killed run continues with the
missing chunks, and an array is whole when none is missing.
"""

from iqa_jax.engine.store.layout import LayerShape
from iqa_jax.engine.store.reader import StatisticsStore
from iqa_jax.engine.store.shards import StoreShards
from iqa_jax.engine.store.writer import StatisticsWriter

__all__ = ["LayerShape", "StatisticsStore", "StatisticsWriter", "StoreShards"]
