"""Each Python started with this folder on PYTHONPATH becomes another machine as soon as it imports torch.

ROUNDING_SEED=1 moves the last place of what is inexact (another_rounding.py); WITHOUT_ONEDNN=1 switches oneDNN off.
"""

import importlib.util
import os
import sys


def change(torch) -> None:
    """What is asked for in the environment."""
    if seed := os.environ.get("ROUNDING_SEED"):
        from another_rounding import AnotherRounding, move_math

        move_math(int(seed))
        AnotherRounding(int(seed)).__enter__()  # for the life of the process
    if os.environ.get("WITHOUT_ONEDNN"):
        torch.backends.mkldnn.set_flags(False)


class AfterTorch:
    """Finds torch as it would be found, and changes it once it is imported."""

    def find_spec(self, name, path=None, target=None):
        if name != "torch":
            return None
        sys.meta_path.remove(self)
        try:
            spec = importlib.util.find_spec(name)
        finally:
            sys.meta_path.insert(0, self)
        if spec is not None:
            run = spec.loader.exec_module

            def run_and_change(module) -> None:
                run(module)
                change(module)

            spec.loader.exec_module = run_and_change
        return spec


sys.meta_path.insert(0, AfterTorch())
