"""The connections of one session of the reader thread; all of them are closed when it ends, however it ends."""

from __future__ import annotations

from contextlib import ExitStack

from connectors.postgres.connection import Connector, PlainConnection
from connectors.postgres.walsender import WalSender


class Connections:
    """Opens connections and leaves them to a stack to close."""

    def __init__(self, connector: Connector, stack: ExitStack) -> None:
        self._connector = connector
        self._stack = stack

    def plain(self, purpose: str) -> PlainConnection:
        """For SQL."""
        connection = self._connector.plain(purpose)
        self._stack.callback(connection.close)
        return connection

    def sender(self, purpose: str) -> WalSender:
        """For the replication protocol."""
        sender = WalSender(self._connector.replication(purpose))
        self._stack.callback(sender.close)
        return sender

    def closing(self, sender: WalSender) -> None:
        """Close this one, too."""
        self._stack.callback(sender.close)
