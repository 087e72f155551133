"""Adapters: one file for each dataset, from its layout on disk to a table of pairs."""
