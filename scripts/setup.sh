#!/bin/sh
# Makes .venv with the project and its development tools. Instant when pyproject.toml has not changed since the last run.
set -eu
cd "$(dirname "$0")/.."

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

get_packages() {
    echo "setup: installing $* with apt-get"
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends --no-remove "$@" >/dev/null
}

# The first Python that is new enough wins; PYTHON overrides.
find_python() {
    for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11}; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    echo ""
}

python=$(find_python)
if [ -z "$python" ]; then
    get_packages python3 python3-venv
    python=$(find_python)
    [ -n "$python" ] || { echo "setup: Python 3.11 or newer is needed" >&2; exit 1; }
fi

stamp=.venv/.stamp
wanted=$(cat pyproject.toml scripts/setup.sh | sha256sum | cut -d' ' -f1)-$("$python" -c 'import sys; print(*sys.version_info[:2])')-$PWD
if [ -x .venv/bin/python ] && [ "$(cat $stamp 2>/dev/null)" = "$wanted" ]; then
    exit 0
fi

# Debian's Python has venv but not always ensurepip: it comes with python3-venv.
"$python" -c 'import ensurepip, venv' 2>/dev/null || get_packages python3-venv

echo "setup: making .venv"
rm -f $stamp
[ -x .venv/bin/python ] && [ -x .venv/bin/pip ] && .venv/bin/pip --version >/dev/null 2>&1 || { rm -rf .venv; "$python" -m venv .venv; }
.venv/bin/python -m pip install -q --upgrade pip
.venv/bin/python -m pip install -q -e '.[dev]'
printf '%s' "$wanted" > $stamp
echo "setup: .venv is ready"
