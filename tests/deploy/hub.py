"""The course's real hub on loopback, and visitors who use it as a browser does; for tests and the benchmark."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path

import psutil
import requests
import websocket
from nbformat import NotebookNode, from_dict
from nbformat.v4 import output_from_msg

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy/jupyterhub"
OUTPUTS = ("stream", "display_data", "execute_result", "error")
XSRF = re.compile(r'name="_xsrf" value="([^"]+)"')
# A folder laid over another: what is written goes aside, and its mode is that of the upper one.
OVERLAY = """
lay_over() {
    aside=$1; folder=$2; mode=$3
    mkdir -p "$aside/upper" "$aside/work" && chmod "$mode" "$aside/upper"
    mount -t overlay overlay -o "lowerdir=$folder,upperdir=$aside/upper,workdir=$aside/work" "$folder"
}
"""


def free_ports() -> int:
    """The first of three ports in a row that nobody listens on, below those of outgoing connections."""
    taken = {connection.laddr.port for connection in psutil.net_connections("tcp") if connection.laddr}
    return next(port for port in range(20000 + os.getpid() % 10000, 32000) if not taken & {port, port + 1, port + 2})


def closed_folders() -> list[Path]:
    """Folders that accounts would have to enter to use this Python and this course, and cannot."""
    needed = [Path(sys.executable).resolve(), Path(sys.prefix), ROOT]
    ancestors = {folder for path in needed for folder in path.parents}
    return sorted(folder for folder in ancestors if not folder.stat().st_mode & 0o001)


def privately(aside: Path) -> list[str]:
    """What to put before a command, so that accounts made by it vanish with it and can use this very Python.

    It gets a view of the file system of its own, with an /etc whose changes go to the folder `aside`.
    """
    lines = [f"lay_over {aside}/etc /etc 755"]
    lines += [f"lay_over {aside}/{number} {folder} 711" for number, folder in enumerate(closed_folders())]
    return ["unshare", "--mount", "sh", "-ec", OVERLAY + "\n".join(lines) + '\nexec "$@"', "sh"]


@cache
def why_no_accounts() -> str:
    """Why system accounts cannot be made and forgotten here; "" where they can."""
    if os.geteuid() != 0:
        return "accounts are made by root"
    for program in ("unshare", "useradd", "runuser"):
        if not shutil.which(program):
            return f"{program} is missing"
    with tempfile.TemporaryDirectory() as aside:
        tried = subprocess.run([*privately(Path(aside)), "true"], capture_output=True, text=True, encoding="utf-8")
    return tried.stderr.strip()


def why_no_hub() -> str:
    """What is missing for the hub; "" where nothing is."""
    if sys.platform != "linux":
        return "the hub needs Linux"
    import start  # it needs the extra `hub`

    return start.lacking()


class Hub:
    """The hub of deploy/jupyterhub in a temporary folder; use as a context manager.

    Args:
        names: the learners.
        course: the folder with the lessons.
        options: further options of start.py.
        accounts: real system accounts, which nobody outside sees (default: where that is possible).
    """

    def __init__(self, names: list[str], *, course: Path, options: Sequence[str] = (), accounts: bool | None = None):
        self.names, self.course, self.options = names, course, options
        self.has_accounts = not why_no_accounts() if accounts is None else accounts

    def __enter__(self) -> Hub:
        self.outer = Path(tempfile.mkdtemp(prefix="hub-"))
        self.outer.chmod(0o711)
        self.folder = self.outer / "hub"
        self.port = free_ports()
        self.url = f"http://127.0.0.1:{self.port}"
        (self.outer / "names").write_text("\n".join(self.names), encoding="utf-8")
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def start(self) -> None:
        """Starts the hub, for the first time or again, and waits until it answers."""
        command = [
            *(privately(self.outer) if self.has_accounts else []),
            sys.executable, str(DEPLOY / "start.py"), f"--folder={self.folder}", f"--names={self.outer / 'names'}",
            f"--course={self.course}", f"--port={self.port}", *self.options,
            *([] if self.has_accounts else ["--without-accounts"]),
        ]  # fmt: skip
        with self.log.open("a", encoding="utf-8") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, cwd=ROOT)
        wait_until(
            self._answers, seconds=120, what=lambda: f"the hub does not answer:\n{self.log.read_text(encoding='utf-8')}"
        )

    def _answers(self) -> bool:
        if self.process.poll() is not None:
            raise RuntimeError(f"the hub stopped:\n{self.log.read_text(encoding='utf-8')}")
        try:
            return requests.get(f"{self.url}/hub/login", timeout=5).ok
        except requests.ConnectionError:
            return False

    @property
    def log(self) -> Path:
        return self.outer / "log"

    def __exit__(self, *_: object) -> None:
        for process in self.processes():
            process.kill()
        self.process.wait()
        for link in self.folder.glob("homes/*/.jupyter-runtime"):
            shutil.rmtree(link.resolve(), ignore_errors=True)
        shutil.rmtree(self.outer)

    def kill(self) -> None:
        """Ends the hub itself at once; its proxy and the servers run on."""
        self.process.kill()
        self.process.wait()

    def processes(self, name: str = "") -> list[psutil.Process]:
        """Everything that the hub has started and that still runs; or what runs for one learner."""
        if name:
            home = str(self.home(name))
            return [process for process in psutil.process_iter() if environment(process).get("HOME") == home]
        marks = (str(self.outer), f"http://127.0.0.1:{self.port + 1}/")
        return [
            process
            for process in psutil.process_iter()
            if any(mark in value for value in environment(process).values() for mark in marks)
        ]

    def home(self, name: str) -> Path:
        return self.folder / "homes" / name

    def visitor(self, name: str) -> Visitor:
        """Somebody with a browser who knows the learner's password."""
        lines = (line.split() for line in (self.folder / "learners.txt").read_text(encoding="utf-8").splitlines())
        return Visitor(self.url, name, {each: password for each, password, _ in lines}[name])


def environment(process: psutil.Process) -> dict[str, str]:
    """A process's environment variables; none where it is gone meanwhile, or not ours to look at."""
    try:
        return process.environ()
    except psutil.Error:
        return {}


def wait_until(happens: Callable[[], object], *, seconds: float, what: Callable[[], str], pause: float = 0.2) -> None:
    """Waits for something to happen.

    Raises:
        TimeoutError: it did not within `seconds`; with the words of `what`.
    """
    deadline = time.monotonic() + seconds
    while not happens():
        if time.monotonic() > deadline:
            raise TimeoutError(what())
        time.sleep(pause)


class Visitor:
    """A learner's browser: cookies, the login form, and what pages send with their requests."""

    def __init__(self, url: str, name: str, password: str):
        self.url, self.name, self.password = url, name, password
        self.session = requests.Session()
        self.session.headers["Connection"] = "close"  # the proxy closes idle ones, perhaps when a request is on its way

    def log_in(self) -> requests.Response:
        """Fills in the login form; the answer's `url` says where that led."""
        form = self.session.get(f"{self.url}/hub/login").text
        fields = {"_xsrf": XSRF.search(form)[1], "username": self.name, "password": self.password}
        return self.session.post(f"{self.url}/hub/login?next=%2Fhub%2Fhome", data=fields)

    def start_server(self, *, seconds: float = 300) -> None:
        """Starts the learner's server and waits for its page.

        Raises:
            TimeoutError: the server did not come up in time.
        """
        self.session.get(f"{self.url}/hub/spawn/{self.name}").raise_for_status()
        pending, mine = f"{self.url}/hub/spawn-pending/{self.name}", f"{self.url}/user/{self.name}/"

        def is_up() -> bool:
            answer = self.session.get(pending)
            if answer.status_code == 500:
                raise RuntimeError(f"{self.name}'s server failed: {answer.text[-2000:]}")
            return answer.url.startswith(mine)

        wait_until(is_up, seconds=seconds, what=lambda: f"{self.name}'s server does not start", pause=0.5)

    def page(self, *, of: str = "") -> requests.Response:
        """JupyterLab's page, the own one or the one `of` another."""
        return self.session.get(f"{self.url}/user/{of or self.name}/lab")

    def api(self, method: str, path: str, *, of: str = "", xsrf: bool = True, **arguments: object) -> requests.Response:
        """A request to the learner's own server, or to the server `of` another."""
        owner = of or self.name
        headers = (self._xsrf(f"/user/{owner}/") or self._xsrf(f"/user/{self.name}/")) if xsrf else {}
        return self.session.request(method, f"{self.url}/user/{owner}/api/{path}", headers=headers, **arguments)

    def _xsrf(self, path: str) -> dict[str, str]:
        tokens = [cookie.value for cookie in self.session.cookies if cookie.name == "_xsrf" and cookie.path == path]
        return {"X-XSRFToken": tokens[0], "Referer": f"{self.url}{path}"} if tokens else {}

    def open(self, notebook: str) -> Kernel:
        """Starts a kernel for a notebook of the learner's own copy, as JupyterLab does when it opens one."""
        wanted = {"path": notebook, "name": "", "type": "notebook", "kernel": {"name": "python3"}}
        answer = self.api("POST", "sessions", json=wanted)
        answer.raise_for_status()
        return Kernel(self, answer.json()["kernel"]["id"])

    def read(self, notebook: str) -> NotebookNode:
        """A notebook of the learner's own copy, through the server."""
        answer = self.api("GET", f"contents/{notebook}")
        answer.raise_for_status()
        return from_dict(answer.json()["content"])

    def save(self, notebook: str, content: NotebookNode) -> None:
        """Saves a notebook to the learner's own copy, through the server."""
        self.api("PUT", f"contents/{notebook}", json={"type": "notebook", "content": content}).raise_for_status()


class Kernel:
    """A kernel on a learner's server, spoken to over the page's websocket."""

    def __init__(self, visitor: Visitor, identity: str, *, seconds: float = 600):
        self.id, self.session = identity, uuid.uuid4().hex
        address = f"{visitor.url.replace('http', 'ws', 1)}/user/{visitor.name}/api/kernels/{identity}/channels"
        request = requests.Request("GET", f"{visitor.url}/user/{visitor.name}/")
        self.socket = websocket.create_connection(
            f"{address}?session_id={self.session}", timeout=seconds, origin=visitor.url,
            cookie=visitor.session.prepare_request(request).headers["Cookie"],
        )  # fmt: skip

    def run(self, source: str) -> list[NotebookNode]:
        """The outputs of a cell, as a notebook stores them."""
        number = self.send(source)
        return [from_dict(output_from_msg(answer)) for answer in self._answers(number)]

    def send(self, source: str) -> str:
        """Has a cell run, and does not wait for it; returns the message's number."""
        number = uuid.uuid4().hex
        header = {"msg_id": number, "msg_type": "execute_request", "session": self.session}
        header |= {"username": "", "version": "5.3"}
        content = {"code": source, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": False}
        message = {"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell"}
        self.socket.send(json.dumps(message))
        return number

    def _answers(self, number: str) -> Iterator[dict]:
        """What the cell puts out, until its kernel has replied and is idle."""
        left = {"execute_reply", "idle"}
        while left:
            answer = json.loads(self.socket.recv())
            kind = answer["header"]["msg_type"]
            if answer["parent_header"].get("msg_id") != number:
                continue
            if kind in OUTPUTS:
                yield answer
            left -= {kind, answer["content"].get("execution_state")}

    def close(self) -> None:
        self.socket.close()
