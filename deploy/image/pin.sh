#!/bin/sh
# Writes constraints.txt anew: the newest versions that pyproject.toml allows, all of them. Run it when dependencies change.
set -eu
cd "$(dirname "$0")/../.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q . hatchling
{
    echo "# The versions in the image; written by deploy/image/pin.sh."
    "$folder/venv/bin/pip" freeze --exclude replicator --exclude-editable
} > "$folder/constraints.txt"
mv "$folder/constraints.txt" deploy/image/constraints.txt
