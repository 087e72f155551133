"""Extraction: stores the statistics of networks over a dataset."""
