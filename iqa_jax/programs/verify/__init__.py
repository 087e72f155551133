"""Verification: checks a copy of a dataset before its scores are trusted."""
