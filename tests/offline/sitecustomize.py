"""Imported by Python when it starts: sockets reach this machine only, so a lesson that downloads fails."""

import socket
import sys

# jsonschema would compile grammars for addresses in other alphabets, a second of processor time in every server and
# command that a test starts (nbformat: 1.3 s to import with them, 0.2 s without); no notebook here has such an address
sys.modules["rfc3987_syntax"] = None

_connect, _connect_ex, _lookup = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo
HERE = {"localhost", "::1", "", None}


def _local(host: object) -> bool:
    return host in HERE or (isinstance(host, str) and host.startswith("127."))


def _check(host: object) -> None:
    if not _local(host):
        raise OSError(f"the network is off in this test: {host}")


def connect(self: socket.socket, address: object) -> None:
    if self.family in (socket.AF_INET, socket.AF_INET6):
        _check(address[0])
    return _connect(self, address)


def connect_ex(self: socket.socket, address: object) -> int:
    if self.family in (socket.AF_INET, socket.AF_INET6):
        _check(address[0])
    return _connect_ex(self, address)


def getaddrinfo(host: object, *args: object, **kwargs: object) -> list:
    _check(host.decode() if isinstance(host, bytes) else host)
    return _lookup(host, *args, **kwargs)


socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo = connect, connect_ex, getaddrinfo
