"""Pages that are made from the package itself whenever the site is built.

Each function returns the Markdown (MyST) of a page, or of a part that a page includes.
"""

import importlib
import inspect
import itertools
import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import iqa_jax
from iqa_jax import errors, zoo
from iqa_jax.__main__ import VERBS
from iqa_jax.bibliography import publications
from iqa_jax.datasets import DATASETS
from iqa_jax.datasets.catalogue import CATALOGUE
from iqa_jax.datasets.overlaps import metrics_trained_on, shared_images
from iqa_jax.metrics import list_metrics, listing
from iqa_jax.metrics.citing import READOUT_PUBLICATIONS
from iqa_jax.programs.flags import Setting
from iqa_jax.programs.running import MEANINGS, settings_kinds
from iqa_jax.programs.usage import default_note, flag_text, groups_of, usage_line
from iqa_jax.readouts import READOUTS
from iqa_jax.study.claims import CLAIMS
from iqa_jax.zoo.listing import FACTS, facts

_SPECIAL = re.compile(r"([\\`*_\[\]<>|#~@{}$])")
_RELEVANCES = ("none", "one weight per channel", "two weights per channel")


def write(folder: Path) -> None:
    """Writes all pages and parts.

    Args:
      folder: Folder, created if necessary; files that are up to date are left alone.
    """
    for name, text in pages().items():
        path = folder / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")


def pages() -> Mapping[str, str]:
    """The text of every page and part by the name of its file."""
    return {
        "api.md": api(),
        "networks.txt": networks(),
        "weights.txt": weights(),
        "metrics.txt": metrics(),
        "readouts.txt": readouts(),
        "datasets.txt": datasets(),
        "dataset_uses.txt": dataset_uses(),
        "claims.txt": claims(),
        "programs/index.md": programs(),
        **{f"programs/{verb}.md": program(verb) for verb in VERBS},
    }


def programs() -> str:
    """The list of the programs."""
    rows = [(f"[`iqa {verb}`]({verb}.md)", summary) for verb, (_, summary) in VERBS.items()]
    return "\n".join(
        [
            "# Programs",
            "",
            "`iqa VERB --help` shows the same as the pages of this section.",
            "",
            *_table(("program", "what it does"), rows),
            "",
            "```{toctree}",
            ":hidden:",
            "",
            *VERBS,
            "```",
            "",
        ]
    )


def program(verb: str) -> str:
    """What a program does, its flags and its exit statuses, as in its help."""
    module = importlib.import_module(f"iqa_jax.programs.{VERBS[verb][0]}")
    kinds = settings_kinds(module)
    lines = [f"# iqa {verb}", "", *_prose(inspect.getdoc(module) or "")]
    lines += ["", "```sh", usage_line(f"iqa {verb}", kinds), "```"]
    for title, settings in groups_of(kinds).items():
        lines += ["", f"## {title}", ""]
        for setting in settings:
            lines += _flag(setting)
    rows = [(str(status.value), escaped(meaning)) for status, meaning in MEANINGS.items()]
    lines += ["", "## Exit status", "", *_table(("status", "meaning"), rows), ""]
    return "\n".join(lines)


def api() -> str:
    """Everything that ``iqa_jax`` exports, and the classes that it returns."""
    exported = {name: getattr(iqa_jax, name) for name in sorted(iqa_jax.__all__)}
    functions = {name: value for name, value in exported.items() if inspect.isroutine(value)}
    classes = [value for value in exported.values() if inspect.isclass(value)]
    for value in itertools.chain(functions.values(), classes):  # the list grows on the way
        classes += [kind for kind in _returned(value) if kind not in classes]
    lines = ["# Python", "", f"`import iqa_jax` gives the version {iqa_jax.__version__} of:", ""]
    lines += _directives("autofunction", (f"iqa_jax.{name}" for name in functions))
    lines += ["", "## Classes", ""]
    names = (f"{kind.__module__}.{kind.__qualname__}" for kind in classes)
    hidden = ":exclude-members: __init__, __new__"
    lines += _directives("autoclass", names, ":members:", ":special-members: __call__", hidden)
    lines += ["", "## Errors", ""]
    raised = (f"iqa_jax.errors.{each.__name__}" for each in _errors())
    lines += _directives("autoexception", raised, ":show-inheritance:", hidden)
    return "\n".join([*lines, ""])


def networks() -> str:
    """A row for each network of the registry."""
    rows = [
        (f"`{name}`" + ("\\*" if model.in_study else ""), *map(_fact, facts(model).values()))
        for name, model in zoo.MODELS.items()
    ]
    header = (name.replace("_", " ") for name in ("model", *FACTS, "weights"))
    return "\n".join(_table(tuple(header), rows))


def _fact(value: str | float | bool | None) -> str:
    """A fact about a network as a cell; empty if it is unknown or does not hold."""
    if isinstance(value, bool):
        return "yes" if value else ""
    if isinstance(value, int):
        return f"{value:,}"
    return "" if value is None else escaped(str(value))


def weights() -> str:
    """A row for each trained network and each published relevance: licence and publications."""
    entries = {name: model for name, model in zoo.MODELS.items() if model.conversions}
    rows = [
        (f"`{name}`", escaped(source.licence), _publications(source.publications))
        for name, entry in (*entries.items(), *zoo.RELEVANCES.items())
        for source in [entry.conversions[0].source]
    ]
    return "\n".join(_table(("checkpoint", "licence", "publications"), rows))


def metrics() -> str:
    """A row for each published metric."""
    rows = [(f"`{name}`", *map(escaped, listing.facts(name))) for name in list_metrics()]
    return "\n".join(_table(listing.HEADER, rows))


def readouts() -> str:
    """A row for each read-out."""
    rows = [
        (
            f"`{name}`",
            "a dataset, too" if readout.normalised_by else "one pair",
            _RELEVANCES[readout.terms],
            "yes" if readout.is_local else "no",
            _publications(READOUT_PUBLICATIONS.get(name, ())),
        )
        for name, readout in READOUTS.items()
    ]
    return "\n".join(_table(("read-out", "compares with", "relevance", "map", "published"), rows))


def datasets() -> str:
    """A row for each dataset: where it is obtained, and what it holds."""
    rows = [
        (
            f"[{escaped(entry.title)}]({entry.url})" if entry.url else escaped(entry.title),
            ", ".join(f"`{each}`" for each in _variants(name)),
            _count(entry.references),
            _count(entry.pairs),
            escaped(entry.protocol),
            escaped(entry.licence or "none stated"),
            _publications(entry.publications),
        )
        for name, entry in CATALOGUE.items()
    ]
    header = ("dataset", "names", "references", "pairs", "how people judged", "licence")
    return "\n".join(_table((*header, "publication"), rows))


def dataset_uses() -> str:
    """A row for each dataset: who has seen it, and what it can decide."""
    rows = []
    for name, entry in CATALOGUE.items():
        trained = [text for each in _variants(name) for text in metrics_trained_on(each)]
        shared = ", ".join(f"`{each}`" for each in sorted(shared_images(name)))
        seen = escaped("; ".join(dict.fromkeys(trained)))
        rows.append((f"`{name}`", seen or "-", shared or "-", escaped(entry.claims)))
    header = ("dataset", "trained on it", "shares images with", "claims that it can decide")
    return "\n".join(_table(header, rows))


def claims() -> str:
    """A row for each claim of the study: what is estimated, and what decides."""
    rows = []
    for claim in CLAIMS:
        rules = {
            "supported": claim.supported,
            "contradicted": claim.contradicted,
            "equivalent": claim.equivalent,
            "consistent": claim.consistent,
        }
        decides = "; ".join(f"**{name}**: {escaped(rule)}" for name, rule in rules.items() if rule)
        rows.append(
            (
                f"{claim.id} ({claim.source})",
                escaped(claim.text),
                escaped(claim.estimand),
                decides,
                escaped(claim.needs),
                escaped(claim.confounds),
            )
        )
    header = ("claim", "", "estimand", "verdicts", "needs", "what else differs")
    return "\n".join(_table(header, rows))


def escaped(text: str) -> str:
    """A text that Markdown shows as it is."""
    return _SPECIAL.sub(r"\\\1", text)


def _variants(dataset: str) -> list[str]:
    return [each for each in DATASETS if each.partition(":")[0] == dataset]


def _count(number: int | None) -> str:
    return "-" if number is None else f"{number:,}"


def _publications(keys: Iterable[str]) -> str:
    known = publications()
    return "; ".join(f"{escaped(known[key].text)}" for key in keys) or "-"


def _flag(setting: Setting) -> list[str]:
    note = default_note(setting)
    head = f"`{flag_text(setting)}`{f' ({escaped(note)})' if note else ''}"
    return [head, f": {escaped(setting.text)}", ""]


def _prose(docstring: str) -> list[str]:
    """The paragraphs of a program's docstring, with its example as a listing."""
    lines: list[str] = []
    for paragraph in docstring.split("\n\n"):
        head, _, rest = paragraph.partition("\n")
        if head == "Example:":
            lines += ["```sh", textwrap.dedent(rest), "```", ""]
        else:
            lines += [escaped(" ".join(paragraph.split())), ""]
    return lines


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    cells = (header, ["---"] * len(header), *rows)
    return [f"| {' | '.join(row)} |" for row in cells]


def _directives(kind: str, names: Iterable[str], *options: str) -> list[str]:
    indented = [f"   {option}" for option in options]
    lines = [line for name in names for line in (f".. {kind}:: {name}", *indented, "")]
    return ["```{eval-rst}", *lines, "```"]


def _returned(value: Any) -> Iterator[type]:
    """The classes of this package that a function or the members of a class return.

    They may be in a container. Annotations in quotes name classes of other packages.
    """
    if inspect.isclass(value):
        for name, member in vars(value).items():
            if not name.startswith("_"):
                yield from _returned(
                    getattr(member, "fget", None) or getattr(member, "func", member)
                )
    elif inspect.isroutine(value):
        hint = getattr(value, "__annotations__", {}).get("return")
        for each in (hint, *get_args(hint)):
            if inspect.isclass(each) and each.__module__.startswith("iqa_jax."):
                yield each


def _errors() -> list[type]:
    """The errors that a user can mend, the most general first."""
    found = (each for each in vars(errors).values() if inspect.isclass(each))
    return [each for each in found if issubclass(each, errors.InputError)]
