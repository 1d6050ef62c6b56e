"""What the doctor looks at in Jupyter: that sliders are switched on, and that a kernel starts and answers."""

from __future__ import annotations

import ast
import os
import sys
from pathlib import Path
from subprocess import DEVNULL
from typing import TYPE_CHECKING

from .checkup import WIDGET_EXTENSIONS, Check, command, reinstall

if TYPE_CHECKING:
    from jupyter_client.manager import KernelManager

KERNEL = "python3"  # what every notebook of the course asks for
PATIENCE = 60  # seconds


def check_enabled() -> Check:
    """JupyterLab has not switched off what shows sliders."""
    from jupyter_core.paths import jupyter_path
    from jupyterlab.commands import get_app_dir
    from jupyterlab_server.config import get_page_config

    settings = os.path.join(get_app_dir(), "settings")
    disabled = get_page_config(jupyter_path("labextensions"), settings)["disabledExtensions"]
    off = [name for name in WIDGET_EXTENSIONS if any(name == entry.partition(":")[0] for entry in disabled)]
    if not off:
        return Check("sliders are switched on")
    fix = command(sys.executable, "-m", "jupyter", "labextension", "enable", off[0])
    return Check("sliders are switched on", f"JupyterLab has switched off {', '.join(off)}", fix)


def check_kernel() -> Check:
    """The kernel that JupyterLab would start starts, answers, and is this very Python."""
    from jupyter_client.kernelspec import NoSuchKernel
    from jupyter_client.manager import KernelManager

    manager = KernelManager(kernel_name=KERNEL)
    again = command(sys.executable, "-m", "ipykernel", "install", "--sys-prefix")
    try:
        place = manager.kernel_spec_manager.get_kernel_spec(KERNEL).resource_dir
        prefix = _ask(manager)
    except (NoSuchKernel, OSError) as error:
        return Check("kernel", f"JupyterLab cannot start one: {error}", again)
    except (RuntimeError, TimeoutError) as error:
        return Check("kernel", f"it does not answer within {PATIENCE} s: {error}", reinstall("ipykernel"))
    if _is_same(prefix, sys.prefix):
        return Check("kernel", found="starts, answers, and is this Python")
    is_own = Path(place).resolve().is_relative_to(Path(sys.prefix).resolve())
    remove = command(sys.executable, "-m", "jupyter", "kernelspec", "remove", "-f", KERNEL)
    return Check("kernel", f"JupyterLab starts another Python, {prefix}, set in {place}", again if is_own else remove)


def _is_same(one: str, other: str) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)


def _ask(manager: KernelManager) -> str:
    """Starts the kernel and returns its `sys.prefix`; the kernel has ended when this returns or raises."""
    manager.start_kernel(stdout=DEVNULL, stderr=DEVNULL)
    client = manager.blocking_client()
    try:
        client.start_channels()
        client.wait_for_ready(timeout=PATIENCE)
        question = {"prefix": "__import__('sys').prefix"}
        reply = client.execute("", user_expressions=question, reply=True, timeout=PATIENCE)
        return ast.literal_eval(reply["content"]["user_expressions"]["prefix"]["data"]["text/plain"])
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
