"""A folder of static files, shown on this machine alone."""

import functools
import gzip
import sys
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from lrlearn.commands import CommandError

COMPRESSED = {".html", ".css", ".js", ".mjs", ".json", ".wasm", ".svg", ".txt"}  # what shrinks on its way


class Handler(SimpleHTTPRequestHandler):
    """Files with the types that browsers ask for, and compressed, as hosts of static files send them."""

    protocol_version = "HTTP/1.1"
    extensions_map = SimpleHTTPRequestHandler.extensions_map | {
        ".js": "text/javascript",
        ".mjs": "text/javascript",
        ".wasm": "application/wasm",
        ".webp": "image/webp",
        ".strip": "application/octet-stream",
    }

    def send_head(self) -> Any:
        """The answer's head; what follows it is what is returned."""
        path = Path(self.translate_path(self.path))
        taken = "gzip" in self.headers.get("Accept-Encoding", "")
        if path.is_dir() or path.suffix not in COMPRESSED or not taken or "If-Modified-Since" in self.headers:
            return super().send_head()
        try:
            told = path.stat()
            data = compressed(path, told.st_mtime_ns)
        except OSError:
            self.send_error(HTTPStatus.NOT_FOUND)
            return None
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", self.guess_type(path.name))
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Last-Modified", self.date_time_string(int(told.st_mtime)))
        self.end_headers()
        self.wfile.write(data if self.command == "GET" else b"")
        return None

    def end_headers(self) -> None:
        """A head with how long a browser may keep the file."""
        self.send_header("Cache-Control", "max-age=600")
        super().end_headers()

    def log_message(self, *_: Any) -> None:
        """Nothing: whoever looks at the site does not read a log."""


class Server(ThreadingHTTPServer):
    """One that does not complain of a browser that has left."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Tell what went wrong, unless whoever asked has gone."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


@functools.cache
def compressed(path: Path, _changed: int) -> bytes:
    """What a file holds, in gzip's format."""
    return gzip.compress(path.read_bytes(), mtime=0)


def server(folder: Path, port: int) -> ThreadingHTTPServer:
    """A server of that folder on this machine's loopback address; port 0: one that is free.

    Raises:
        CommandError: there is no such folder, or the port cannot be had.
    """
    if not folder.is_dir():
        raise CommandError(f"{folder} is no folder")
    try:
        return Server(("127.0.0.1", port), functools.partial(Handler, directory=str(folder)))
    except (OSError, OverflowError) as error:
        raise CommandError(f"port {port} cannot be had ({error}): name another after --serve") from error


def show(folder: Path, port: int) -> None:
    """Serve the folder until somebody stops it with Ctrl+C."""
    with server(folder, port) as made:
        print(f"http://127.0.0.1:{made.server_address[1]}/  (Ctrl+C stops it)", flush=True)
        made.serve_forever()
