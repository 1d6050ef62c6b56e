"""The set-up script: quick when there is nothing to do, and clear about what is missing."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import venv as standard_venv  # noqa: F401  (the script under test has the same name and is loaded by path)

ROOT = Path(__file__).resolve().parents[2]
