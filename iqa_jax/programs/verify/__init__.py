"""Verification: what a copy of a dataset holds, checked before its scores are believed."""

from iqa_jax.programs.verify.report import to_json, to_text
from iqa_jax.programs.verify.verification import Verification, verify

__all__ = ["Verification", "to_json", "to_text", "verify"]
