import importlib
import pkgutil
import re
import sys

import pytest

from iqa_jax._renamed import RENAMED, SETTINGS


@pytest.mark.parametrize("name", RENAMED)
def test_a_former_name_says_the_new_one(name):
    with pytest.raises(ImportError, match=rf"{re.escape(RENAMED[name])} since") as raised:
        importlib.import_module(name)
    assert str(raised.value).endswith("; iqa_jax._renamed.RENAMED lists all new names")
    assert raised.value.name == name
    assert name not in sys.modules


@pytest.mark.parametrize("name", sorted({*RENAMED.values(), *SETTINGS.values()}))
def test_what_is_named_is_there(name):
    pkgutil.resolve_name(name)


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("import iqa_jax.evaluate", "iqa_jax.programs.evaluate.evaluation"),
        ("from iqa_jax.evaluate import Settings", "iqa_jax.programs.evaluate.evaluation"),
        ("from iqa_jax.store.reader import StatisticsStore", "iqa_jax.engine.store"),
        ("from iqa_jax.agreement import agreement", "iqa_jax.agreement.correlation.agreement"),
        ("from iqa_jax.images import ImageFolder", "iqa_jax.images.sources.ImageFolder"),
    ],
)
def test_however_it_is_imported(statement, found):
    with pytest.raises(ImportError, match=f" is {re.escape(found)} since"):
        exec(statement)


@pytest.mark.parametrize("module", SETTINGS)
def test_settings_have_names_of_their_own(module):
    with pytest.raises(ImportError, match=rf"its Settings are {re.escape(SETTINGS[module])};"):
        exec(f"from {module} import Settings")


def test_what_never_was_is_not_found_as_ever():
    with pytest.raises(ModuleNotFoundError, match="No module named 'iqa_jax.nothing'"):
        importlib.import_module("iqa_jax.nothing")
    with pytest.raises(ImportError, match="cannot import name 'nothing' from 'iqa_jax'"):
        exec("from iqa_jax import nothing")
