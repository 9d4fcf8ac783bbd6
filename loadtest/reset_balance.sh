#!/bin/sh
# Brings a user's balance to an exact amount, through the API: `reset_balance.sh [USER_ID [BALANCE]]`, by default user 1 and
# 10000.00. What changes it is an ordinary deposit or withdrawal of the difference, so the history shows it.
# Money is whole minor units here, in the shell's 64-bit integers: no floats.
set -eu

url=${PASSBOOK_URL:-http://127.0.0.1:3000}
user_id=${1:-1}
wanted=${2:-10000.00}

stop() {
    echo "reset-balance: $1" >&2
    exit 1
}

# The header by which a service knows who asks, on standard input: others can read a command line.
key_line() {
    [ -z "${PASSBOOK_API_KEY:-}" ] || echo "Authorization: Bearer $PASSBOOK_API_KEY"
}

# request METHOD PATH [JSON [KEY]]: prints the body of a 200, stops at anything else.
request() {
    answer=$(key_line | curl --header @- --silent --show-error --max-time 30 --write-out '\n%{http_code}' --request "$1" \
        ${3:+--header 'Content-Type: application/json' --data "$3"} ${4:+--header "Idempotency-Key: $4"} "$url$2") ||
        stop "nothing answers at $url; is Passbook running? (make run)"
    [ "${answer##*
}" = 200 ] || stop "$1 $2 answered: $answer"
    echo "${answer%
*}"
}

# balance BODY: the literal text of the number, such as 9998.00.
balance() {
    text=$(echo "$1" | sed -n 's/.*"balance"[[:space:]]*:[[:space:]]*\(-\{0,1\}[0-9][0-9.]*\).*/\1/p')
    [ -n "$text" ] || stop "no balance in this answer: $1"
    echo "$text"
}

# decimals NUMBER: how many digits follow its point.
decimals() {
    case $1 in
        *.*) fraction=${1#*.}; echo ${#fraction} ;;
        *) echo 0 ;;
    esac
}

# units NUMBER SCALE: the number in whole minor units, so 12.5 at scale 2 is 1250.
units() {
    echo "$1" | grep -Eq '^-?[0-9]+(\.[0-9]+)?$' || stop "not a plain decimal: $1"
    places=$(decimals "$1")
    [ "$places" -le "$2" ] || stop "$1 has more than $2 decimals"
    sign=
    case $1 in -*) sign=- ;; esac
    digits=$(echo "$1" | tr -d '.-')
    while [ "$places" -lt "$2" ]; do
        digits=${digits}0
        places=$((places + 1))
    done
    digits=$(echo "$digits" | sed 's/^0*\(.\)/\1/')
    [ "${#digits}" -le 18 ] || stop "$1 is too large for this script"
    echo "$sign$digits"
}

# decimal UNITS SCALE: the other way.
decimal() {
    sign=
    case $1 in -*) sign=- ;; esac
    digits=${1#-}
    while [ "${#digits}" -le "$2" ]; do
        digits=0$digits
    done
    [ "$2" -gt 0 ] || { echo "$sign$digits"; return; }
    whole=$(echo "$digits" | sed "s/.\{$2\}\$//")
    echo "$sign$whole.${digits#"$whole"}"
}

command -v curl >/dev/null || stop "needs curl (Debian: apt-get install curl)"
case $user_id in '' | *[!0-9]*) stop "not a user id: $user_id" ;; esac

body=$(request GET "/api/users/$user_id")
before=$(balance "$body")
scale=$(decimals "$before")
have=$(units "$before" "$scale")
want=$(units "$wanted" "$scale")
if [ "$have" -eq "$want" ]; then
    echo "User $user_id has $before already; nothing to do."
    exit
fi

amount=$(decimal "$((want - have))" "$scale")
body=$(request PUT "/api/users/$user_id/balance" "{\"amount\":$amount}" "reset-balance-$(date +%s)-$$")
after=$(balance "$body")
echo "User $user_id: $before before, $amount added, $after after."
[ "$(units "$after" "$scale")" -eq "$want" ] || stop "somebody else is using this account: run it again when they are done"
