"""MariaDB as a target: MySQL's dialect where the two agree."""

from __future__ import annotations

from collections.abc import Sequence

from connectors.jdbc.dialects import mysql_columns
from connectors.jdbc.dialects.model import BoundColumn, TableName
from connectors.jdbc.dialects.mysql import MySqlDialect
from connectors.jdbc.dialects.statement import Statement, Template


class MariaDbDialect(MySqlDialect):
    """MariaDB 10.5 and later."""

    kind = "mariadb"
    flavour = mysql_columns.MARIADB
    # Longer IN lists become a subquery (in_predicate_conversion_threshold).
    max_delete_rows = 900

    def __init__(self) -> None:
        super().__init__()
        self._row_alias = False

    def delete(self, table: TableName, keys: Sequence[BoundColumn]) -> Statement:
        if len(keys) == 1:
            return super().delete(table, keys)
        # Lists of rows in IN find no index here; OR of equalities does.
        parts: list[str | int] = ["("]
        parts += self._assignments(list(enumerate(keys)), " AND ")
        template = Template((*parts, ")"), tuple(keys))
        made = self._statement(
            f"DELETE FROM {self.quote_table(table)} WHERE ", "", template, separator=" OR "
        )
        return self.limited(made, self.max_delete_rows)
