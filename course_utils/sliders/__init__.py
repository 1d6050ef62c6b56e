"""Sliders that keep up: `explore` moves a picture as if it were alive.

Tried in JupyterLab 4.6 and in Notebook 7.6 (Chromium). VS Code takes the same messages, but was not tried.
"""

from .controls import play
from .explorer import Explorer, explore

__all__ = ["Explorer", "explore", "play"]
