"""Datasets stored in a few large files with TFDS, without TensorFlow."""
