"""On PYTHONPATH: a process that calls another machine is refused, and the call is written down.

Enters: the file named by TIERLINE_CALLS. Leaves: a line in it for each host that Python asked for.
"""

from __future__ import annotations

import os
import sys
from typing import Any

LOCAL = ("127.0.0.1", "::1", "localhost", "", None)
HOST_FIRST = ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr")
ADDRESS_SECOND = ("socket.connect", "socket.sendto")


def refuse(event: str, args: tuple[Any, ...]) -> None:
    """Raises on a call to another machine; a path is a socket of this one."""
    if event in HOST_FIRST:
        host = args[0]
    elif event in ADDRESS_SECOND and isinstance(args[1], tuple):
        host = args[1][0]
    else:
        return
    if isinstance(host, bytes):
        host = host.decode()
    if host not in LOCAL:
        with open(os.environ["TIERLINE_CALLS"], "a", encoding="utf-8") as calls:  # noqa: PTH123
            calls.write(f"{event} {host}\n")
        raise PermissionError(f"{event} to {host}: this process has no network")


sys.addaudithook(refuse)
