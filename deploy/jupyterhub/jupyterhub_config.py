"""JupyterHub on one server. start.py prepares what this names, and says in the environment where that is."""

import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import accounts  # noqa: E402
import learners  # noqa: E402

FOLDER = Path(os.environ["HUB_FOLDER"])
PORT = int(os.environ["HUB_PORT"])
IDLE = int(os.environ["HUB_IDLE"])
HOMES, LIST = FOLDER / "homes", FOLDER / "learners.txt"
HAS_ACCOUNTS = os.environ["HUB_ACCOUNTS"] == "yes"

c = get_config()  # noqa: F821 - JupyterHub gives it

# The front: a proxy that learners reach, and a hub that only this machine reaches.
c.JupyterHub.bind_url = f"{'https' if os.environ['HUB_KEY'] else 'http'}://{os.environ['HUB_IP']}:{PORT}"
c.JupyterHub.ssl_key, c.JupyterHub.ssl_cert = os.environ["HUB_KEY"], os.environ["HUB_CERTIFICATE"]
c.JupyterHub.hub_bind_url = f"http://127.0.0.1:{PORT + 1}"
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{PORT + 2}"
c.ConfigurableHTTPProxy.command = [os.environ["HUB_PROXY"]]
c.ConfigurableHTTPProxy.log_level = "warn"
c.ConfigurableHTTPProxy.pid_file = str(FOLDER / "proxy.pid")
c.JupyterHub.cookie_secret_file = str(FOLDER / "cookie_secret")
c.JupyterHub.db_url = f"sqlite:///{FOLDER}/hub.sqlite"

# Who is let in.
c.JupyterHub.authenticator_class = accounts.NameList
c.NameList.path = str(LIST)
c.NameList.allow_all = True  # all that are on the list
c.NameList.admin_users = {"instructor"}

# Each learner's server.
c.Spawner.cmd = [sys.executable, str(HERE / "server.py")]
c.Spawner.default_url = "/lab/tree/see-gradients/00_start_here.ipynb"
c.Spawner.args = [
    "--KernelManager.transport=ipc",  # sockets in the learner's home: no port that two may take, or others listen to
    f"--MappingKernelManager.cull_idle_timeout={IDLE}",
    "--ServerApp.terminals_enabled=False",
    "--LanguageServerManager.autodetect=False",
    "--LabApp.extension_manager=readonly",
    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    "--LabApp.news_url=",
    "--log-level=WARN",
]
c.Spawner.mem_limit = os.environ["HUB_MEMORY"]
c.Spawner.start_timeout = c.Spawner.http_timeout = 300  # thirty at once on two cores
c.Spawner.environment = {
    "COURSE": str(FOLDER / "course"),
    "COURSE_UTILS_BOARD": str(FOLDER / "board"),
    "COURSE_UTILS_PSEUDONYM": lambda spawner: learners.read(LIST)[spawner.user.name].pseudonym,
    "JUPYTER_PREFER_ENV_PATH": "1",
    "OMP_NUM_THREADS": os.environ["HUB_THREADS"],
    "TASK_LIMIT": os.environ["HUB_TASKS"] if HAS_ACCOUNTS else "",  # the system counts tasks by account
}
if HAS_ACCOUNTS:
    c.JupyterHub.spawner_class = "localprocess"
    c.Spawner.pre_spawn_hook = lambda spawner: accounts.prepare(spawner.user.name, HOMES)
else:
    c.JupyterHub.spawner_class = "simple"
    c.Spawner.args += ["--allow-root"]
    c.SimpleLocalProcessSpawner.home_dir_template = str(HOMES / "{username}")

# Servers that nobody uses are stopped; notebooks are on the disk, and the next login starts the server again.
c.JupyterHub.load_roles = [
    {
        "name": "idle-culler",
        "services": ["idle-culler"],
        "scopes": ["list:users", "read:users:activity", "read:servers", "delete:servers"],
    }
]
c.JupyterHub.services = [
    {
        "name": "idle-culler",
        "command": [sys.executable, "-m", "jupyterhub_idle_culler", f"--timeout={IDLE}"],
    }
]
