"""What every broker must do. Subclass `BrokerContract` and define a `broker` fixture; pytest finds the tests.

Nothing here depends on the embedded broker's own promises (order across topics, atomic appends).
"""

from __future__ import annotations

from replicator.testing.suites.broker_admin import AdminContract
from replicator.testing.suites.broker_groups import GroupsContract
from replicator.testing.suites.broker_messages import MessagesContract
from replicator.testing.suites.broker_transactions import TransactionsContract


class BrokerContract(MessagesContract, GroupsContract, TransactionsContract, AdminContract):
    """All parts of the contract."""
