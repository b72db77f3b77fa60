"""A rehearsed learner's connection to a kernel: lost, made again, and nothing that was asked for is lost with it."""

import asyncio
import sys
from pathlib import Path

import pytest

pytest.importorskip("aiohttp", reason="a class is rehearsed with the extra 'class'")
sys.path.insert(0, str(Path(__file__).resolve().parent / "load"))

import json

import kernel as load
from aiohttp import ClientSession, WSMsgType, web
from aiohttp.test_utils import TestServer


class Far:
    """A kernel behind a WebSocket that breaks off ``breaks`` times, right after it was asked something.

    It lets a page in ``welcomes`` times, and then is gone. As a kernel that has just started may be, it is
    ``silent`` for the first requests: it replies, and nothing is heard of its status.
    """

    def __init__(self, breaks: int = 0, welcomes: int = 10, silent: int = 0) -> None:
        self.breaks, self.welcomes, self.silent, self.asked, self.sessions = breaks, welcomes, silent, [], []

    async def answer(self, request: web.Request) -> web.WebSocketResponse:
        if len(self.sessions) == self.welcomes:
            raise web.HTTPNotFound
        self.sessions.append(request.query["session_id"])
        socket = web.WebSocketResponse(protocols=[load.PROTOCOL])
        await socket.prepare(request)
        for waiting in self.asked:  # what was asked before is answered to whoever comes back
            await self.say(socket, waiting)
        async for message in socket:
            if message.type is WSMsgType.BINARY:
                self.asked.append(message.data)
                if self.breaks:
                    self.breaks -= 1
                    await socket.close(code=1011)
                    break
                await self.say(socket, self.asked[-1])
        return socket

    async def say(self, socket: web.WebSocketResponse, asked: bytes) -> None:
        await socket.send_bytes(answer_to(asked, "shell", "kernel_info_reply", {"status": "ok"}))
        if self.asked.index(asked) >= self.silent:
            await socket.send_bytes(answer_to(asked, "iopub", "status", {"execution_state": "idle"}))


def answer_to(data: bytes, channel: str, kind: str, content: dict) -> bytes:
    _, header, _, _ = load.unpacked(data)
    return load.packed(channel, [json.dumps(part).encode() for part in ({"msg_type": kind}, header, {}, content)])


async def ask(far: Far) -> list[str]:
    """Ask twice; why the connection had to be made again."""
    application, why = web.Application(), []
    application.router.add_get("/", far.answer)
    async with TestServer(application) as server, ClientSession() as http:
        connect = lambda session: http.ws_connect(server.make_url("/").with_query(session_id=session))  # noqa: E731
        kernel = load.Kernel(connect, why)
        try:
            async with asyncio.timeout(30):
                await kernel.ready()
                await kernel.ready()
        finally:
            await kernel.close()
    return why


def test_a_connection_that_holds_is_made_once():
    far = Far()
    assert asyncio.run(ask(far)) == []
    assert len(far.sessions) == 1


def test_a_lost_connection_is_made_again_for_the_same_session_and_the_answer_comes():
    far = Far(breaks=2)
    assert asyncio.run(ask(far)) == ["closed with code 1011"] * 2
    assert len(far.sessions) == 3 and len(set(far.sessions)) == 1


def test_a_kernel_that_cannot_be_reached_any_more_is_told(monkeypatch):
    monkeypatch.setattr(load, "ATTEMPTS", 1)
    with pytest.raises(load.KernelGone, match=r"there is no connection any more: .*404"):
        asyncio.run(ask(Far(breaks=1, welcomes=1)))


def test_a_new_kernel_is_asked_until_both_of_its_channels_are_heard():
    far = Far(silent=1)
    assert asyncio.run(ask(far)) == []
    assert len(far.asked) == 3
