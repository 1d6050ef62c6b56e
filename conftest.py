"""For every test and every notebook run by pytest: the learner's settings, record and board are out of reach."""

import atexit
import itertools
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest

from surroundings import surroundings

FOLDER_VARIABLE = "COURSE_UTILS_DATA"
ROOT = Path(__file__).resolve().parent
# The tests in a folder or a file, and those that ask for a fixture, are of this kind (what a kind is: pyproject.toml).
KIND_OF_PLACE = {"notebooks": "notebook", "instructor": "notebook", "tests/notebooks": "notebook"}
KIND_OF_PLACE |= {"tests/browser": "browser", "tests/deploy": "hub"}
KIND_OF_PLACE |= {f"tests/tools/test_{of}.py": "slow" for of in ("wheelhouse", "torch_build", "course", "refresh")}
KIND_OF_PLACE |= {f"tests/graph/read/test_trace_{of}.py": "slow" for of in ("deep", "random")}
KIND_OF_PLACE |= {"tests/plots/test_explorers.py": "slow", "tests/test_processes.py": "slow"}
KIND_OF_FIXTURE = {"lab": "browser"}
OUTPUTS_DIFFER = "Cell outputs differ"  # what nbval's error says, and no other of its errors


def pytest_configure() -> None:
    folder = tempfile.TemporaryDirectory(prefix="course_utils_", ignore_cleanup_errors=True)
    atexit.register(folder.cleanup)  # pytest-xdist's workers do not come to pytest's own cleaning up
    own = surroundings(Path(folder.name))
    for name in set(os.environ) - set(own):
        del os.environ[name]
    os.environ.update(own)
    if "matplotlib" in sys.modules:  # it has read the learner's matplotlibrc to find the fonts
        import matplotlib

        matplotlib.rcdefaults()


@pytest.hookimpl(tryfirst=True)  # before pytest chooses by `-m`
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks each test by the folder it stands in, and by the fixtures it asks for."""
    for item in items:
        kinds = [kind for place, kind in KIND_OF_PLACE.items() if item.path.is_relative_to(ROOT / place)]
        kinds += [kind for name, kind in KIND_OF_FIXTURE.items() if name in getattr(item, "fixturenames", ())]
        for kind in kinds:
            item.add_marker(kind)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Workers take a file each, as `--dist loadfile` has it; of a file that asks the same of every lesson, a lesson."""
    from xdist.scheduler import LoadFileScheduling

    class ByFileAndLesson(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            lesson = re.search(r"\[(?:lesson_)?(\d\d)[._]", nodeid)
            return super()._split_scope(nodeid) + (f" {lesson[1]}" if lesson else "")

    return ByFileAndLesson(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """An output that differs is no failure if the cell's tags say that it is stored from another PyTorch."""
    report = yield
    differs = call.excinfo is not None and OUTPUTS_DIFFER in map(str, call.excinfo.value.args)
    if differs and report.failed and hasattr(item, "cell"):
        from classroom.checkup import is_for_another_torch

        if is_for_another_torch(item.cell.metadata.get("tags", []), metadata.version("torch")):
            report.outcome, report.wasxfail = "skipped", "another PyTorch"
    return report


@pytest.fixture(scope="session")
def _records(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Names for one folder after another, which a test that remembers something makes."""
    folder = tmp_path_factory.mktemp("records")
    return (folder / str(number) for number in itertools.count())


@pytest.fixture(autouse=True)
def _own_record(request: pytest.FixtureRequest, _records: Iterator[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """What one test passes, no other test and no notebook sees. It lies in the test's `tmp_path`, if it has one."""
    own = request.getfixturevalue("tmp_path") if "tmp_path" in request.fixturenames else next(_records)
    monkeypatch.setenv(FOLDER_VARIABLE, str(own))
