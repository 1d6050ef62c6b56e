"""Makes `.venv` where it is missing or stale, then runs its Python: the whole set-up, the same with and without make.

    python tools/course.py                                 make .venv with what the lessons need
    python tools/course.py -m jupyter lab                  the same, then `python -m jupyter lab` inside it
    python tools/course.py --with=test -m pytest           with the extra `test` of pyproject.toml

TORCH=cpu in the environment takes PyTorch's small build on Linux too, TORCH=cuda the large one that pip brings there.
Standard library only, and readable by Python 3.6, so that an old Python gets a message rather than a syntax error.
"""

import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
PIP_LOG = VENV / "pip.log"
LESSONS = "lab"  # the extra of pyproject.toml that the lessons need; always installed
STAMP = VENV / "installed"
CONSTRAINTS = ROOT / "constraints.txt"
BUILDS = ("cpu", "cuda")  # of PyTorch: what TORCH may say
CUDA = r"(nvidia|cuda)-"  # how the names begin of what only the large build needs
FEW_RETRIES = ["--retries", "1"]
OLDEST_PIP = (23, 3)  # from here on a rehearsed install downloads no more than descriptions
WHEELS = ROOT / "wheels"  # on a stick made by tools/wheelhouse.py: every package, so that no index is asked
SETTINGS = {
    ROOT / "tools/jupyter/overrides.json": VENV / "share/jupyter/lab/settings/overrides.json",
    ROOT / "tools/jupyter/jupyter_server_config.json": VENV / "etc/jupyter/jupyter_server_config.json",
}
SOURCES = [ROOT / "pyproject.toml", CONSTRAINTS, Path(__file__).resolve()] + sorted(SETTINGS)

LARGE_BUILD = """
On this machine pip brings PyTorch with CUDA: about 3 GB to download. No lesson needs a GPU.
    the small build, 0.2 GB    make lab TORCH=cpu     (without make: TORCH=cpu python3 tools/course.py ...)
    the large one, 3 GB        make lab TORCH=cuda    (without make: TORCH=cuda python3 tools/course.py ...)"""

# What pip's log says -> what happened, and what to do. The first that matches is shown.
FAILURES = [
    (
        r"No space left on device|not enough space",
        "the disk is full.",
        "make room (the install needs about 2 GB) and run the same command again.",
    ),
    (
        r"Permission denied|Access is denied",
        "a file could not be written.",
        "close what uses .venv, check who owns this folder, and run the same command again.",
    ),
    (
        r"unable to execute|command '.*(cc|\+\+|clang|cl\.exe)' failed|Microsoft Visual C\+\+|Failed building wheel",
        "a package had to be compiled, and that failed: it has no ready build for this Python and machine.",
        "use another Python (3.11 and 3.12 have a ready build of everything), or install a C compiler\n"
        "(Debian, Ubuntu: apt install build-essential; macOS: xcode-select --install; Windows: the Visual Studio\n"
        "Build Tools) and run the same command again.",
    ),
    (
        rf"(?s)Looking in links: [^\n]*{re.escape(str(WHEELS))}\n.*(No matching distribution|ResolutionImpossible)",
        "the folder `wheels` has nothing for this Python and machine.",
        "use a Python that it was made for: the file torch-…-cp312-… in it is for Python 3.12, and so on. Or have it\n"
        "made for this one as well, on a machine with a network (docs/offline.md). What the tests and the slides\n"
        "need besides is there only where it was filled --with=test.",
    ),
    (
        r"Ignoring indexes|(NewConnection|ConnectTimeout|ReadTimeout|NameResolution|Proxy|SSL)Error",
        "pip cannot reach its package index: no network, a proxy, or an index that is switched off.",
        "check the connection (behind a proxy, set HTTPS_PROXY) and run the same command again; what came through is\n"
        "kept. Where there is no network at all, `make wheelhouse` on another machine fills a stick for this one.",
    ),
    (
        r"No matching distribution found|ResolutionImpossible",
        "a package has no build for this Python and machine.",
        "use a 64-bit Python 3.11 or 3.12; on a Mac with an Intel chip use environment.yml (conda) or Binder.",
    ),
]


def fail(what: str, todo: str) -> None:
    """Ends the program with what happened and what to do."""
    sys.exit(f"\n{what}\nWhat to do: {todo}")


def supported_minors() -> range:
    """The minor versions of Python 3 that pyproject.toml allows."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    oldest, beyond = re.search(r'requires-python = ">=3\.(\d+),<3\.(\d+)"', text).groups()
    return range(int(oldest), int(beyond))


def known_extras() -> list:
    """The names of the extras in pyproject.toml."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    table = re.search(r"(?ms)^\[project\.optional-dependencies\]$(.*?)(?=^\[|\Z)", text)
    return re.findall(r"(?m)^([\w-]+) = \[", table.group(1)) if table else []


def other_pythons() -> list:
    """Names of the supported Pythons on this machine that can make virtual environments, newest first."""
    names = [f"python3.{minor}" for minor in reversed(supported_minors())]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return [n for n in names if shutil.which(n) and not subprocess.call([n, "-c", "import ensurepip, venv"], **quiet)]


def check_python() -> None:
    """Stops with advice unless the running Python can make the environment."""
    minors = supported_minors()
    wanted = f"3.{minors[0]} to 3.{minors[-1]}"
    found = other_pythons()
    advice = f"PYTHON={found[0]} make lab   (without make: {found[0]} tools/course.py)" if found else ""
    here = platform.python_version()
    if sys.version_info[0] != 3 or sys.version_info[1] not in minors:
        age = "old" if sys.version_info[:2] < (3, minors[0]) else "new"
        fail(
            f"Python {here} is too {age} for this course, which needs Python {wanted}.",
            advice or f"install Python {wanted}, then: PYTHON=python3.{minors[len(minors) // 2]} make lab",
        )
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError as missing:
        fail(
            f"This Python ({sys.executable}, {here}) cannot make virtual environments: {missing}.",
            f"on Debian and Ubuntu: apt install python3.{sys.version_info[1]}-venv; elsewhere: a full Python {wanted}."
            + (f"\nOr use another one of this machine: {advice}" if advice else ""),
        )


def make_venv() -> None:
    """Makes `.venv`, or says why it cannot; keeps one that works, whoever made it."""
    if PYTHON.exists():
        version = subprocess.check_output([str(PYTHON), "-c", "import sys; print(*sys.version_info[:2])"]).decode()
        major, minor = map(int, version.split())
        if major != 3 or minor not in supported_minors():
            fail(f"{VENV} has Python {major}.{minor}, which does not fit.", "remove that folder, then run this again.")
        return
    check_python()
    print(f"Making {VENV} with Python {platform.python_version()} ...", flush=True)
    made = subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)])
    if made.returncode:
        shutil.rmtree(VENV, ignore_errors=True)
        fail(
            "The virtual environment could not be made (the reason stands above).",
            "fix that, or use another Python: PYTHON=python3.12 make lab",
        )


def rehearse(options: list, environment: dict):
    """What pip would install for PyTorch itself, described in its report; None if it found nothing."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.json")
        command = [str(PYTHON), "-m", "pip", "install", "--dry-run", "--no-deps", "--report", str(report)]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        if subprocess.call(command + options + ["-c", str(CONSTRAINTS), "torch"], env=environment, **quiet):
            return None
        return json.loads(report.read_text(encoding="utf-8"))["install"]


def pip_brings_cuda(environment: dict) -> bool:
    """Whether pip would install a PyTorch with CUDA; asks the index only if no folder that pip knows has a PyTorch."""
    found = rehearse(["--no-index"], environment)
    if found is None:
        print("Asking pip's index which build of PyTorch this machine would get ...", flush=True)
        pip = [str(PYTHON), "-m", "pip"]
        version = subprocess.check_output(pip + ["--version"], env=environment).decode().split()[1]
        is_old = tuple(map(int, re.findall(r"\d+", version)[:2])) < OLDEST_PIP
        update = pip + ["install", "--quiet", "--upgrade", "pip"] + FEW_RETRIES
        if is_old and subprocess.call(update, env=environment, stderr=subprocess.DEVNULL):
            return False  # the index cannot be reached: the install itself says so
        found = rehearse(FEW_RETRIES, environment)
    needs = [need for package in found or [] for need in package["metadata"].get("requires_dist", [])]
    return any(re.match(CUDA, need) for need in needs)


def ask_for_build() -> str:
    """The build that the person at the terminal wants; without one, CI goes on with pip's, and all others stop."""
    if os.environ.get("CI", "").lower() not in ("", "0", "false"):
        print("Installing PyTorch with CUDA, about 3 GB, since CI is set. TORCH=cpu takes the small build.", flush=True)
        return "cuda"
    if not (sys.stdin and sys.stdin.isatty() and sys.stdout.isatty()):
        fail("The install stopped before the download of PyTorch." + LARGE_BUILD, "run one of these two commands.")
    print(LARGE_BUILD)
    answer = ""
    try:
        while answer not in BUILDS:
            answer = input("Type cpu or cuda, then Enter (Ctrl+C stops): ").strip().lower()
    except (EOFError, KeyboardInterrupt):
        fail("Nothing was downloaded.", "run one of the two commands above.")
    return answer


def bring_small_build(environment: dict) -> None:
    """Installs PyTorch's CPU build with uv, which knows where PyTorch keeps it; pip brings the rest."""
    print("Installing PyTorch's CPU build with uv ...", flush=True)
    constraints = ["-c", str(CONSTRAINTS)]
    pip = [str(PYTHON), "-m", "pip", "install", "--quiet"]
    uv = [str(PYTHON), "-m", "uv", "pip", "install", "--python", str(PYTHON), "--torch-backend", "cpu", "--no-deps"]
    for command in (pip + constraints + ["uv"], uv + constraints + ["torch"]):
        if subprocess.call(command, env=environment):
            fail(
                "PyTorch's CPU build could not be installed (the reason stands above).",
                "check the connection and run the same command again; where only pip's own index can be reached,\n"
                "TORCH=cuda takes the large build from there.",
            )


def has_cuda() -> bool:
    """Whether the PyTorch in `.venv` is a build with CUDA."""
    files = VENV.glob("lib/python*/site-packages/torch-*.dist-info/METADATA")
    return any(re.search("(?m)^Requires-Dist: " + CUDA, file.read_text(encoding="utf-8")) for file in files)


def settle_build(environment: dict) -> None:
    """Before pip runs on Linux: if it would bring PyTorch with CUDA, says so, and installs the CPU build if wanted."""
    wanted = environment.get("TORCH", "")
    if platform.system() == "Linux" and not WHEELS.is_dir() and pip_brings_cuda(environment):
        if (wanted or ask_for_build()) == "cpu":
            bring_small_build(environment)


def check_build() -> None:
    """Stops if TORCH says something unknown, or what `.venv` contradicts."""
    wanted = os.environ.get("TORCH", "")
    if wanted not in ("",) + BUILDS:
        fail(f"TORCH={wanted}: PyTorch has no such build here.", "write TORCH=cpu or TORCH=cuda.")
    if wanted == "cpu" and has_cuda():
        fail(f"TORCH=cpu, but {VENV} holds PyTorch with CUDA.", "remove that folder, then run the same command again.")


def install(extras: list) -> None:
    """Installs the project with its extras through the constraints; what already fits (a CPU-only torch) is kept."""
    environment = dict(os.environ, PIP_USER="0", PIP_DISABLE_PIP_VERSION_CHECK="1")
    if subprocess.call([str(PYTHON), "-m", "pip", "--version"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL):
        subprocess.check_call([str(PYTHON), "-m", "ensurepip"])
    if PIP_LOG.exists():
        PIP_LOG.unlink()
    settle_build(environment)
    target = f"{ROOT}[{','.join(extras)}]"
    print("Installing what the course needs. The first time this takes a few minutes.", flush=True)
    pip = [str(PYTHON), "-m", "pip", "install", "--log", str(PIP_LOG)]
    if WHEELS.is_dir():
        pip += ["--no-index", "--find-links", str(WHEELS)]
    if subprocess.call(pip + ["-c", str(CONSTRAINTS), "-e", target], env=environment):
        log = PIP_LOG.read_text(encoding="utf-8", errors="replace")
        for pattern, what, todo in FAILURES:
            if re.search(pattern, log):
                fail(f"The install stopped: {what}", f"{todo}\nAll of pip's words are in {PIP_LOG}")
        fail("The install stopped (pip's reason stands above).", f"read {PIP_LOG}; then run the same command again.")
    PIP_LOG.unlink()
    subprocess.check_call([str(PYTHON), "-m", "ipykernel", "install", "--sys-prefix"], stdout=subprocess.DEVNULL)
    for source, place in SETTINGS.items():
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(str(source), str(place))


def fingerprint() -> str:
    """Changes when the environment has to be installed again; follows contents, not dates."""
    parts = [str(ROOT).encode()] + [path.read_bytes() for path in SOURCES]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def bring_up_to_date(extras: set) -> None:
    """Does nothing where `.venv` was made from the files as they are now and has these extras."""
    known, *has = STAMP.read_text(encoding="utf-8").split() if PYTHON.exists() and STAMP.exists() else [""]
    fresh = known == fingerprint()
    wanted = sorted(extras.union([LESSONS], has if fresh else []))
    if fresh and wanted == has:
        return
    make_venv()
    install(wanted)
    STAMP.write_text(" ".join([fingerprint()] + wanted), encoding="utf-8")


def activated() -> dict:
    """The environment variables that a command needs to run as if `.venv` were activated."""
    return dict(
        os.environ,
        VIRTUAL_ENV=str(VENV),
        PATH=str(BIN) + os.pathsep + os.environ.get("PATH", ""),
        JUPYTER_PREFER_ENV_PATH="1",  # else a `python3` kernel in the user's home could win over this one
    )


def run(arguments: list) -> int:
    """Runs the environment's Python in place of this program; on Windows, as a child whose exit code it returns."""
    if os.name != "nt":
        os.execve(str(PYTHON), [str(PYTHON)] + arguments, activated())
    try:
        return subprocess.call([str(PYTHON)] + arguments, env=activated())
    except KeyboardInterrupt:
        return 130


def main(arguments: list) -> int:
    """Brings `.venv` up to date, then runs its Python with `arguments`, if any."""
    extras = set()
    while arguments and arguments[0].startswith("--with="):
        extras.add(arguments.pop(0).split("=", 1)[1])
    for unknown in sorted(extras.difference(known_extras())):
        fail(f"--with={unknown}: the course has no such extra.", "write one of " + ", ".join(known_extras()))
    check_build()
    bring_up_to_date(extras)
    return run(arguments) if arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
