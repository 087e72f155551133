"""Verification: what a copy of a dataset holds, checked before its scores are believed."""
