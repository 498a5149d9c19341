#!/bin/sh
# The whole suite against real servers. Servers that this run starts are stopped at its end, also after a failure.
set -u
cd "$(dirname "$0")/.."

running=$(python3 scripts/servers.py status --running)
ours=""
for kind in postgres mysql mariadb; do
    case " $running " in
        *" $kind "*) ;;
        *) ours="$ours $kind" ;;
    esac
done

# shellcheck disable=SC2086 # a list of words
[ -z "$ours" ] || trap 'python3 scripts/servers.py stop $ours' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
python3 scripts/servers.py start || exit 1

.venv/bin/python -m pytest --require-services "$@"
exit $?
