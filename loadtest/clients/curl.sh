#!/bin/sh
# Sends each request of its input by curl (see run.sh).
set -eu

heads=$(mktemp)
trap 'rm -f "$heads"' EXIT
while IFS='|' read -r method path headers body; do
    set -- --silent --show-error --max-time 30 --dump-header "$heads" --request "$method"
    rest=$headers
    while [ -n "$rest" ]; do
        set -- "$@" --header "${rest%%;*}"
        case $rest in *\;*) rest=${rest#*;} ;; *) rest= ;; esac
    done
    [ -z "$body" ] || set -- "$@" --data "$body"
    answer=$(curl "$@" "$PASSBOOK_URL$path")
    status=$(sed -n '1s/^[^ ]* \([0-9]*\).*/\1/p' "$heads")
    cookie=$(sed -n 's/^[Ss]et-[Cc]ookie: \([^\r]*\).*/\1/p' "$heads")
    printf '%s|%s|%s\n' "$status" "$cookie" "$answer"
done
