"""The hub of deploy/jupyterhub on loopback, with its real proxy: two learners at work, and what keeps them apart."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
import pytest

pytest.importorskip("jupyterhub", reason="the hub needs the extra `hub`")

from hub import XSRF, Hub, Kernel, Visitor, wait_until, why_no_accounts, why_no_hub
from lesson import code_cells, wrong_cells
from publish import publish

pytestmark = pytest.mark.skipif(bool(why_no_hub()), reason=why_no_hub())
ROOT = Path(__file__).resolve().parents[2]
LESSON = "02_backward.ipynb"
COPY = f"see-gradients/{LESSON}"
TRY = "try:\n    {}\nexcept OSError as error:\n    print(type(error).__name__)\nelse:\n    print('done')"

TOO_MANY_THREADS = """
import threading, time
for _ in range(1000):
    threading.Thread(target=time.sleep, args=(1,)).start()
"""


@pytest.fixture(scope="module")
def lessons(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The course, of two lessons."""
    folder = tmp_path_factory.mktemp("lessons")
    for name in ("00_start_here.ipynb", LESSON):
        shutil.copy(ROOT / "notebooks" / name, folder)
    return folder


@pytest.fixture(scope="module")
def hub(lessons: Path) -> Iterator[Hub]:
    with Hub(["anna", "ben"], course=lessons, options=["--memory=3G"]) as hub:
        yield hub


@pytest.fixture(scope="module")
def visitors(hub: Hub) -> dict[str, Visitor]:
    """Anna and Ben, each logged in, with a running server."""
    visitors = {name: hub.visitor(name) for name in ("anna", "ben")}
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda visitor: (visitor.log_in(), visitor.start_server()), visitors.values()))
    return visitors


@pytest.fixture(scope="module")
def anna(visitors: dict[str, Visitor]) -> Visitor:
    return visitors["anna"]


@pytest.fixture(scope="module")
def kernel(anna: Visitor) -> Kernel:
    return anna.open(COPY)


def printed(kernel: Kernel, source: str) -> str:
    """What a cell prints."""
    return "".join(output.text for output in kernel.run(source) if output.output_type == "stream").strip()


def attempt(kernel: Kernel, statement: str) -> str:
    """ "done", or the kind of OSError that the statement ended in."""
    return printed(kernel, TRY.format(statement))


@pytest.mark.parametrize(("name", "password_of"), [("anna", "ben"), ("root", "anna"), ("nobody-known", "anna")])
def test_only_who_is_on_the_list_gets_in_with_the_own_password(name: str, password_of: str, hub: Hub) -> None:
    stranger = hub.visitor(password_of)
    stranger.name = name
    answer = stranger.log_in()
    assert answer.status_code == 403
    assert "Invalid username or password" in answer.text


def test_a_lesson_gives_the_stored_outputs_over_the_websocket(kernel: Kernel) -> None:
    cells = code_cells(ROOT / "notebooks" / LESSON)
    assert len(cells) > 30
    assert wrong_cells(cells, [kernel.run(cell.source) for cell in cells]) == []


def test_a_kernel_starts_only_for_the_page_itself(anna: Visitor) -> None:
    before = len(anna.api("GET", "kernels").json())
    assert anna.api("POST", "kernels", xsrf=False, json={}).status_code == 403
    assert len(anna.api("GET", "kernels").json()) == before


def test_nobody_reaches_the_server_of_another(hub: Hub, visitors: dict[str, Visitor]) -> None:
    anna, ben = visitors.values()
    assert anna.page(of="ben").status_code == 403
    for path in ("status", "contents", "kernels"):
        assert ben.api("GET", path).ok
        assert anna.api("GET", path, of="ben").status_code == 403
    assert anna.api("POST", "kernels", of="ben", json={}).status_code == 403


def test_the_instructor_may_look_into_a_learners_server(hub: Hub, visitors: dict[str, Visitor]) -> None:
    instructor = hub.visitor("instructor")
    instructor.log_in()
    question = instructor.page(of="ben")
    assert "Authorize access" in question.text
    instructor.session.post(question.url, data={"_xsrf": XSRF.search(question.text)[1]})
    home = instructor.api("GET", "contents", of="ben").json()["content"]
    assert "see-gradients" in {each["name"] for each in home}


def test_nobody_reads_the_home_of_another(hub: Hub, visitors: dict[str, Visitor], kernel: Kernel) -> None:
    if not hub.has_accounts:
        pytest.skip(f"all servers run in one account here: {why_no_accounts()}")
    (process, *_) = hub.processes("ben")
    assert int(printed(kernel, "import os; print(os.getuid())")) not in (0, hub.home("ben").stat().st_uid)
    for statement in (
        f"os.listdir({str(hub.home('ben'))!r})",
        f"open({str(hub.home('ben') / COPY)!r})",
        f"os.kill({process.pid}, 9)",
        f"open('/proc/{process.pid}/environ')",
        f"os.listdir({str((hub.home('ben') / '.jupyter-runtime').resolve())!r})",
        f"open({str(hub.folder / 'learners.txt')!r})",
        f"open({str(hub.folder / 'cookie_secret')!r})",
        f"open({str(hub.folder / 'hub.sqlite')!r})",
        f"open({str(hub.folder / 'course' / LESSON)!r}, 'a')",
        f"os.listdir({str(hub.folder / 'board')!r})",
    ):
        assert attempt(kernel, statement) == "PermissionError", statement
    assert attempt(kernel, f"open({str(hub.folder / 'course' / LESSON)!r})") == "done"


def test_the_board_gets_a_line_under_the_pseudonym(hub: Hub, kernel: Kernel) -> None:
    kernel.run("from course_utils.exercises import lesson_02\nlesson_02.first_slope.check(18.0)")
    pseudonym = (hub.folder / "learners.txt").read_text(encoding="utf-8").split("anna ")[1].split()[1]
    lines = (hub.folder / "board" / f"{pseudonym}.jsonl").read_text(encoding="utf-8").splitlines()
    last = json.loads(lines[-1])
    assert (last["exercise"], last["verdict"]) == ("lesson_02.first_slope", "right")


def test_limits_hold_and_leave_the_kernel_alive(hub: Hub, kernel: Kernel) -> None:
    assert printed(kernel, "import torch; print(torch.get_num_threads())") == "1"
    (error,) = kernel.run("torch.ones(10**9)")
    assert "can't allocate memory" in error.evalue
    assert printed(kernel, "print(torch.ones(10**8).numel())") == "100000000"
    if hub.has_accounts:
        (error, *_) = kernel.run(TOO_MANY_THREADS)
        assert "can't start new thread" in error.evalue


def stop_unused_servers(hub: Hub) -> None:
    """Waits until the hub's own culler has stopped all servers; in a hurry, but with its token and rights."""
    (culler,) = (process for process in hub.processes() if "jupyterhub_idle_culler" in process.cmdline())
    assert "--timeout=3600" in culler.cmdline()
    servers = hub.processes("anna") + hub.processes("ben")
    hurried = [sys.executable, "-m", "jupyterhub_idle_culler", "--timeout=1", "--cull-every=1"]
    with subprocess.Popen(hurried, env=culler.environ()) as process:
        try:
            gone = lambda: not any(server.is_running() for server in servers)  # noqa: E731
            wait_until(gone, seconds=60, what=lambda: f"still there: {servers}")
        finally:
            process.terminate()


def test_an_unused_server_stops_and_comes_back_with_the_newest_course_and_the_learners_work(
    hub: Hub, anna: Visitor, lessons: Path
) -> None:
    mine = anna.read(COPY)
    mine.cells[1].source = "Anna was here."
    anna.save(COPY, mine)
    for path in lessons.glob("*.ipynb"):
        lesson = nbformat.read(path, as_version=4)
        lesson.cells[0].source += "\n\nSecond version."
        nbformat.write(lesson, path)
    publish(lessons, hub.folder / "course")
    stop_unused_servers(hub)
    anna.start_server()
    assert anna.read(COPY).cells[1].source == "Anna was here."
    assert "Second version" not in anna.read(COPY).cells[0].source
    assert anna.read("see-gradients/00_start_here.ipynb").cells[0].source.endswith("Second version.")
    assert anna.read(f"see-gradients-as-published/{LESSON}").cells[0].source.endswith("Second version.")
