"""A real JupyterLab in a real Chromium, for tests that look at what a learner sees."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import nbformat
from playwright.sync_api import Page, sync_playwright

INSTALL_CHROMIUM = "install it with: apt-get install chromium (Debian, Ubuntu) or brew install --cask chromium (macOS)"
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# Without these, Chromium looks up its maker's hosts at every start.
CHROMIUM_ARGUMENTS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}
# The indicator says "idle" also before there is a kernel.
IDLE = """
document.querySelector('.jp-Notebook-ExecutionIndicator')?.dataset.status === 'idle' &&
document.querySelector('.jp-KernelName')?.textContent !== 'No Kernel' &&
![...document.querySelectorAll('.jp-InputPrompt')].some(prompt => prompt.textContent.includes('*'))
"""


def find_chromium() -> str | None:
    """The path of a Chromium or Chrome on this machine, or None."""
    return next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Lab:
    """JupyterLab serving `folder`, and one browser; use as a context manager."""

    def __init__(self, folder: Path, home: Path, *, timeout: float = 90):
        self.folder, self.home, self.timeout = Path(folder), Path(home), timeout

    def __enter__(self) -> Lab:
        self.port, self.token = free_port(), secrets.token_hex(16)
        self.url = f"http://127.0.0.1:{self.port}"
        settings = {
            "JUPYTER_CONFIG_DIR": self.home / "config",
            "JUPYTER_DATA_DIR": self.home / "data",
            "JUPYTER_RUNTIME_DIR": self.home / "runtime",
            "JUPYTERLAB_SETTINGS_DIR": self.home / "settings",
            "JUPYTERLAB_WORKSPACES_DIR": self.home / "workspaces",
            "COURSE_UTILS_DATA": self.home / "course_utils",
            "OMP_NUM_THREADS": "1",
        }
        self.log = (self.home / "lab.log").open("w", encoding="utf-8")
        self.server = subprocess.Popen(
            [sys.executable, "-m", "jupyter", "lab", "--no-browser", f"--port={self.port}", "--port-retries=0",
             f"--IdentityProvider.token={self.token}", f"--ServerApp.root_dir={self.folder}", "--allow-root",
             "--LabApp.news_url=", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"],
            stdout=self.log, stderr=self.log, env={**os.environ, **{k: str(v) for k, v in settings.items()}},
        )  # fmt: skip
        # Without these, a question about news lies over the page.
        self.set("@jupyterlab/apputils-extension/notification", {"fetchNews": "false", "checkForUpdates": False})
        self._wait_for_server()
        self.playwright = sync_playwright().start()
        self.browser = self.playwright.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_ARGUMENTS)
        return self

    def _wait_for_server(self) -> None:
        deadline = time.monotonic() + self.timeout
        while time.monotonic() < deadline:
            if self.server.poll() is not None:
                raise RuntimeError(f"JupyterLab stopped at once:\n{self._words()}")
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"{self.url}/api/status?token={self.token}", timeout=2).close()
                return
            time.sleep(0.2)
        raise TimeoutError(f"JupyterLab did not answer within {self.timeout:.0f} s:\n{self._words()}")

    def _words(self) -> str:
        return (self.home / "lab.log").read_text(encoding="utf-8")

    def __exit__(self, *_: object) -> None:
        self.browser.close()
        self.playwright.stop()
        self.server.terminate()
        self.server.wait(20)
        self.log.close()

    def set_theme(self, theme: str) -> None:
        """ "light" or "dark", for pages opened from now on."""
        self.set("@jupyterlab/apputils-extension/themes", {"theme": THEMES[theme], "adaptive-theme": False})

    def set(self, plugin: str, settings: dict) -> None:
        """Settings of a plugin ("extension/plugin"), for pages opened from now on."""
        place = self.home / f"settings/{plugin}.jupyterlab-settings"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(json.dumps(settings), encoding="utf-8")

    def write(self, name: str, *cells: str) -> str:
        """A notebook of these code cells, written into the folder under `name`, which is returned."""
        kernel = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
        notebook = nbformat.v4.new_notebook(metadata={"kernelspec": kernel, "language_info": {"name": "python"}})
        notebook.cells = [nbformat.v4.new_code_cell(cell) for cell in cells]
        nbformat.write(notebook, self.folder / name)
        return name

    def open(self, notebook: str, *, width: int = 1280, height: int = 900, scale: float = 1) -> Page:
        """A page with the notebook (a path below the folder), simple mode, side bars closed."""
        context = self.browser.new_context(viewport={"width": width, "height": height}, device_scale_factor=scale)
        page = context.new_page()
        page.set_default_timeout(self.timeout * 1000)
        page.goto(f"{self.url}/doc/tree/{notebook}?token={self.token}&reset")
        page.wait_for_selector(".jp-Notebook .jp-Cell", state="attached")
        page.wait_for_function(IDLE)
        page.evaluate("document.querySelectorAll('#jp-left-stack:not(.lm-mod-hidden)').length && "
                      "document.querySelector('.jp-SideBar .lm-TabBar-tab.lm-mod-current')?.click()")  # fmt: skip
        return page

    def run_all(self, page: Page) -> None:
        """Runs every cell from a fresh kernel state and waits until the kernel is idle again."""
        self.menu(page, "Run", "Run All Cells")
        page.wait_for_timeout(500)
        page.wait_for_function(IDLE)

    def menu(self, page: Page, name: str, item: str) -> None:
        """Chooses an item of the menu bar."""
        page.click(f'.lm-MenuBar-itemLabel:text-is("{name}")')
        page.click(f'.lm-Menu-itemLabel:text-is("{item}")')

    def full_height(self, page: Page, limit: int = 30000) -> None:
        """Grows the window until the whole notebook fits, so that a screenshot shows all of it."""
        for _ in range(3):
            content = page.evaluate(
                "document.querySelector('.jp-WindowedPanel-outer').scrollTop = 0,"
                "[...document.querySelectorAll('.jp-WindowedPanel-viewport > *')]"
                ".reduce((sum, cell) => sum + cell.offsetHeight, 0)"
            )
            page.set_viewport_size({"width": page.viewport_size["width"], "height": min(limit, content + 200)})
            page.wait_for_timeout(600)
