"""Evaluation, scoring and training as functions of Python: arrays in, pandas frames out."""
