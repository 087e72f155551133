"""Extraction: the statistics of networks over a dataset, stored."""
