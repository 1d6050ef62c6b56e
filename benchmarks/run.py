"""Runs every benchmark of this folder, one after the other, each in a process of its own."""

import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent

for script in sorted(FOLDER.glob("*.py")):
    if script.stem not in {"run", "table"}:
        print(f"== {script.stem}", flush=True)
        subprocess.run([sys.executable, str(script)], check=True)
