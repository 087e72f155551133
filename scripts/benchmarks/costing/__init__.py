"""Costs that a compiler expects: its text, the limits of chips, and the steps to compile."""
