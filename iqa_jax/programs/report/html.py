"""The text of a page: a template, its style sheets and scripts, and the data."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from iqa_jax.programs.report.model import Head, Page, page_data
from iqa_jax.revisions import VERSION

HERE = Path(__file__).parent
LIBRARIES = ("chart.umd.min.js", "dataTables.min.js")
STYLES = ("vendored/dataTables.dataTables.min.css", "page/page.css")
COMMON = ("page", "tables")
"""Scripts of every page."""

SCRIPTS = (
    *("pairs", "score_tables", "scatter", "viewer", "cards", "disagreements", "heat_map", "start"),
)
"""Further scripts of a report, in the order in which they run."""

_SOURCE_MAP = re.compile(r"^//# sourceMappingURL=.*$", re.M)


def page_text(page: Page) -> str:
    """The HTML of a report, which needs nothing else but linked images."""
    return rendered(page, page_data(page), HERE / "page", "report.html.jinja", SCRIPTS)


def rendered(
    page: Head,
    data: Mapping[str, Any],
    folder: Path,
    template: str,
    scripts: Sequence[str],
) -> str:
    """The HTML of a page with all that it needs but linked images.

    Args:
      page: What the template shows.
      data: What the scripts show, as JSON.
      folder: Folder of the template and the scripts.
      template: Name of the template, which extends ``base.html.jinja``.
      scripts: Names of the scripts without suffix, in the order in which they run, after those of
        every page.
    """
    environment = Environment(
        loader=FileSystemLoader([folder, HERE / "page"]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    files = [
        *(HERE / "page" / f"{name}.js" for name in COMMON),
        *(folder / f"{name}.js" for name in scripts),
    ]
    return environment.get_template(template).render(
        page=page,
        version=VERSION,
        licence=_permission((HERE / "vendored" / "dataTables.LICENSE").read_text()),
        styles=[Markup(_read(HERE / name)) for name in STYLES],
        libraries=[Markup(_read(HERE / "vendored" / name)) for name in LIBRARIES],
        scripts=Markup("\n".join(map(_read, files))),
        data=Markup(as_script(json.dumps(data, ensure_ascii=False, allow_nan=False))),
    )


def as_script(text: str) -> str:
    """JSON that can be put into a script element, whatever names it contains."""
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _permission(licence: str) -> str:
    """The text of the licence below its copyright notices, which the page states itself."""
    return licence[licence.index("Permission is hereby granted") :]


def _read(file: Path) -> str:
    return _SOURCE_MAP.sub("", file.read_text(encoding="utf-8"))
