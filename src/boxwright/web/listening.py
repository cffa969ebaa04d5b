"""The address of a server: its socket, and the names that lead to it."""

from __future__ import annotations

import errno
import ipaddress
import socket
from contextlib import suppress

from boxwright.errors import SystemFaultError

LOOPBACK = "127.0.0.1"


def bound(host: str, port: int, *, or_free: bool = False) -> socket.socket:
    """A socket that listens at an address.

    Args:
        host: a name or an address of this computer.
        port: 0 takes one that is free.
        or_free: take one that is free if this one is in use.

    Raises:
        SystemFaultError: BW905 the address cannot be used.
    """
    try:
        return _bound(host, port)
    except OSError as error:
        if or_free and error.errno in (errno.EADDRINUSE, errno.EACCES):
            return bound(host, 0)
        place, reason = f"{host}, port {port}", error.strerror or str(error)
        raise SystemFaultError("BW905", f"cannot listen at {place}: {reason}.") from error


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sends at once what a response consists of only on sockets that name TCP
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if hasattr(socket, "SO_EXCLUSIVEADDRUSE"):  # Windows lets two programs have one port
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
        sock.listen()
    except BaseException:
        sock.close()
        raise
    return sock


def names_of(host: str) -> frozenset[str]:
    """The names, without a port, of a server that listens at `host`: those of loopback, and the
    address itself. If that is all addresses of this computer, its own names, but not any name that
    leads here."""
    return frozenset({"localhost", LOOPBACK, "[::1]", *map(_in_address, _own_names(host))})


def address(host: str, port: int) -> str:
    """The address of a server that listens at `host`."""
    return f"http://{_in_address(_own_names(host)[0])}:{port}"


def _own_names(host: str) -> list[str]:
    """The names to use for an address to listen at, the best one first."""
    try:
        is_any = ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return [host]
    if not is_any:
        return [host]
    name = socket.gethostname()
    with suppress(OSError):
        found = socket.getaddrinfo(name, None, proto=socket.IPPROTO_TCP)
        return [name, *sorted({str(address[0]) for *_, address in found})]
    return [name]


def _in_address(host: str) -> str:
    """A host as in an address."""
    return f"[{host}]" if ":" in host else host.lower()
