#!/usr/bin/env bash
# Compares grouped commits with one commit a request (PASSBOOK_BATCH_SIZE_MAX=1), both sides in one run, in turns.
#
#   loadtest/compare.sh [rounds] [seconds]
#
# Needs the release build, and ab, wrk, pgbench, psql (Debian: apache2-utils, wrk, postgresql). Everything it starts listens
# on loopback, and is stopped and removed at the end.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

rounds=${1:-3}
seconds=${2:-5}
binary=${CARGO_TARGET_DIR:-target}/release/passbook
users=100000
lanes_alone=${LANES_ALONE:-16}
work=$(mktemp -d /tmp/passbook-compare-XXXXXX)
chmod 755 "$work"
pids=()

stop() {
	for pid in "${pids[@]}"; do kill -TERM "$pid" 2>/dev/null || true; done
	for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
	rm -rf "$work"
}
trap stop EXIT

# serve NAME PORT FLAGS...
serve() {
	local name=$1 port=$2
	shift 2
	"$binary" serve --data-dir "$work/$name" --listen "127.0.0.1:$port" "$@" >"$work/$name.log" 2>&1 &
	pids+=($!)
	for _ in $(seq 200); do
		if curl -fsS "http://127.0.0.1:$port/api/health" >/dev/null 2>&1; then return; fi
		sleep 0.1
	done
	cat "$work/$name.log" >&2
	exit 1
}

sql() { psql -h "$work/$1/run" -U passbook -d passbook -qAtX -c "$2"; }

open_users() { # PORT COUNT
	printf '{"balance":1000000}' >"$work/open.json"
	ab -q -n "$2" -c 64 -k -p "$work/open.json" -T application/json "http://127.0.0.1:$1/api/users" >/dev/null 2>&1
}

# What an operation takes of the processor, service and database together, in clock ticks.
ticks() { # NAME
	local service postmaster total=0
	service=$(pgrep -f -- "--data-dir $work/$1 " | head -n 1)
	postmaster=$(head -n 1 "$work/$1/postgres/postmaster.pid")
	for pid in "$service" "$postmaster" $(pgrep -P "$postmaster"); do
		total=$((total + $(awk '{ print $14 + $15 + $16 + $17 }' "/proc/$pid/stat" 2>/dev/null || echo 0)))
	done
	echo "$total"
}

acceptance() { # PORT
	local id
	id=$(curl -fsS -d '{"balance":10000}' "http://127.0.0.1:$1/api/users" | sed 's/.*"id":\([0-9]*\).*/\1/')
	printf '{"amount":-2}' >"$work/withdraw.json"
	ab -q -r -n 10000 -c 1000 -k -u "$work/withdraw.json" -T application/json \
		"http://127.0.0.1:$1/api/users/$id/balance" 2>/dev/null >"$work/ab.txt"
	local refused
	refused=$(awk '/^Non-2xx/ { print $3 }' "$work/ab.txt")
	[ "$refused" = 5000 ] || { echo "not exactly 5,000 refusals: $refused" >&2; exit 1; }
	awk '/^Time taken/ { printf "%s s", $5 }' "$work/ab.txt"
}

throughput() { # PORT USERS
	wrk -t1 -c256 -d"${seconds}s" -s loadtest/wrk.lua "http://127.0.0.1:$1" -- "$2" 2 >"$work/wrk.txt"
	if grep -q Non-2xx "$work/wrk.txt"; then cat "$work/wrk.txt" >&2; exit 1; fi
	awk '/^Requests\/sec/ { printf "%.0f/s", $2 }' "$work/wrk.txt"
}

one() { # PORT
	wrk -t1 -c1 -d"${seconds}s" --latency -s loadtest/wrk.lua "http://127.0.0.1:$1" -- "$users" 2 >"$work/wrk.txt"
	awk '/^ +50%/ { printf "p50 %s", $2 }' "$work/wrk.txt"
}

pgbench_one() { # NAME
	pgbench -h "$work/$1/run" -U passbook -n -M prepared -c 1 -T "$seconds" -l --log-prefix="$work/pgbench" \
		-f "$work/one.sql" passbook >/dev/null 2>&1
	cat "$work"/pgbench.* | awk '{ print $3 }' | sort -n | awk '{ all[NR] = $1 } END { printf "p50 %dus", all[int((NR + 1) / 2)] }'
	rm -f "$work"/pgbench.*
}

serve grouped 3471
serve alone 3472 --batch-size-max 1 --lanes "$lanes_alone"
echo "opening $users users on both sides …"
for port in 3471 3472; do open_users $port $users; done

# One update-and-insert statement, the best that a client can send by itself, on tables of the same width.
sql grouped "create table bench_accounts as select id, balance, version from accounts; alter table bench_accounts add primary key (id);
	create table bench_entries (account_id bigint, version bigint, amount numeric, balance numeric, key uuid unique, primary key (account_id, version))"
cat >"$work/one.sql" <<-SQL
	\set id random(2, $users)
	with swapped as (update bench_accounts set balance = balance - 0.01, version = version + 1 where id = :id and balance >= 0.01 returning id, version, balance)
	insert into bench_entries select id, version, -0.01, balance, gen_random_uuid() from swapped;
SQL

for round in $(seq "$rounds"); do
	for name in grouped alone; do
		port=3471
		[ $name = grouped ] || port=3472
		line="round $round  $name:  acceptance $(acceptance $port)"
		line="$line  hot $(throughput $port 1)"
		before=$(ticks $name)
		spread=$(throughput $port $users)
		after=$(ticks $name)
		operations=$(awk '/requests in/ { print $1 }' "$work/wrk.txt")
		line="$line  spread $spread ($(((after - before) * 10000 / operations)) us of processor each)"
		line="$line  one $(one $port)"
		echo "$line"
	done
	echo "round $round  pgbench -c 1, one statement:  $(pgbench_one grouped)"
done
for name in grouped alone; do
	service=$(pgrep -f -- "--data-dir $work/$name " | head -n 1)
	echo "$name: resident memory of the service, peak: $(awk '/VmHWM/ { print int($2 / 1024) " MB" }' "/proc/$service/status")"
	echo "$name: $("$binary" verify --data-dir "$work/$name" | tail -n 1)"
done
