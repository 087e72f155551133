"""Evaluation: image distances against human scores."""
