"""How Sphinx builds the site; ``make docs`` does."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import generate  # noqa: E402

import iqa_jax  # noqa: E402

generate.write(HERE / "generated")

project = "iqa_jax"
author = "The iqa_jax developers"
version = release = iqa_jax.__version__
html_title = f"{project} {version}"
language = "en_GB"
smartquotes = False  # two hyphens begin a flag

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.viewcode"]
exclude_patterns = ["**.ipynb_checkpoints"]

myst_enable_extensions = ["deflist"]
myst_heading_anchors = 3
nb_execution_mode = "off"  # notebooks are shown with the outputs that they are stored with

autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_class_signature = "separated"
napoleon_use_ivar = True
viewcode_follow_imported_members = False  # links back from a module would miss short names

html_theme = "furo"
html_theme_options = {"navigation_with_keys": True}
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_copyright = False
pygments_style = "friendly"
