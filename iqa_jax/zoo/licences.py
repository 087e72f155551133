"""What the licences of weights withhold, as far as their texts in the registry say so."""

import re

NOT_STATED = "no licence stated"
"""Licence of weights whose publisher states none."""

_NOT_COMMERCIAL = re.compile(r"-NC\b|\bnon-?commercial\b", re.IGNORECASE)
_NOT_STATED = re.compile(rf"{NOT_STATED}|not stated")


def withheld_rights(licence: str) -> str:
    """What a user of weights has to know before using them; empty if the licence allows every use.

    Args:
      licence: Licence in the registry.

    Example:
      >>> from iqa_jax.zoo.licences import withheld_rights
      >>> withheld_rights("CC BY-NC 4.0")
      'licence CC BY-NC 4.0: commercial use is forbidden'
    """
    if _NOT_COMMERCIAL.search(licence):
        return f"licence {licence}: commercial use is forbidden"
    if _NOT_STATED.search(licence):
        return f"{licence}: whether the weights may be used is up to their authors"
    return ""
