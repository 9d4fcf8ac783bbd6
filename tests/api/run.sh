#!/bin/sh
# Starts a service of its own, and has schemathesis ask it everything that it thinks of: `run.sh PASSBOOK [FLAGS…]`, of
# which the flags are schemathesis'. It needs Python 3.10 or newer with `venv`, and PyPI for the first time.
set -eu

passbook=$1
shift
here=$(dirname "$0")
target=${CARGO_TARGET_DIR:-target}/api
address=127.0.0.1:${PORT:-3101}
mkdir -p "$target"
if ! [ -x "$target/venv/bin/schemathesis" ]; then
    if ! command -v python3 >/dev/null || ! python3 -m venv "$target/venv"; then
        echo "This needs Python 3.10 or newer with its module venv (Debian: python3-venv)." >&2
        exit 2
    fi
    "$target/venv/bin/pip" install --quiet --requirement "$here/requirements.txt"
fi

data=$(mktemp -d)
# PostgreSQL is somebody else if this is root.
chmod o+x "$data"
"$passbook" serve --listen "$address" --data-dir "$data" --allow-reset >"$target/passbook.log" 2>&1 &
service=$!
trap 'kill "$service" 2>/dev/null || true; wait "$service" || true; rm -rf "$data"' EXIT
trap 'exit 130' INT TERM
tries=0
until "$passbook" health --listen "$address" >/dev/null 2>&1; do
    tries=$((tries + 1))
    if [ "$tries" -gt 300 ] || ! kill -0 "$service" 2>/dev/null; then
        echo "The service did not start: see $target/passbook.log" >&2
        exit 2
    fi
    sleep 0.1
done

# Who signs in, as schemathesis.toml says.
curl -sS -o /dev/null -d '{"name":"a","email":"api@example.org","password":"Secret12"}' "http://$address/api/signup"

status=0
"$target/venv/bin/schemathesis" --config-file "$here/schemathesis.toml" \
    run "http://$address/openapi.json" --report-dir "$target/report" "$@" || status=$?
kill "$service"
wait "$service" || true
"$passbook" verify --data-dir "$data" || status=1
exit "$status"
