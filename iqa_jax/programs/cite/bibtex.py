"""BibTeX entries of what was used, each below a line that says what it is cited for."""

from collections.abc import Sequence

from iqa_jax.bibliography import publications
from iqa_jax.metrics.citing import Uses
from iqa_jax.revisions import VERSION

AUTHORS = "The iqa_jax developers"
TITLE = "iqa_jax: deep image quality in JAX"


def bibtex_text(uses: Uses, versions: Sequence[str] = ()) -> str:
    """The entries of this package and of everything that was used, each once.

    Args:
      uses: Keys of publications, by what was used.
      versions: Versions of this package that made the results; the installed one if empty.
    """
    known = publications()
    cited: dict[str, list[str]] = {}
    for use, keys in uses.items():
        for key in keys:
            cited.setdefault(key, []).append(use)
    entries = [f"% {', '.join(names)}\n{known[key].bibtex}\n" for key, names in cited.items()]
    return "\n".join([_package(versions or (VERSION,)), *entries])


def _package(versions: Sequence[str]) -> str:
    name, _, purpose = TITLE.replace("_", r"\_").partition(":")
    return "\n".join(
        [
            "% this package",
            "@misc{iqa_jax,",
            f"  author = {{{{{AUTHORS}}}}},".replace("_", r"\_"),
            f"  title = {{{{{name}}}:{purpose.replace('JAX', '{JAX}')}}},",
            f"  note = {{Version {' and '.join(versions)}}}",
            "}",
            "",
        ]
    )
