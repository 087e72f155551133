"""Adapters: one file for each dataset, from its layout on disk to a table of pairs.

An adapter is a function ``load(folder) -> PairTable`` that opens no image. To add a dataset:

1. Describe the dataset in ``datasets/catalogue.py`` (source, licence, protocol, numbers) and add
   its publication to ``references.bib``. Write ``adapters/NAME.py``: its docstring shows the layout
   and direction; ``tid.py`` is a model. ``folders`` finds files regardless of case; ``csv_rows``,
   ``parsing``, ``matlab_files`` and ``workbooks`` read score files.
2. Reject missing files and malformed rows with a ``DatasetError``; turn a score that is not a
   number into NaN. State ``higher_is_better``, ``target`` (the meaning of the scores),
   ``reference_id`` and ``published_pairs``.
3. Register it in ``datasets/registry.py``: ``DATASETS["NAME"]``. All programs then know it.
4. Write ``make_NAME``, a miniature of the layout, in ``tests/datasets/trees.py``, and
   ``tests/datasets/adapters/NAME_test.py``; on a real copy run ``iqa verify --dataset=NAME``.
5. Add images that it shares, and metrics trained on it, to ``datasets/overlaps.py``.
"""
