# `make` alone prints the list of commands. Plain make and plain sh, so that macOS's make 3.81 runs it too.

SHELL := /bin/sh
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

CARGO_DENY_VERSION := 0.20.2
CARGO_CYCLONEDX_VERSION := 0.5.9
K6_VERSION := v1.8.1

PASSBOOK_URL ?= http://127.0.0.1:3000
SCENARIO ?= withdraw_10k
LENGTH ?= 10
BINARY = "$${CARGO_TARGET_DIR:-target}/release/passbook"
COMPOSE = docker compose

# setting NAME: a shell command that prints a setting as Passbook will see it: from the environment, else from .env.
setting = if [ -n "$${$(1):-}" ]; then echo "$$$(1)"; \
	else sed -n 's/^\(export \)\{0,1\}$(1)=//p' .env 2>/dev/null | tr -d "\"'" | head -n 1; fi

##@ Use it

.PHONY: help
help: ## Print this list
	@awk 'BEGIN { FS = ":.*## " } \
		/^##@ / { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z-]+:.*## / { printf "  make %-17s %s\n", $$1, $$2 }' Makefile
	@echo
	@echo 'ARGS="..." is passed on to run, verify, bench, clients, test and loadtest: make run ARGS="--listen 127.0.0.1:3001"'

.PHONY: run
run: POSTGRES_ELSEWHERE = $(shell $(call setting,DATABASE_URL))
run: setup build ## Install what is missing, build, serve on 127.0.0.1:3000 (Ctrl-C stops it)
	@exec $(BINARY) serve $(ARGS)

.PHONY: setup
setup: ## Create .env, the file for settings, if there is none
	@[ -e .env ] || { cp .env.example .env && echo "Created .env from .env.example; it is yours to edit."; }

.PHONY: verify
verify: build ## Check every balance, version and seal against the entries
	@$(BINARY) verify $(ARGS)

.PHONY: loadtest
loadtest: ## Run loadtest/SCENARIO.js with k6 against PASSBOOK_URL (SCENARIO=withdraw_10k, USER_ID=a fresh user)
	@set -eu; \
	known=$$(for script in loadtest/*.js; do basename "$$script" .js; done); \
	if ! echo "$$known" | grep -Fqx -e '$(SCENARIO)'; then \
		echo "There is no load test called '$(SCENARIO)'. SCENARIO is one of these, described in loadtest/README.md:"; \
		echo "$$known" | sed 's/^/  /'; \
		exit 1; \
	fi >&2; \
	k6=$$(command -v k6 || command -v "$$(go env GOPATH 2>/dev/null)/bin/k6" || true); \
	if [ -z "$$k6" ]; then \
		echo "The load test needs k6, which is not installed. Get it in one of these ways:"; \
		echo "  go install go.k6.io/k6@$(K6_VERSION)   if there is Go; a minute and a half"; \
		echo "  brew install k6                    on macOS"; \
		echo "  your system's package, or one from https://grafana.com/docs/k6/latest/set-up/install-k6/"; \
		exit 1; \
	fi >&2; \
	"$$k6" run --no-usage-report --env BASE_URL=$(PASSBOOK_URL) $(if $(USER_ID),--env USER_ID=$(USER_ID)) \
		$(ARGS) loadtest/$(SCENARIO).js

.PHONY: clients
clients: ## Go through one story by curl, Python, Node, Go and Java, those that are installed, against PASSBOOK_URL
	@PASSBOOK_URL=$(PASSBOOK_URL) loadtest/clients/run.sh $(ARGS)

.PHONY: bench
bench: build ## Measure a service of its own, and audit its books (ARGS="spread --concurrency 256")
	@$(BINARY) bench $(or $(ARGS),withdraw-10k)

.PHONY: reset-balance
reset-balance: ## Bring a user's balance to an exact amount, through the API (USER_ID=1, BALANCE=10000.00)
	@PASSBOOK_URL=$(PASSBOOK_URL) loadtest/reset_balance.sh $(or $(USER_ID),1) $(or $(BALANCE),10000.00)

##@ Change it

.PHONY: check
check: lint test ## Everything that CI checks: lint and test

.PHONY: test
test: deps-run ## Run all tests; they start a PostgreSQL of their own
	@cargo test --locked $(ARGS)

.PHONY: test-unit
test-unit: deps-run ## Run the unit tests; those of the embedded PostgreSQL start one
	@cargo test --locked --lib $(ARGS)

.PHONY: test-integration
test-integration: deps-run ## Run the tests that go through HTTP and PostgreSQL
	@cargo test --locked --test it $(ARGS)

# Seeds choose what happens, the machine chooses the order: a failure may take several runs to come again.
.PHONY: torture
torture: deps-run ## Every fault, again and again: LENGTH=50 times as often as in the tests, SEED=n, FAULT=crashes
	@set -eu; \
	report="$${CARGO_TARGET_DIR:-target}/torture/report.jsonl"; \
	rm -f "$$report"; \
	$(if $(FAULT),,PROPTEST_CASES=$$((256 * $(LENGTH))) cargo test --locked --lib -- ledger:: http::;) \
	TORTURE_LENGTH=$(LENGTH) TORTURE_SEED=$(SEED) \
		cargo test --locked --test it -- --nocapture --test-threads=1 torture::$(FAULT); \
	echo "No violations. What was done is in $$report."

.PHONY: fixture
fixture: deps-run ## Keep a small ledger of the newest schema, which every later program has to go on with
	@FIXTURE=write cargo test --locked --test it upgrades::a_ledger_of_this_program_goes_on

.PHONY: matrix
matrix: deps-run ## Write the table of docs/access.md anew: who is answered what
	@MATRIX=write cargo test --locked --test it access::matrix

.PHONY: openapi
openapi: deps-run ## Write docs/openapi.json anew, from the code
	@OPENAPI=write cargo test --locked --test it openapi::the_document_is_kept_beside_the_code

.PHONY: test-api
test-api: build ## Ask a service of its own everything that schemathesis thinks of (needs Python 3.10, installs from PyPI)
	@tests/api/run.sh $(BINARY) $(ARGS)

.PHONY: lint
lint: deps-lint ## Check format, clippy, documentation, and dependencies (licences, bans, sources)
	@cargo fmt --check
	@cargo deny check --hide-inclusion-graph licenses bans sources
	@cargo clippy --locked --all-targets -- -D warnings
	@RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps --document-private-items

# Not a part of `check`: it downloads the list of known vulnerabilities.
.PHONY: advisories
advisories: deps-lint ## Look for known vulnerabilities in what is built in (downloads their list)
	@cargo deny check --hide-inclusion-graph advisories

# The tool writes beside Cargo.toml and nowhere else. It stays in target/tools, unoptimised, as it is built for one run.
.PHONY: sbom
sbom: deps-run ## Write what the program is made of to target/passbook.cdx.json, as CycloneDX (installs from crates.io)
	@set -eu; \
	target="$${CARGO_TARGET_DIR:-target}"; \
	cargo install --quiet --debug --locked --root "$$target/tools" --version $(CARGO_CYCLONEDX_VERSION) cargo-cyclonedx; \
	"$$target/tools/bin/cargo-cyclonedx" cyclonedx --quiet --format json --spec-version 1.5 --target all; \
	mv passbook.cdx.json "$$target/passbook.cdx.json"; \
	echo "What the program is made of is in $$target/passbook.cdx.json."

.PHONY: fmt
fmt: ## Format the code
	@cargo fmt

.PHONY: deps
deps: deps-run deps-lint ## Install whatever `make check` needs and is missing

# Not in the list: `run`, `test` and `lint` call for what they need.
.PHONY: build
build: deps-run
	@cargo build --release --locked

# A C compiler for the linker and two crates with C in them, curl for the examples and their tests, and PostgreSQL's
# programs, from Debian's packages. Debian would also create and start a cluster of its own on port 5432, which nobody
# asked for: the setting in createcluster.d holds it back during this one installation. `make run` does without PostgreSQL's programs if DATABASE_URL names a server.
.PHONY: deps-run
deps-run:
	@set -eu; \
	if ! command -v cargo >/dev/null; then \
		echo "Rust is not installed: see https://rustup.rs" >&2; exit 1; \
	fi; \
	packages=; \
	command -v cc >/dev/null || packages="gcc libc6-dev"; \
	command -v curl >/dev/null || packages="$$packages curl"; \
	found=; \
	for bin in "$$($(call setting,PASSBOOK_PG_BIN_DIR))" /usr/lib/postgresql/*/bin "$$(pg_config --bindir 2>/dev/null || true)" \
		/usr/pgsql-*/bin /opt/homebrew/opt/postgresql*/bin /usr/local/opt/postgresql*/bin \
		/Applications/Postgres.app/Contents/Versions/*/bin; do \
		if [ -x "$$bin/postgres" ] && [ -x "$$bin/initdb" ]; then found=$$bin; break; fi; \
	done; \
	[ -n "$$found$(if $(POSTGRES_ELSEWHERE),elsewhere)" ] || packages="$$packages postgresql"; \
	[ -n "$$packages" ] || exit 0; \
	if ! command -v apt-get >/dev/null; then \
		echo "Missing here: $$packages. This system has no apt-get, so please install it yourself:"; \
		echo "  macOS: xcode-select --install; brew install postgresql@17"; \
		echo "  elsewhere: the server package of PostgreSQL (14 or newer), a C compiler, and curl"; \
		echo "If PostgreSQL is in an unusual place, name the folder of its programs in PASSBOOK_PG_BIN_DIR."; \
		exit 1; \
	fi >&2; \
	sudo=; \
	if [ "$$(id -u)" -ne 0 ]; then \
		if ! command -v sudo >/dev/null; then \
			echo "Missing here: $$packages. Installing needs root and there is no sudo; as root, run: make deps-run" >&2; \
			exit 1; \
		fi; \
		sudo=sudo; \
		echo "Installing needs root: sudo may ask for your password."; \
	fi; \
	echo "Installing Debian packages:$$(printf ' %s' $$packages)"; \
	$$sudo env DEBIAN_FRONTEND=noninteractive sh -euc ' \
		hold=/etc/postgresql-common/createcluster.d/passbook.conf; \
		trap "rm -f $$hold" EXIT; trap "exit 130" INT TERM; \
		mkdir -p "$${hold%/*}"; \
		echo "create_main_cluster = false" >"$$hold"; \
		apt-get -q update || echo "apt-get update failed; trying with the package lists that are here"; \
		apt-get -q install -y --no-install-recommends -o DPkg::Lock::Timeout=120 "$$@" \
	' sh $$packages

.PHONY: deps-lint
deps-lint:
	@set -eu; \
	if ! cargo fmt --version >/dev/null 2>&1 || ! cargo clippy --version >/dev/null 2>&1; then \
		if ! command -v rustup >/dev/null; then \
			echo "rustfmt or clippy is missing, and there is no rustup: please install them as you installed Rust." >&2; exit 1; \
		fi; \
		rustup component add rustfmt clippy; \
	fi; \
	if ! cargo deny --version >/dev/null 2>&1; then \
		echo "Installing cargo-deny $(CARGO_DENY_VERSION): once, a few minutes."; \
		cargo install --locked --version $(CARGO_DENY_VERSION) cargo-deny; \
	fi

##@ In containers

.PHONY: run-docker
run-docker: ## Build and start Passbook and PostgreSQL in the background
	@$(COMPOSE) version >/dev/null 2>&1 || { echo "This needs Docker with its compose plugin." >&2; exit 1; }
	@$(COMPOSE) up --build --detach --wait
	@echo "Passbook is at http://127.0.0.1:$$($(COMPOSE) port passbook 3000 | sed 's/.*://'); user 1 has the demo balance. Stop: make stop-docker"

.PHONY: stop-docker
stop-docker: ## Stop them; the data stays
	@$(COMPOSE) down

.PHONY: logs
logs: ## Follow their logs
	@$(COMPOSE) logs --follow --tail 100

##@ Remove it

# Only a typed "yes" removes data, so a run without a terminal never does. What else lies in the directory stays.
.PHONY: clean
clean: ## Remove the build results; asks before it removes any data
	@set -eu; \
	agreed() { \
		[ -t 0 ] || { echo "$$1: kept, because nobody is here to be asked."; return 1; }; \
		printf '%s: remove it, with every account in it, for good? Type yes: ' "$$1"; \
		read -r answer && [ "$$answer" = yes ] || { echo "Kept."; return 1; }; \
	}; \
	data=$$($(call setting,PASSBOOK_DATA_DIR)); \
	if [ -z "$$data" ]; then \
		if [ "$$(id -u)" -eq 0 ]; then data=/var/lib/passbook; else data=$${XDG_DATA_HOME:-$$HOME/.local/share}/passbook; fi; \
	fi; \
	if [ -f "$$data/postgres/PG_VERSION" ]; then \
		server=$$(head -n 1 "$$data/postgres/postmaster.pid" 2>/dev/null || true); \
		if [ -n "$$server" ] && kill -0 "$$server" 2>/dev/null; then \
			echo "Passbook is running on $$data: stop it first." >&2; exit 1; \
		fi; \
		if agreed "Data directory $$data"; then \
			for part in postgres postgres.new run log passbook.lock; do rm -rf "$${data:?}/$$part"; done; \
			rmdir "$$data" 2>/dev/null || true; \
		fi; \
	fi; \
	if docker volume inspect passbook_postgres-data >/dev/null 2>&1; then \
		if agreed "Docker volume passbook_postgres-data"; then $(COMPOSE) down --volumes; fi; \
	fi
	@cargo clean
