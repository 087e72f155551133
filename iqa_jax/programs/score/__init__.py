"""Scoring: pairs of images, a table of scores, pictures of where they differ."""
