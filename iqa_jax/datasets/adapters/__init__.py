"""Adapters: one file for each dataset, from its layout on disk to a table of pairs.

An adapter is a function ``load(folder) -> PairTable`` that opens no image. To add a dataset:

1. Describe it in ``datasets/catalogue.py`` (where it is obtained, licence, protocol, numbers); its
   publication goes into ``references.bib``. Write ``adapters/NAME.py``: its docstring shows the
   layout and the direction; ``tid.py`` is a model. ``folders`` finds files whatever the case of
   their names; ``csv_rows``, ``parsing``, ``matlab_files`` and ``workbooks`` read score files.
2. It refuses a missing file and rows of another form with a ``DatasetError``; a score that is no
   number becomes NaN. It states ``higher_is_better``, ``target`` (what people said),
   ``reference_id`` and ``published_pairs``.
3. Register it in ``datasets/registry.py``: ``DATASETS["NAME"]``. All programs know it then.
4. Write ``make_NAME``, a miniature of the layout, in ``tests/datasets/trees.py``, and
   ``tests/datasets/adapters/NAME_test.py``; on a real copy run ``iqa verify --dataset=NAME``.
5. Shared images and metrics that were trained on it stand in ``datasets/overlaps.py``.
"""
