#!/bin/sh
# The whole suite against real servers. Servers that this run started are stopped afterwards, also after a failure or Ctrl-C.
set -u
cd "$(dirname "$0")/.."

started=$(python3 scripts/servers.py status --running)
python3 scripts/servers.py start || exit 1
[ -n "$started" ] || trap 'python3 scripts/servers.py stop' EXIT
trap 'exit 130' INT TERM

.venv/bin/python -m pytest --require-services "$@"
exit $?
