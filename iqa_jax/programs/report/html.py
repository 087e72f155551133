"""The text of a page: a template, its style sheet and scripts, and the data."""

import json
import re
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from iqa_jax.programs.report.model import Page, page_data
from iqa_jax.revisions import VERSION

HERE = Path(__file__).parent
LIBRARIES = ("chart.umd.min.js", "dataTables.min.js")
STYLES = ("vendored/dataTables.dataTables.min.css", "page/page.css")
SCRIPTS = ("page", "tables", "scatter", "viewer", "cards", "disagreements", "heat_map", "start")
"""Scripts in the order in which they run."""

_SOURCE_MAP = re.compile(r"^//# sourceMappingURL=.*$", re.M)


def page_text(page: Page) -> str:
    """The HTML of a page, which needs nothing else but linked images."""
    environment = Environment(
        loader=FileSystemLoader(HERE / "page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    template = environment.get_template("page.html.jinja")
    return template.render(
        page=page,
        version=VERSION,
        licence=_permission((HERE / "vendored" / "dataTables.LICENSE").read_text()),
        styles=[Markup(_read(name)) for name in STYLES],
        libraries=[Markup(_read(f"vendored/{name}")) for name in LIBRARIES],
        scripts=Markup("\n".join(_read(f"page/{name}.js") for name in SCRIPTS)),
        data=Markup(as_script(json.dumps(page_data(page), ensure_ascii=False, allow_nan=False))),
    )


def as_script(text: str) -> str:
    """JSON that can be put into a script element, whatever names it contains."""
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _permission(licence: str) -> str:
    """The text of the licence below its copyright notices, which the page states itself."""
    return licence[licence.index("Permission is hereby granted") :]


def _read(name: str) -> str:
    return _SOURCE_MAP.sub("", (HERE / name).read_text(encoding="utf-8"))
