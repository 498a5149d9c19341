#!/bin/sh
# Runs a command while real servers run:   scripts/with_servers.sh postgres mysql -- COMMAND...
# Those that were not running before are stopped afterwards, also after a failure; the command's exit code is kept.
set -u
cd "$(dirname "$0")/.."

running=" $(python3 scripts/servers.py status --running) "
wanted=""
ours=""
while [ "$1" != "--" ]; do
    wanted="$wanted $1"
    case "$running" in
        *" $1 "*) ;;
        *) ours="$ours $1" ;;
    esac
    shift
done
shift

# shellcheck disable=SC2086 # lists of words; stderr, so that the command has the last word on stdout
[ -z "$ours" ] || trap 'python3 scripts/servers.py stop $ours >&2' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
# shellcheck disable=SC2086
python3 scripts/servers.py start $wanted || exit 1

"$@"
exit $?
