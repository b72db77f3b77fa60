"""What one learner does in a lesson, from logging in to logging out, as a browser would do it."""

import asyncio
import os
import signal
import time
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import nbformat
from hub import Hub
from kernel import PROTOCOL, Kernel, KernelGone, Request
from processes import kernel_process
from yarl import URL

VIEW = "application/vnd.jupyter.widget-view+json"
FAULTS = ("kernel killed", "server restarted", "page reloaded")
DRAGGED = 10  # positions that the main slider of each explorer passes
STEP_SECONDS = 600  # no cell, strip or restart may take longer
PAUSE = "import time; time.sleep(5)\n"  # so that a cell still runs when something goes wrong, on a busy machine too
# what is answered to the first exercise of some lessons, by belief; None is the right answer;
# elsewhere the learner writes only a comment
ANSWERS: dict[str, dict[str | None, str]] = {
    "lr-at-epoch": {
        "off-by-one-epoch": "0.2 * 0.8**5",
        "additive-decay": "0.2 - 4 * 0.04",
        None: "0.2 * 0.8**4",
        "gamma-is-the-reduction": "0.2 * 0.2**4",
        "never-stepped": "0.2",
    },
    "best-gamma-alone": {"decay-always-converges": "0.6", None: "0.92"},
}


@dataclass
class Learner:
    """One learner: what is to be done, and what has happened. Times are seconds since the first click."""

    name: str
    lesson: str  # path in the learner's home
    faults: list[str]
    belief: str | None = None  # the misconception that the answer shows
    struck: list[str] = field(default_factory=list)
    began: float | None = None
    lab: float | None = None
    explorer: float | None = None
    finished: float | None = None
    failed: list[str] = field(default_factory=list)
    reconnected: list[str] = field(default_factory=list)  # why the connection to the kernel had to be made again
    peak_mb: float = 0.0
    cpu: dict[int, float] = field(default_factory=dict)  # process -> seconds

    @property
    def signature(self) -> str:
        """A comment that only this learner's notebook may hold."""
        return f"# the answer of {self.name}"

    @property
    def cpu_seconds(self) -> float:
        return sum(self.cpu.values())

    def now(self) -> float:
        return time.monotonic() - self.began


@dataclass
class Page:
    """JupyterLab in one browser: who, with which cookies, which notebook, on which kernel."""

    learner: Learner
    hub: Hub
    http: aiohttp.ClientSession
    notebook: nbformat.NotebookNode = None
    kernel: Kernel = None
    kernel_id: str = ""

    @property
    def user(self) -> str:
        return f"{self.hub.address}/user/{self.learner.name}/"


async def attend(learner: Learner, hub: Hub) -> None:
    """One whole lesson. Whatever goes wrong is noted in ``learner.failed``."""
    learner.began = time.monotonic()
    jar = aiohttp.CookieJar(unsafe=True)  # unsafe: it keeps cookies of 127.0.0.1
    limit = aiohttp.ClientTimeout(total=STEP_SECONDS)
    async with aiohttp.ClientSession(cookie_jar=jar, timeout=limit, raise_for_status=True) as http:
        page = Page(learner, hub, http)
        try:
            await log_in(page)
            learner.lab = learner.now()
            await open_lesson(page)
            await work_through(page)
            await save(page)
            learner.finished = learner.now()
            await page.kernel.close()
            await visit(page, f"{hub.address}/hub/logout")
        except Exception as error:  # the others go on; the table says who failed
            learner.failed.append(f"{type(error).__name__}: {error}")
        except asyncio.CancelledError as error:
            frames, here = traceback.extract_tb(error.__traceback__), os.path.dirname(__file__)
            steps = [frame.name for frame in frames if frame.filename.startswith(here)]
            learner.failed.append(f"stopped in {' > '.join(steps)}")
            raise
        finally:
            if page.kernel:
                await page.kernel.close()


async def log_in(page: Page) -> None:
    """The hub's login form; then the hub starts the learner's server, and JupyterLab's page is fetched from it."""
    form = f"{page.hub.address}/hub/login"
    await visit(page, form)
    given = {"username": page.learner.name, "password": page.hub.password, "_xsrf": xsrf(page, form)}
    await visit(page, form, given)  # leads on to the page that waits for the server
    await server_is(page, ready=True)
    await visit(page, f"{page.user}lab")


async def visit(page: Page, address: str, form: dict | None = None) -> None:
    """Go to a page, with a form or without; cookies come with it only when the browser says that it navigates."""
    headers = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": "same-origin"}
    async with page.http.request("POST" if form else "GET", address, data=form, headers=headers) as answer:
        await answer.read()


def xsrf(page: Page, address: str) -> str:
    """The token that the hub or the learner's server wants to see again; it comes as a cookie."""
    cookie = page.http.cookie_jar.filter_cookies(URL(address)).get("_xsrf")
    return cookie.value if cookie else ""


async def call(page: Page, method: str, address: str, content: Any = None) -> Any:
    """A request of JupyterLab's or of the hub's page; what it answers."""
    headers = {"X-XSRFToken": xsrf(page, address), "Sec-Fetch-Mode": "cors", "Sec-Fetch-Site": "same-origin"}
    async with page.http.request(method, address, json=content, headers=headers) as answer:
        return await answer.json(content_type=None) if answer.status != 204 else None


async def server_is(page: Page, ready: bool) -> None:
    """Until the hub says that the learner's server is ready, or has gone."""
    async with asyncio.timeout(STEP_SECONDS):
        while True:
            user = await call(page, "GET", f"{page.hub.address}/hub/api/users/{page.learner.name}")
            server = user["servers"].get("")
            if (server["ready"] if server else False) == ready and not (server and server["pending"]):
                return
            await asyncio.sleep(0.5)


async def open_lesson(page: Page) -> None:
    """The notebook through the contents API, its session (found or made), and a connection to the kernel."""
    path = page.learner.lesson
    stored = await call(page, "GET", f"{page.user}api/contents/{path}?type=notebook&content=1")
    page.notebook = nbformat.from_dict(stored["content"])
    wanted = {"path": path, "name": path, "type": "notebook", "kernel": {"name": "python3"}}
    session = await call(page, "POST", f"{page.user}api/sessions", wanted)
    page.kernel_id = session["kernel"]["id"]
    page.kernel = Kernel(lambda session: connect(page, session), page.learner.reconnected)
    await page.kernel.ready()


async def connect(page: Page, session: str) -> aiohttp.ClientWebSocketResponse:
    """The WebSocket to the page's kernel, as the hub's proxy passes it on."""
    channels = f"{page.user}api/kernels/{page.kernel_id}/channels"
    query = f"session_id={session}&_xsrf={xsrf(page, page.user)}"
    return await page.http.ws_connect(
        f"{channels}?{query}", protocols=[PROTOCOL], max_msg_size=0, origin=page.hub.address
    )


async def save(page: Page) -> None:
    content = {"type": "notebook", "format": "json", "content": page.notebook}
    await call(page, "PUT", f"{page.user}api/contents/{page.learner.lesson}", content)


async def work_through(page: Page) -> None:
    """Every code cell in turn: written into, run, dragged; and the faults where they are due."""
    cells = [cell for cell in page.notebook.cells if cell.cell_type == "code"]
    exercise = exercise_at(cells)
    faults = dict(enumerate(page.learner.faults, start=max(len(cells) // 2, exercise + 1)))
    for at in range(len(cells)):
        if at == exercise:
            write_answer(cells[at], page.learner)
            await save(page)
        if at in faults:
            await suffer(faults[at], page, cells[at].source)
            # the notebook may have been loaded again: what was saved counts
            cells = [cell for cell in page.notebook.cells if cell.cell_type == "code"]
            if page.learner.signature not in cells[exercise].source:
                raise AssertionError(f"the answer is lost: {faults[at]}")
            page.learner.struck.append(faults[at])
        if at in faults and faults[at] != "page reloaded":
            for before in cells[:at]:  # a new kernel knows nothing yet
                await run(page, before)
        await run(page, cells[at])
        if at == exercise:
            await save(page)  # what check said too, as autosave would: a reloaded page has lost it
        for explorer in explorers(page, cells[at]):
            if page.learner.explorer is None:
                page.learner.explorer = page.learner.now()
            await drag(page, explorer)


def question_in(source: str) -> str | None:
    """The exercise with a known answer that a cell asks, if it does."""
    return next((asked for asked in ANSWERS if f'check("{asked}", ...)' in source), None)


def exercise_at(cells: list) -> int:
    """The first exercise with a known answer; else the first cell that checks something, else the first."""
    known = [at for at, cell in enumerate(cells) if question_in(cell.source)]
    return next(iter(known or [at for at, cell in enumerate(cells) if "check(" in cell.source]), 0)


def write_answer(cell: nbformat.NotebookNode, learner: Learner) -> None:
    if asked := question_in(cell.source):
        cell.source = cell.source.replace(f'"{asked}", ...)', f'"{asked}", {ANSWERS[asked][learner.belief]})')
    cell.source += f"\n{learner.signature}"


async def run(page: Page, cell: nbformat.NotebookNode) -> None:
    """Run a cell and keep its outputs; an error that is not meant is a failure of the rehearsal."""
    async with asyncio.timeout(STEP_SECONDS):
        request = await page.kernel.execute(cell.source)
        reply, _ = await asyncio.gather(request.reply, request.idle)
    cell.outputs, cell.execution_count = request.outputs, reply["execution_count"]
    if reply["status"] != "ok" and "raises-exception" not in cell.metadata.get("tags", []):
        said = f"{reply.get('ename')}: {reply.get('evalue')}"
        page.learner.failed.append(f"{said} in a cell that begins {cell.source[:40]!r}")


def explorers(page: Page, cell: nbformat.NotebookNode) -> list[dict]:
    """The filmstrips that a cell shows: the state of each Film, which names its slider and controls."""
    views = [output["data"][VIEW]["model_id"] for output in cell.outputs if VIEW in output.get("data", {})]
    children = [child for view in views for child in page.kernel.models[view].get("children", [])]
    return [film for film in (model(page, child) for child in children) if "strip" in film]


def model(page: Page, reference: str) -> dict:
    return page.kernel.models[reference.removeprefix("IPY_MODEL_")]


async def drag(page: Page, film: dict) -> None:
    """The main slider from one end to the other, then each further control once, waiting for its new strip."""
    slider = film["slider"].removeprefix("IPY_MODEL_")
    positions = film["strip"]["values"]
    for at in range(0, len(positions), max(1, len(positions) // DRAGGED)):
        chosen = {"index": at} if "index" in page.kernel.models[slider] else {"value": positions[at]}
        await page.kernel.set(slider, **chosen)
    for place, reference in enumerate(film["controls"]):
        name, value = another_value(model(page, reference))
        await page.kernel.set(reference.removeprefix("IPY_MODEL_"), **{name: value})
        async with asyncio.timeout(STEP_SECONDS):
            while film["strip"]["controls"][place] != value:
                page.kernel.changed.clear()
                await page.kernel.changed.wait()


def another_value(control: dict) -> tuple[str, Any]:
    """A value that a control does not show now: a checkbox, a selection or a slider."""
    if "index" in control:
        return "index", (control["index"] + 1) % len(control["_options_labels"])
    if isinstance(control["value"], bool):
        return "value", not control["value"]
    return "value", control["max"] if control["value"] != control["max"] else control["min"]


async def suffer(fault: str, page: Page, source: str) -> None:
    """Something goes wrong while a cell runs; the learner does what a learner does then."""
    running = await page.kernel.execute(PAUSE + source)
    async with asyncio.timeout(STEP_SECONDS):
        await running.begun.wait()
        await HAPPENS[fault](page, running)


async def kernel_killed(page: Page, _running: Request) -> None:
    os.kill(kernel_process(page.hub.mark, page.kernel_id), signal.SIGKILL)
    await page.kernel.restarted.wait()  # JupyterLab says so; the server starts another
    page.kernel.restarted.clear()
    await page.kernel.ready()


async def server_restarted(page: Page, _running: Request) -> None:
    address = f"{page.hub.address}/hub/api/users/{page.learner.name}/server"
    await visit(page, f"{page.hub.address}/hub/home")
    await call(page, "DELETE", address)
    await server_is(page, ready=False)
    await page.kernel.close()
    await call(page, "POST", address, {})
    await server_is(page, ready=True)
    await visit(page, f"{page.user}lab")
    await open_lesson(page)


async def page_reloaded(page: Page, running: Request) -> None:
    await page.kernel.close()
    before = page.kernel_id
    await open_lesson(page)  # the kernel answers when it has finished the cell
    if page.kernel_id != before:
        raise AssertionError("the session was not found again")
    if not isinstance(running.reply.exception(), KernelGone):
        raise AssertionError("the cell had ended before the page was reloaded")
    await page.kernel.load_models()
    if not any("strip" in state for state in page.kernel.models.values()):
        raise AssertionError("no explorer came back with the page")


HAPPENS: dict[str, Callable[[Page, Request], Awaitable[None]]] = {
    "kernel killed": kernel_killed,
    "server restarted": server_restarted,
    "page reloaded": page_reloaded,
}
