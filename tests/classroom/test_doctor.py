"""The doctor finds each thing that can be wrong, says how to fix it, and never fails itself."""

import json
import subprocess
import sys
from importlib import metadata

import pytest

from classroom import checkup, doctor, frontend, machine
from classroom.checkup import Check
from classroom.commands import main

GB = 10**9


def kernel(tmp_path, monkeypatch, program, *arguments):
    """A kernel named python3 that comes before all others and runs this program."""
    place = tmp_path / "jupyter" / "kernels" / "python3"
    place.mkdir(parents=True)
    argv = [sys.executable, "-c", program, *arguments]
    (place / "kernel.json").write_text(
        json.dumps({"argv": argv, "display_name": "Mine", "language": "python"}), encoding="utf-8"
    )
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    monkeypatch.delenv("JUPYTER_PREFER_ENV_PATH", raising=False)
    monkeypatch.setenv("JUPYTER_PLATFORM_DIRS", "1")
    return place


def test_this_machine_is_ready_with_a_kernel_that_really_answers(capsys):
    assert main(["doctor", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    checks = {check["name"]: check for check in told["checks"]}
    assert told["ready"] is True and all(check["status"] != "problem" for check in told["checks"])
    assert checks["kernel"]["found"] == "starts, answers, and is this Python"
    assert checks["torch"]["found"] == metadata.version("torch")
    assert {"Python", "tested versions", "disk", "memory", "threads", "progress"} <= set(checks)
    assert "instructor's board" not in checks


def test_it_prints_each_check_with_its_sign_and_the_fix_below(capsys):
    checks = [Check("a", found="1.0"), Check("b", note="odd", fix="do b"), Check("c", "broken", "do c"), Check("d")]
    assert doctor.show(checks) == 1
    assert capsys.readouterr().out == "✓ a: 1.0\n• b: odd\n  → do b\n✗ c: broken\n  → do c\n✓ d: fine\n\n" + (
        "Not ready: 1 to fix, see each → above.\n"
    )
    assert doctor.show(checks[:2]) == 0 and capsys.readouterr().out.endswith("Ready: the lessons will run.\n")


def test_without_pytorch_it_says_so_and_returns_1(tmp_path):
    program = """
import sys
sys.modules["torch"] = None
from classroom import doctor
doctor.CHECKS = [check for check in doctor.CHECKS if check.__name__ not in ("check_kernel", "check_font")]
from classroom.checkup import Check
from classroom.commands import main
sys.exit(main(["doctor"]))
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, encoding="utf-8")
    assert ran.returncode == 1 and ran.stderr == ""
    assert "✗ gradient: could not be checked: ModuleNotFoundError" in ran.stdout
    assert f"→ {checkup.reinstall()}\n" in ran.stdout


def test_a_check_that_raises_whatever_it_raises_is_a_problem():
    def check_library():
        raise OSError("libgomp.so.1: cannot open shared object file")

    (found,) = checkup.run([check_library])
    assert found.name == "library" and "libgomp" in found.problem and found.fix


def test_a_kernel_of_another_python_is_named(tmp_path, monkeypatch):
    program = "import sys; sys.prefix = '/elsewhere'; from ipykernel.kernelapp import launch_new_instance as go; go()"
    place = kernel(tmp_path, monkeypatch, program, "-f", "{connection_file}")
    found = frontend.check_kernel()
    assert "JupyterLab starts another Python, /elsewhere" in found.problem and str(place) in found.problem
    assert found.fix.endswith("-m jupyter kernelspec remove -f python3")


@pytest.mark.parametrize("program", ["", "import time; time.sleep(60)"])
def test_a_kernel_that_dies_or_says_nothing_is_a_problem_in_time(tmp_path, monkeypatch, program):
    kernel(tmp_path, monkeypatch, program)
    monkeypatch.setattr(frontend, "PATIENCE", 1)
    found = frontend.check_kernel()
    assert found.problem.startswith("it does not answer within 1 s: ") and "ipykernel" in found.fix


def test_a_kernel_that_is_not_there_or_whose_program_is_gone_is_a_problem(tmp_path, monkeypatch):
    place = kernel(tmp_path, monkeypatch, "")
    (place / "kernel.json").write_text(
        '{"argv": ["/no/such/python"], "display_name": "Mine", "language": "python"}', encoding="utf-8"
    )
    assert "JupyterLab cannot start one: " in frontend.check_kernel().problem
    monkeypatch.setattr(frontend, "KERNEL", "no-such-kernel")
    found = frontend.check_kernel()
    assert "JupyterLab cannot start one: " in found.problem and "ipykernel install --sys-prefix" in found.fix


@pytest.mark.parametrize("name", ["anywidget", "@jupyter-widgets/jupyterlab-manager:plugin"])
def test_sliders_that_are_switched_off_are_named_with_the_switch(tmp_path, monkeypatch, name):
    (tmp_path / "labconfig").mkdir()
    (tmp_path / "labconfig" / "page_config.json").write_text(
        json.dumps({"disabledExtensions": {name: True}}), encoding="utf-8"
    )
    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path))
    found = frontend.check_enabled()
    assert name.partition(":")[0] in found.problem
    assert found.fix.endswith(f"labextension enable {name.partition(':')[0]}")


def test_other_versions_than_tested_are_a_note(tmp_path, monkeypatch):
    (tmp_path / "constraints.txt").write_text(
        '# pins\ntorch==0.1\nmatplotlib==0.2 ; python_version < "3"\nno-such==1\n', encoding="utf-8"
    )
    monkeypatch.setattr(machine, "course_folder", lambda: tmp_path)
    found = machine.check_pins()
    assert found.status == "note" and found.note == f"not as tested: torch {metadata.version('torch')} (==0.1)"
    monkeypatch.setattr(machine, "course_folder", lambda: None)
    assert machine.check_pins().status == "fine"


@pytest.mark.parametrize(
    ("lessons", "note"),
    [
        ([], ""),
        (["03"], "some in lesson 03 are another PyTorch's; with {} they look different"),
        (["03", "09"], "some in lessons 03, 09 are another PyTorch's; with {} they look different"),
    ],
)
def test_outputs_of_another_torch_are_a_note_with_their_lessons(monkeypatch, lessons, note):
    monkeypatch.setattr(machine, "lessons_worded_for_others", lambda version: lessons)
    assert machine.check_wording().note == note.format(metadata.version("torch"))


def test_a_font_that_is_not_there(monkeypatch):
    monkeypatch.setitem(machine.STYLE, "font.family", "No Such Font")
    found = machine.check_font()
    assert "matplotlib does not find No Such Font" in found.problem and "matplotlib" in found.fix


@pytest.mark.parametrize(("free", "status"), [(10**7, "problem"), (5 * 10**8, "note"), (9 * GB, "fine")])
def test_disk_and_memory(monkeypatch, free, status):
    usage = machine.shutil.disk_usage(".")._replace(free=free)
    monkeypatch.setattr(machine.shutil, "disk_usage", lambda place: usage)
    monkeypatch.setattr(machine, "_free_memory", lambda: free)
    for found in (machine.check_disk(), machine.check_memory()):
        assert found.status == status and bool(found.fix) is (status != "fine")


def test_memory_that_a_container_leaves(tmp_path, monkeypatch):
    monkeypatch.setattr(machine, "CGROUP_LIMIT", tmp_path / "max")
    monkeypatch.setattr(machine, "CGROUP_USED", tmp_path / "current")
    (tmp_path / "max").write_text("max\n", encoding="utf-8")
    assert machine.check_memory().status in ("fine", "note")
    (tmp_path / "max").write_text(f"{10**9}\n", encoding="utf-8")
    (tmp_path / "current").write_text(f"{9 * 10**8}\n", encoding="utf-8")
    assert machine.check_memory().problem.startswith("100 MB free")


@pytest.mark.parametrize(
    ("threads", "cores", "hub", "status"),
    [(1, 1, True, "fine"), (4, 4, False, "fine"), (8, 4, False, "note"), (4, 4, True, "note"), (1, 64, True, "fine")],
)
def test_threads(monkeypatch, threads, cores, hub, status):
    monkeypatch.setattr("torch.get_num_threads", lambda: threads)
    monkeypatch.setattr(machine, "_cores", lambda: cores)
    monkeypatch.delenv(machine.HUB_VARIABLE, raising=False)
    if hub:
        monkeypatch.setenv(machine.HUB_VARIABLE, "ada")
    found = machine.check_threads()
    assert found.status == status and ("OMP_NUM_THREADS" in found.fix) is (status == "note")


def test_records_that_cannot_be_kept_are_a_note(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    monkeypatch.setenv("COURSE_UTILS_DATA", str(tmp_path / "file"))
    found = machine.check_progress()
    assert found.status == "note" and "it cannot be kept: " in found.note and "COURSE_UTILS_DATA" in found.fix


def test_the_board_is_looked_at_where_one_is_set(tmp_path, monkeypatch):
    assert machine.check_board() == []
    monkeypatch.setenv("COURSE_UTILS_BOARD", str(tmp_path / "board"))
    (found,) = machine.check_board()
    assert found.status == "note" and "No such file or directory" in found.note and "--prepare" in found.fix
    (tmp_path / "board").mkdir()
    (found,) = machine.check_board()
    assert found.status == "fine"
    assert [file.read_bytes() for file in (tmp_path / "board").iterdir()] == [b""]


def test_the_fix_suits_the_environment(tmp_path, monkeypatch):
    monkeypatch.setattr(checkup, "course_folder", lambda: tmp_path)
    assert checkup.reinstall() == checkup.command(
        sys.executable, "-m", "pip", "install", "-c", tmp_path / "constraints.txt", "-e", f"{tmp_path}[lab]"
    )
    for program in ("bin/python", "Scripts/python.exe"):
        (tmp_path / ".venv" / program).parent.mkdir(parents=True)
        (tmp_path / ".venv" / program).touch()
    assert checkup.reinstall().startswith("use the course's own Python, ")
    monkeypatch.setattr(sys, "prefix", str(tmp_path / ".venv"))
    (tmp_path / "wheels").mkdir()
    assert "--no-index --find-links" in checkup.reinstall()
    monkeypatch.setattr(checkup.importlib.util, "find_spec", lambda name: None)
    assert checkup.reinstall("torch").startswith("uv pip install --python ")
    monkeypatch.setattr(checkup, "course_folder", lambda: None)
    assert "make install" in checkup.reinstall() and "constraints" not in checkup.reinstall("torch")
