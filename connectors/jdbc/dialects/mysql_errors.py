"""PyMySQL's errors -> the service's, by errno: the one translation table for MySQL and MariaDB (INV-6)."""

from __future__ import annotations

import re
from typing import Final

import pymysql

from connectors.jdbc.dialects.failures import AlreadyThereError, DuplicateKeyError
from replicator.api import ConfigError, ConnectError, DataError, RetriableError, StructuralError

DEADLOCK: Final = 1213
_RETRIABLE: Final = {
    1021,  # disk full
    1028,  # sort aborted
    1037, 1038, 1041,  # out of memory
    1040, 1203, 1226,  # too many connections
    1053, 1077, 1079,  # shutting down
    1114, 1135,  # table is full, no thread
    1150, 1152, 1158, 1159, 1160, 1161, 1184,  # connection broken
    1192, 1205, 1206, DEADLOCK, 1412, 1613, 1614, 1615,
    1290, 1792, 1836,  # read only: a failover is under way
    1317, 1969, 3024,  # interrupted
    1927,  # killed (MariaDB)
    2002, 2003, 2006, 2013, 2014, 2027, 2055,
    3572, 4031,
}  # fmt: skip
_USER: Final = {1044, 1045, 1142, 1143, 1227, 1370, 1410, 1449, 1698, 1862, 3118, 3879, 4151}
_STRUCTURE: Final = {
    1051, 1054, 1068, 1071, 1072, 1074, 1091, 1113, 1118, 1136, 1146, 1170, 1293,
    1364, 1471, 1517, 1563, 1701, 1832, 1833, 1846, 1932, 3105, 3106, 3164, 3730,
}  # fmt: skip
_DATA: Final = {
    1048, 1138, 1267, 1270, 1271, 1153, 1216, 1217, 1263, 1264, 1265, 1292, 1300, 1366, 1367, 1406, 1411, 1416, 1425,
    1438, 1441, 1451, 1452, 1525, 1644, 1690, 3140, 3141, 3143, 3144, 3145, 3149, 3150, 3156, 3157, 3819,
    3988, 4025, 4078, 2020,
}  # fmt: skip
_ALREADY_THERE: Final = {1050, 1060, 1061}
_DUPLICATES: Final = {1022, 1062, 1169, 1586, 1859}
_INDEX: Final = re.compile(r"for key '(.*)'\s*$", re.DOTALL)
_OPTIONS: Final = {
    1045: "connection.user",
    1698: "connection.user",
    1044: "connection.url",
    1049: "connection.url",
}


def translate(error: BaseException) -> ConnectError:
    """The service's error for one of the driver's (or of the socket below it)."""
    if isinstance(error, ConnectError):
        return error
    if isinstance(error, UnicodeError):
        return DataError(f"Text is not valid Unicode: {error.reason if hasattr(error, 'reason') else error}")
    if isinstance(error, pymysql.err.InterfaceError):
        return RetriableError("The connection to the target is closed")
    if not isinstance(error, pymysql.err.MySQLError):
        if isinstance(error, (OSError, EOFError)):
            return RetriableError(f"The connection to the target broke: {error}")
        return ConnectError(f"{type(error).__name__}: {error}")
    number = error.args[0] if error.args and isinstance(error.args[0], int) else 0
    detail = str(error.args[1]) if len(error.args) > 1 else str(error)
    return _by_number(number, detail)


def _by_number(number: int, detail: str) -> ConnectError:
    message = f"{detail} ({number})"
    if number in _DUPLICATES:
        found = _INDEX.search(detail)
        return DuplicateKeyError(message, index=found[1] if found else "")
    if number in _RETRIABLE or "is full" in detail:
        return RetriableError(message)
    if number in _DATA:
        return DataError(message)
    if number in _USER:
        return ConfigError(
            message, option=_OPTIONS.get(number, "connection.user"), hint="Grant the account what it lacks."
        )
    if number == 1049:
        return ConfigError(message, option="connection.url", hint="Create the database, or name another.")
    if number in _ALREADY_THERE:
        return AlreadyThereError(message)
    if number in _STRUCTURE:
        return StructuralError(message)
    return ConnectError(message)
