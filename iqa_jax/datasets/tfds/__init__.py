"""Datasets in a few large files, through TFDS and without TensorFlow."""
