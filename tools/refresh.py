"""Runs the lessons from a clean kernel and stores their outputs in a form that is the same on every run.

    python tools/refresh.py                                  every notebook in notebooks/ and instructor/
    python tools/refresh.py notebooks/02_backward.ipynb      only this one

A cell that raises without being tagged `raises-exception` ends the run, and its notebook stays as it was. So do the
outputs of a cell whose tags, as `torch>=2.11`, say that they are stored from another PyTorch; the run names them.
"""

from __future__ import annotations

import argparse
import copy
import hashlib
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import nbformat
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode
from nbval.kernel import CURRENT_ENV_KERNEL_NAME, NbvalKernelspecManager
from nbval.plugin import get_sanitize_patterns
from tqdm import tqdm
from traitlets import default

from classroom.checkup import is_for_another_torch
from course_utils.core.tracebacks import fold
from surroundings import surroundings

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = [ROOT / "notebooks", ROOT / "instructor"]
METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"  # a stored one shows "Error displaying widget"
RANDOM_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{8}")
# What the comparison cannot see is better not stored at all; only the pictures have to stay.
STAND_INS = [
    (re.compile(pattern), stand_in)
    for pattern, stand_in in get_sanitize_patterns((ROOT / "tests/nbval_sanitize.cfg").read_text(encoding="utf-8"))
    if not pattern.startswith("data:")
]


class ThisPython(AsyncKernelManager):
    """Starts kernels of the Python that runs this, as nbval does, whatever kernels the user has at home."""

    @default("kernel_spec_manager")
    def _kernel_spec_manager_of_nbval(self) -> NbvalKernelspecManager:
        return NbvalKernelspecManager(parent=self)


def execute(notebook: NotebookNode, *, folder: Path, on_cell: Callable[[], object] = lambda: None) -> NotebookNode:
    """Runs all cells in a fresh kernel of this very Python, inside `folder`, and fills in their outputs.

    Raises:
        CellExecutionError: a cell raised and is not tagged `raises-exception`.
    """
    client = NotebookClient(
        notebook,
        kernel_manager_class=ThisPython,
        kernel_name=CURRENT_ENV_KERNEL_NAME,
        timeout=600,
        record_timing=False,
        store_widget_state=False,
        resources={"metadata": {"path": str(folder)}},
        on_cell_executed=lambda **_: on_cell(),
    )
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as own:  # stored outputs show nobody's settings
        return client.execute(stderr=subprocess.DEVNULL, env=surroundings(Path(own)))


def stable_text(text: str) -> str:
    """The text with the sanitiser's stand-ins for what differs between runs and machines."""
    for pattern, stand_in in STAND_INS:
        text = pattern.sub(stand_in, text)
    return text


def stable_outputs(outputs: list[NotebookNode], count: int) -> list[NotebookNode]:
    """Outputs as they are stored: no widget views, streams in one piece, no metadata, this execution count."""
    kept: list[NotebookNode] = []
    for output in outputs:
        if output.output_type == "stream":
            if kept and kept[-1].output_type == "stream" and kept[-1].name == output.name:
                output.text = kept.pop().text + output.text
            output.text = stable_text(output.text)
        elif output.output_type == "error":
            output.evalue = stable_text(output.evalue)
            output.traceback = [stable_text(frame) for frame in fold(output.traceback)]
        else:
            data = {kind: value for kind, value in output.data.items() if kind != WIDGET_VIEW}
            if not data:
                continue
            output.data = {kind: stable_text(v) if isinstance(v, str) else v for kind, v in data.items()}
            output.metadata = {}
        if output.output_type == "execute_result":
            output.execution_count = count
        kept.append(output)
    return kept


def name_cells(cells: list[NotebookNode]) -> None:
    """Gives cells without an id, or with a random or repeated one, an id made from their text; keeps all others."""
    taken: set[str] = set()
    for cell in cells:
        name = cell.get("id", "")
        if not name or name in taken or RANDOM_ID.fullmatch(name):
            base = name = f"{cell.cell_type}-{hashlib.sha256(cell.source.encode()).hexdigest()[:8]}"
            repeats = 1
            while name in taken:
                repeats += 1
                name = f"{base}-{repeats}"
        taken.add(name)
        cell.id = name


def normalise(notebook: NotebookNode) -> NotebookNode:
    """The notebook with nothing in it that changes from one run to the next; changes it in place."""
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    notebook.metadata = nbformat.from_dict(METADATA)
    count = 0
    for cell in notebook.cells:
        cell.metadata = {key: value for key, value in cell.metadata.items() if key == "tags" and value}
        if cell.cell_type == "code":
            count += 1
            cell.execution_count = count
            cell.outputs = stable_outputs(cell.outputs, count)
    name_cells(notebook.cells)
    return notebook


def refresh(path: Path, *, on_cell: Callable[[], object] = lambda: None) -> list[str]:
    """Runs the notebook at `path`, normalises it, and writes it back.

    Returns:
        the names of the cells whose outputs stay, since their tags say that they are another PyTorch's.

    Raises:
        CellExecutionError: as `execute`; the file is then left as it was.
    """
    stored = nbformat.read(path, as_version=4)
    notebook = execute(copy.deepcopy(stored), folder=path.parent, on_cell=on_cell)
    here, kept = metadata.version("torch"), []
    for cell, before in zip(notebook.cells, stored.cells):
        if cell.cell_type == "code" and is_for_another_torch(cell.metadata.get("tags", []), here):
            cell.outputs = before.outputs
            kept.append(cell)
    nbformat.write(normalise(notebook), path)
    return [cell.id for cell in kept]


def notebook_path(text: str) -> Path:
    """The file of a notebook.

    Raises:
        argparse.ArgumentTypeError: there is no such file, or its name is not that of a notebook.
    """
    path = Path(text)
    if not path.is_file() or path.suffix != ".ipynb":
        raise argparse.ArgumentTypeError(f"{text!r} is no notebook; expected a file, as notebooks/02_backward.ipynb")
    return path


def main(arguments: list[str] | None = None) -> int:
    """Refreshes the notebooks named on the command line, or all; returns 1 when a cell raised."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("notebooks", nargs="*", type=notebook_path, help="notebooks to refresh (default: all)")
    every = [path for folder in NOTEBOOKS for path in sorted(folder.glob("*.ipynb"))]
    paths = parser.parse_args(arguments).notebooks or every
    cells = [cell for path in paths for cell in nbformat.read(path, as_version=4).cells]
    with tqdm(total=sum(cell.cell_type == "code" for cell in cells), unit="cell") as bar:
        for path in paths:
            bar.set_description(path.stem)
            try:
                kept = refresh(path, on_cell=bar.update)
            except CellExecutionError as error:
                print(
                    f"\n{path} stays as it was: a cell without the tag raises-exception raised.\n{error}",
                    file=sys.stderr,
                )
                return 1
            if kept:
                names = ", ".join(kept)
                bar.write(f"{path.name} keeps another PyTorch's outputs, as tagged: {names}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
