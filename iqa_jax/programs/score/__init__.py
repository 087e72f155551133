"""Scoring: a table of scores of pairs of images, and pictures of where they differ."""
