#!/bin/sh
# Goes through story.txt by the plain client of each language that is installed, against the service at PASSBOOK_URL, and
# compares each answer: `run.sh [CLIENT…]`, by default all of curl, python, node, go and java. Exits 1 if an answer differs.
#
# A client is a program that reads `METHOD|PATH|HEADERS|BODY` lines and answers each with a line `STATUS|SET-COOKIE|BODY`.
set -eu

PASSBOOK_URL=${PASSBOOK_URL:-http://127.0.0.1:3000}
export PASSBOOK_URL
here=$(dirname "$0")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# A client that ended is told by its missing answer.
trap '' PIPE
mkfifo "$work/requests" "$work/answers"

# command CLIENT: what has to be installed for it, then how it is started.
command_of() {
    case $1 in
        curl) echo curl sh "$here/curl.sh" ;;
        python) echo python3 python3 "$here/client.py" ;;
        node) echo node node "$here/client.mjs" ;;
        go) echo go go run "$here/client.go" ;;
        java) echo java java "$here/Client.java" ;;
        *) echo "There is no client called '$1'." >&2; exit 2 ;;
    esac
}

# filled TEXT: with the values that were captured so far.
filled() {
    printf '%s\n' "$1" | sed -f "$work/captured"
}

# capture NAME=FIELD ANSWER: the value of the last field of that name.
capture() {
    value=$(printf '%s\n' "$2" | sed -n "s/.*${1#*=}[\":=]*\([^\",;}]*\).*/\1/p")
    [ -n "$value" ] || { echo "$client: no ${1#*=} in $2" >&2; return 1; }
    echo "s|\\\$${1%%=*}|$value|g" >>"$work/captured"
}

# tell: every request of the story, and whether each answer is the one that the story has.
tell() {
    requests=0
    while IFS='|' read -r method path headers body status answer captures; do
        case $method in '#'* | '') continue ;; esac
        request=$(filled "$method|$path|$headers|$body")
        printf '%s\n' "$request" >&3
        IFS='|' read -r got_status cookie got <&4 || {
            echo "$client: no answer to $request; does Passbook run at $PASSBOOK_URL?" >&2
            return 1
        }
        pattern=$(filled "$answer" | sed 's/\[/\\[/g')
        # What is not quoted is a pattern here, which is what is wanted.
        # shellcheck disable=SC2254
        case $got_status:$got in
            $status:$pattern) ;;
            *) printf '%s: %s\n  was answered  %s %s\n  instead of    %s %s\n' \
                "$client" "$request" "$got_status" "$got" "$status" "$(filled "$answer")" >&2; return 1 ;;
        esac
        for one in $captures; do
            capture "$one" "$cookie $got" || return 1
        done
        requests=$((requests + 1))
    done <"$here/story.txt"
}

[ $# -gt 0 ] || set -- curl python node go java
ran=0
failed=0
for client in "$@"; do
    started=$(command_of "$client")
    program=${started%% *}
    if ! command -v "$program" >/dev/null || { [ "$client" = java ] && ! java --version >/dev/null 2>&1; }; then
        echo "$client: skipped, $program is not installed"
        continue
    fi
    echo "s|\\\$run|$client-$(date +%s)-$$|g" >"$work/captured"
    # shellcheck disable=SC2086
    ${started#* } <"$work/requests" >"$work/answers" &
    exec 3>"$work/requests" 4<"$work/answers"
    if tell; then
        echo "$client: $requests requests, every answer as it should be"
    else
        failed=$((failed + 1))
    fi
    exec 3>&- 4<&-
    wait $! || true
    ran=$((ran + 1))
done
[ "$ran" -gt 0 ] || { echo "none of these clients is installed" >&2; exit 1; }
[ "$failed" -eq 0 ]
