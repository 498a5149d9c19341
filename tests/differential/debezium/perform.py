"""One workload on a database of its own, read by our source, and by Java's when there is one."""

from __future__ import annotations

from typing import Any

from tests.differential.debezium.case import Workload, options
from tests.differential.debezium.java import Java, JavaConnect, Topics
from tests.differential.debezium.message import comparable
from tests.differential.debezium.ours import Ours
from tests.differential.debezium.play import Playing
from tests.support.running_servers import Server, fresh_database
from tests.support.worker_group import until


def perform(workload: Workload, server: Server, java: tuple[JavaConnect, Topics] | None) -> dict[str, Any]:
    """Sides of each case: `ours`, and `java` where there is one."""
    address = {
        "database.hostname": server.host,
        "database.port": str(server.port),
        "database.user": server.user,
        "database.password": server.password,
    }
    readers: list[tuple[Any, Any]] = []
    with fresh_database(server) as database:
        for case in workload.cases:
            config = options(case, database.name, address)
            readers.append((case, Ours({**config, "slot.name": f"{config['slot.name']}_ours"})))
            if java is not None:
                readers.append((case, Java(*java, config)))
        problems = Playing(database, workload, readers).run()
        if java is not None:
            until(java[1].drained, 30, "topics are read")
        sides: dict[str, Any] = {}
        for number, (case, reader) in enumerate(readers):
            side = {
                "topics": comparable(reader.snapshot(), database.name),
                "failed": _first_line(problems[number]),
            }
            sides.setdefault(case.name, {})[type(reader).__name__.lower()] = side
    return sides


def _first_line(text: str | None) -> str | None:
    """What failed and why, of a Java trace the first lines that say something."""
    if text is None:
        return None
    lines = [line for line in text.splitlines() if not line.startswith("\t")]
    return " ".join(lines)[:600]
