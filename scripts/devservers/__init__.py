"""Real servers (databases, Kafka) for development and tests, without containers. Standard library only.

Every server is an `Instance`: programs, a data folder of its own, a port of its own, one process started and
ended by us. The shared instances of a checkout live in `.dev/`; tests make throw-away ones besides.
"""

from scripts.devservers.instance import Instance, ServerUnavailable
from scripts.devservers.kafka import Kafka
from scripts.devservers.mariadb import MariaDb
from scripts.devservers.mysql import MySql
from scripts.devservers.postgres import Postgres
from scripts.devservers.private import private_instance
from scripts.devservers.shared import KINDS, ensure_running, status, stop, wipe

__all__ = [
    "KINDS",
    "Instance",
    "Kafka",
    "MariaDb",
    "MySql",
    "Postgres",
    "ServerUnavailable",
    "ensure_running",
    "private_instance",
    "status",
    "stop",
    "wipe",
]
