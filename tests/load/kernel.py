"""One page's connection to a kernel: requests, and the widgets' models as JupyterLab keeps them."""

import asyncio
import contextlib
import itertools
import json
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import aiohttp
import nbformat

PROTOCOL = "v1.kernel.websocket.jupyter.org"
OUTPUTS = {"stream", "display_data", "execute_result", "error"}
ATTEMPTS = 7  # to connect again, as many as JupyterLab makes


class KernelGone(Exception):
    """The kernel was restarted, or the page closed, before the answer came; or it cannot be reached any more."""


@dataclass
class Request:
    """One message to the kernel, and what has come back so far."""

    begun: asyncio.Event = field(default_factory=asyncio.Event)
    reply: asyncio.Future = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    idle: asyncio.Future = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    outputs: list = field(default_factory=list)


class Kernel:
    """A kernel behind a WebSocket. ``models``: id -> state of every widget, as the kernel last told it.

    ``connect`` opens the WebSocket for a session. When the connection is lost it is called again, for the same
    session, so that the server hands over what the kernel has said in between; ``reconnected`` is told why.
    """

    def __init__(
        self, connect: Callable[[str], Awaitable[aiohttp.ClientWebSocketResponse]], reconnected: list[str]
    ) -> None:
        self.models: dict[str, dict] = {}
        self.restarted = asyncio.Event()
        self.changed = asyncio.Event()  # set whenever a model has changed
        self._connect, self._reconnected = connect, reconnected
        self._session, self._requests = uuid.uuid4().hex, {}
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._open = asyncio.Event()  # set while there is a connection, and when there will be none any more
        self._reader = asyncio.create_task(self._stay_connected())

    async def close(self) -> None:
        """Leave, as a page does that is closed: what has not been answered never will be."""
        self._reader.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._reader
        if self._socket:
            await self._socket.close()
        self._fail("the page was closed")

    async def send(self, kind: str, content: dict, metadata: dict | None = None) -> Request:
        """Send a message on the shell channel; the Request that it returns fills as answers come."""
        header = {"msg_id": uuid.uuid4().hex, "msg_type": kind, "session": self._session, "version": "5.4"}
        header |= {"username": "", "date": datetime.now(UTC).isoformat()}
        request = self._requests[header["msg_id"]] = Request()
        parts = [json.dumps(part).encode() for part in (header, {}, metadata or {}, content)]
        await self._post(packed("shell", parts))
        return request

    async def _post(self, data: bytes) -> None:
        """Now, or as soon as there is a connection again."""
        while True:
            await self._open.wait()
            if self._reader.done():
                raise KernelGone("there is no connection any more")
            with contextlib.suppress(aiohttp.ClientConnectionResetError):  # lost, and not yet noticed
                return await self._socket.send_bytes(data)
            await asyncio.sleep(0.1)

    async def execute(self, source: str) -> Request:
        content = {"code": source, "silent": False, "store_history": True, "allow_stdin": False, "stop_on_error": True}
        return await self.send("execute_request", content)

    async def ready(self) -> None:
        """Until everything sent before has been worked off, and both channels of the kernel are heard.

        Of a kernel that has just started a reply can arrive while its status is not heard yet, and is lost:
        whoever waits for it waits for ever. jupyter_server asks again until it hears both, unless the kernel
        that died was busy.
        """
        request = await self.send("kernel_info_request", {})
        await request.reply
        while not (await asyncio.wait([request.idle], timeout=1))[0]:
            request = await self.send("kernel_info_request", {})
        await request.idle

    async def set(self, model: str, **state: Any) -> None:
        """Change a widget as its view does, and wait, as the widget manager does, until the kernel is idle again."""
        self.models[model] |= state
        data = {"method": "update", "state": state, "buffer_paths": []}
        await (await self.send("comm_msg", {"comm_id": model, "data": data})).idle

    async def load_models(self) -> None:
        """Ask for the state of all widgets, as a page does that was opened on a running kernel."""
        comm = uuid.uuid4().hex
        opening = {"comm_id": comm, "target_name": "jupyter.widget.control", "data": {}}
        await (await self.send("comm_open", opening, {"version": "1.0.0"})).idle
        await (await self.send("comm_msg", {"comm_id": comm, "data": {"method": "request_states"}})).idle

    async def _stay_connected(self) -> None:
        """Read, and whenever the connection is lost open it again, waiting longer each time, as JupyterLab does."""
        attempt, why = 0, ""
        while attempt <= ATTEMPTS:
            await asyncio.sleep(2**attempt - 1)
            try:
                self._socket = await self._connect(self._session)
            except (aiohttp.ClientError, TimeoutError) as error:
                why, attempt = f"{type(error).__name__}: {error}", attempt + 1
                continue
            if why:
                self._reconnected.append(why)
            self._open.set()
            restarted = await self._read()
            why, attempt = ("", 0) if restarted else (f"closed with code {self._socket.close_code}", 1)
        self._open.set()  # nobody need wait any longer
        self._fail(f"there is no connection any more: {why}")

    async def _read(self) -> bool:
        """Until the connection is lost, or must be made anew: the kernel was restarted, perhaps on other ports."""
        async for message in self._socket:
            if message.type is aiohttp.WSMsgType.BINARY:
                self._take(*unpacked(message.data))
            if not self._open.is_set():
                await self._socket.close()
                return True
        self._open.clear()
        return False

    def _take(self, channel: str, header: dict, parent: dict, content: dict) -> None:
        kind, request = header["msg_type"], self._requests.get(parent.get("msg_id"))
        if kind == "status" and content["execution_state"] in ("restarting", "autorestarting"):
            self.models.clear()
            self._open.clear()  # the server knows the new kernel's ports on a new connection only
            self.restarted.set()
            self._fail("the kernel died")
        elif channel == "iopub" and kind.startswith("comm_"):
            self._take_model(kind, content)
        if request is None:
            return
        if channel == "shell" and not request.reply.done():
            request.reply.set_result(content)
        elif kind == "status" and content["execution_state"] == "busy":
            request.begun.set()
        elif kind == "status" and content["execution_state"] == "idle" and not request.idle.done():
            request.idle.set_result(None)
        elif kind in OUTPUTS:
            message = {"header": header, "parent_header": parent, "content": content, "metadata": {}}
            request.outputs.append(nbformat.v4.output_from_msg(message))

    def _take_model(self, kind: str, content: dict) -> None:
        data = content.get("data", {})
        if kind == "comm_open":
            self.models[content["comm_id"]] = dict(data.get("state", {}))
        elif kind == "comm_close":
            self.models.pop(content["comm_id"], None)
        elif data.get("method") == "update" and content["comm_id"] in self.models:
            self.models[content["comm_id"]] |= data["state"]
        elif data.get("method") == "update_states":
            self.models |= {name: dict(full["state"]) for name, full in data["states"].items()}
        self.changed.set()

    def _fail(self, why: str) -> None:
        for request in self._requests.values():
            for future in (request.reply, request.idle):
                if not future.done():
                    future.set_exception(KernelGone(why))
                    future.exception()  # seen: nobody need be waiting for it
        self._requests.clear()


def packed(channel: str, parts: list[bytes]) -> bytes:
    """A message in Jupyter's WebSocket protocol: a count, offsets of 8 bytes each, then the parts in a row."""
    pieces = [channel.encode(), *parts]
    offsets = [8 * (len(pieces) + 2)]
    for piece in pieces:
        offsets.append(offsets[-1] + len(piece))
    return b"".join([number.to_bytes(8, "little") for number in (len(offsets), *offsets)] + pieces)


def unpacked(data: bytes) -> tuple[str, dict, dict, dict]:
    """Channel, header, parent header and content; the pictures in the buffers are not looked at."""
    count = int.from_bytes(data[:8], "little")
    offsets = [int.from_bytes(data[8 * at : 8 * at + 8], "little") for at in range(1, count + 1)]
    pieces = [data[begin:end] for begin, end in itertools.pairwise(offsets)]
    return pieces[0].decode(), *(json.loads(pieces[at]) for at in (1, 2, 4))
