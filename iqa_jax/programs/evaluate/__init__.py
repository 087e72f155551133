"""Evaluation: compares image distances with human scores."""
