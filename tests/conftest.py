import os
import shutil
import signal
from pathlib import Path

import once
import pytest
from hypothesis import HealthCheck, settings

collect_ignore = [
    "benchmarks",
    "film_a_drag.py",
    "load",
    "offline",
    "refresh_lessons.py",
    "rehearse_binder.py",
]  # scripts that are run by hand

# the same examples on every machine; no time limits: what a shared machine can do in a second is not what is tested
settings.register_profile(
    "lrlearn", derandomize=True, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("lrlearn")

# Lessons are tested with the network off: a kernel inherits the environment, and Python imports sitecustomize
# from its path when it starts
OFFLINE = Path(__file__).resolve().parent / "offline"
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(OFFLINE), os.environ.get("PYTHONPATH")]))


def pytest_configure(config):
    # a shell that starts the suite in the background ignores Ctrl+C, and whatever the tests start would do the same
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    config.pluginmanager.register(once.Once(), "once")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    from sharing import Sharing  # here: it needs xdist, and a single test does not

    return Sharing(config, log)


@pytest.fixture(scope="session")
def runs(pytestconfig):
    """The lessons that have been run in this session, for nbval to compare without running them again."""
    return pytestconfig.pluginmanager.get_plugin("once").runs


@pytest.fixture(scope="session")
def lab_log(tmp_path_factory):
    """What the server of `lab_server` and its kernels have to say."""
    return tmp_path_factory.mktemp("log") / "jupyter.log"


@pytest.fixture(scope="session")
def lab_server(lab_folder, lab_log):
    """One JupyterLab on that copy, for all tests of lessons and explorers."""
    import lab

    with lab.server(lab_folder, lab_log) as address:
        yield address


@pytest.fixture(scope="session")
def lab_folder(tmp_path_factory):
    """A copy of the lessons. The browser's tests save them there as they were run, and the export starts from that."""
    folder = tmp_path_factory.mktemp("lab")
    lessons = Path(__file__).resolve().parent.parent / "lessons"
    shutil.copytree(lessons, folder / "lessons", ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    return folder


@pytest.fixture(scope="module")  # while Playwright runs, its thread has an event loop: other tests must find none
def browser():
    """Chromium, or a visible skip; where everything must be tested (CI is set), an error."""
    import lab  # here: most tests need no Playwright

    if not lab.chromium():
        if os.environ.get("CI"):
            raise RuntimeError("no Chromium found: install one (on Debian: apt-get install chromium)")
        pytest.skip("no Chromium found: nothing is tested in a browser")
    with lab.browser() as browser:
        yield browser
