"""Sphinx's settings for the web edition; web/build.py lays the pages out and calls Sphinx with this folder."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "tools"), str(HERE.parent)]

project = "See gradients"
author = "The authors of See gradients"
copyright = author
language = "en"
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "formulas"]
exclude_patterns = ["_build"]

nb_execution_mode = "off"  # the stored outputs are the course's own, compared by its tests
nb_render_markdown_format = "myst"
nb_merge_streams = True
nb_render_error_lexer = "text"  # the lexer of tracebacks stumbles over those of Python 3.11
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 4
html_math_renderer = "mathml"

default_role = "code"  # docstrings write code in single backticks
autodoc_typehints = "none"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
napoleon_numpy_docstring = False

html_theme = "furo"
html_title = project
html_static_path = [str(HERE / "static")]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
