# The two commands of a newcomer: `make run` and `make test`. `make` alone lists the rest.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PORT ?= 8080
DATA ?= cluster
SEED ?= 1
SCENARIO ?= fanout
GATEWAYS ?= 3
BINARIES := $(or $(CARGO_TARGET_DIR),target)
# Looked at when the server starts, so after the page was built.
WEB = $$([[ -e clients/web/dist/index.html ]] && echo --set web=clients/web/dist)

.PHONY: help run cluster chaos test check build bench soak loadtest audit

help: ## List what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

run: ## Start a demo school with its page, and say who can log in (PORT=8080)
	@scripts/web || [[ $$? -eq 3 ]]
	cargo build --locked --package samtale-gateway --package samtale-client
	$(BINARIES)/debug/samtale demo --data data --listen 127.0.0.1:$(PORT) $(WEB)

cluster: ## Start Redis, a CQL server and gateways with a demo school (PORT=8080, DATA=cluster, GATEWAYS=3)
	@scripts/set-up
	cargo build --locked --package samtale-gateway --package samtale-client --package samtale-tests --bins
	@exec $(BINARIES)/debug/samtale-cluster --data $(DATA) --port $(PORT) --gateways $(GATEWAYS) $$([[ -e clients/web/dist/index.html ]] && echo --web clients/web/dist) $(ARGS)

test: ## Run every test in its short form, and say what was skipped
	@scripts/test

check: ## Check formatting, lints, and the rules of the house
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	cargo xtask tidy
	cargo xtask asyncapi --check
	@scripts/check-web

build: ## Build the release binaries
	cargo build --release --locked --workspace --bins

# The short forms: together under five minutes on two cores. The floor is measured in turns with the fan-out. As many sessions as
# the budgets speak of, where that is quick: a server's own memory and a message's own way are divided by them.
SHORT_fanout := fanout --sessions 12000 --seconds 30
SHORT_idle := idle --sessions 18000 --seconds 20 --repeats 1
SHORT_idle-tls := idle --tls --sessions 4000 --seconds 10 --repeats 2
SHORT_storm := storm --seconds 10
SHORT_storm-tls := storm --tls --sessions 2000 --seconds 6 --repeats 3
SHORT_stall := stall --seconds 12 --repeats 2
SHORT := fanout idle idle-tls storm storm-tls stall

# What failed is told at the end: the others are measured, and the report is printed all the same. Files of an earlier bench
# go first, or the report would take them for this one's.
bench: build ## Measure the short form of each scenario beside its budgets, into target/bench
	@mkdir -p target/bench
	@rm -f $(SHORT:%=target/bench/%.json)
	@failed=""; \
	$(foreach form,$(SHORT),$(BINARIES)/release/samtale-loadtest $(SHORT_$(form)) --json target/bench/$(form).json || failed+=" $(form)";) \
	measured=""; for file in $(SHORT:%=target/bench/%.json); do [[ ! -e $$file ]] || measured+=" $$file"; done; \
	$(BINARIES)/release/samtale-loadtest report $$measured; \
	[[ -z $$failed ]] || { echo "bench: these failed:$$failed"; exit 1; }

soak: ## Run the same tests at full figures, then ten minutes of chaos, which takes hours (SEED=1)
	@SEED=$(SEED) scripts/soak

chaos: build ## Hurt a cluster while clients talk, and let the checker judge (SECONDS=600, SEED=1)
	@exec $(BINARIES)/release/samtale-chaos --seconds $(if $(SECONDS),$(SECONDS),600) --seed $(SEED)

loadtest: build ## Run one load scenario, and leave a page of it (SCENARIO=fanout, ARGS="--sessions 12000 --tls")
	@mkdir -p target/bench
	@[[ $(SCENARIO) != peers ]] || scripts/peers
	$(BINARIES)/release/samtale-loadtest $(SCENARIO) --json target/bench/$(SCENARIO).json $(ARGS)

audit: ## Check licences, sources and advisories of all dependencies, with cargo-deny
	@cargo deny --version >/dev/null 2>&1 || { echo "cargo-deny is missing: cargo install --locked cargo-deny"; exit 1; }
	cargo deny --locked check
