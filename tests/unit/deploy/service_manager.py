"""A service manager as systemd is one for a child: a socket that hears what it tells."""

from __future__ import annotations

import socket
import time


class Manager:
    """The service manager's end."""

    def __init__(self, address: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("\0" + address[1:] if address.startswith("@") else address)
        self.address = address

    def heard(self, timeout: float = 0.02) -> dict[str, str]:
        """The next message; empty when there is none."""
        self.socket.settimeout(timeout)
        try:
            text = self.socket.recv(4096).decode()
        except TimeoutError:
            return {}
        return dict(line.split("=", 1) for line in text.split("\n"))

    def until(self, name: str, timeout: float, text: str = "") -> str:
        """The value of the next message that has the name, and the text in its value."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            message = self.heard(0.5)
            if name in message and text in message[name]:
                return message[name]
        raise AssertionError(f"{name} was not heard within {timeout:g} s")
