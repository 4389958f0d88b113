# make shows what there is to make. Variables are set as in
#
#	make run ARGS='-p inet:8890@127.0.0.1'
#	make bench BENCH=Decode PKG=./protocol COUNT=10 >new.bench
#
# GO        the go command
# ARGS      arguments of "millstream serve"
# PKG       packages for bench and fuzz
# BENCH     which benchmarks, COUNT how often each
# OLD, NEW  results of bench, for benchstat
# FUZZTIME  how long each fuzz target runs

GO = go
ARGS =
PKG = ./...
BENCH = .
COUNT = 1
OLD = old.bench
NEW = new.bench
FUZZTIME = 30s

# Tools have a module of their own, so that nobody who uses this one gets theirs.
# The go command builds one when it is first asked for, and keeps it in its cache.
TOOL = $(GO) tool -modfile=.ci/go.mod
LINT = $(TOOL) golangci-lint
TEST = $(GO) test -timeout 20m
SCRIPTS = .ci/run $$(find . -name '*.sh')

help: ## show this
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-15s %s\n", $$1, $$2 }' Makefile

run: build ## build and run "millstream serve" (ARGS)
	bin/millstream serve $(ARGS)

build: ## build bin/millstream
	$(GO) build -o bin/millstream ./cmd/millstream

# Tests named Alloc count allocations, which is of no use under the race
# detector; benchmarks run once each, so that none is broken when it is needed.
test: ## run all tests, end-to-end tests too where they can be
	@if [ -f bench/e2e/install.sh ]; then sh bench/e2e/install.sh; fi
	$(TEST) -run Alloc -bench . -benchtime 1x ./...
	$(TEST) -race ./...

bench: ## run the benchmarks (PKG, BENCH, COUNT)
	@$(TEST) -run '^$$' -bench '$(BENCH)' -benchmem -count $(COUNT) $(PKG)

benchstat: ## compare two results of bench (OLD, NEW)
	@$(TOOL) benchstat $(OLD) $(NEW)

bench-peers: ## measure against other milter libraries
	$(MAKE) -C bench/peers

bench-growth: ## plot how the cost of a message grows
	$(MAKE) -C bench/peers growth

bench-fairness: ## measure what sessions do to each other
	$(MAKE) -C bench/peers fairness

bench-telemetry: ## measure what traces and metrics cost
	$(MAKE) -C bench/peers telemetry

# To make an input smaller may take a minute, in which nothing new is tried: where
# execution depends on time, as with sockets, the same code is hardly reached again.
fuzz: ## run each fuzz target for FUZZTIME (PKG)
	@set -e; packages=$$($(GO) list $(PKG)); \
	for package in $$packages; do \
		list=$$($(GO) test -list '^Fuzz' "$$package"); \
		for target in $$(printf '%s\n' "$$list" | sed -n '/^Fuzz/p'); do \
			echo "$$package $$target"; \
			$(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 100x "$$package"; \
		done; \
	done

lint: ## check format, Go code and shell scripts
	$(GO) vet ./...
	$(LINT) config verify
	$(LINT) run
	@for script in $(SCRIPTS); do bash -n "$$script" || exit 1; done
	@if command -v shellcheck >/dev/null; then shellcheck $(SCRIPTS); fi

fmt: ## format the Go code
	$(LINT) fmt

cover: ## write coverage.html: what the tests reach of protocol and actors
	$(TEST) -coverprofile coverage.out -coverpkg ./protocol,./actors ./protocol/... ./handlers/... ./actors/... ./netio/...
	@$(GO) tool cover -html coverage.out -o coverage.html
	@$(GO) tool cover -func coverage.out | tail -n 1

clean: ## remove what was built and measured
	rm -rf bin coverage.* *.bench
	find . -type f \( -name '*.test' -o -name '*.prof' \) -exec rm -f {} +

.PHONY: help run build test bench benchstat bench-peers bench-growth bench-fairness bench-telemetry fuzz lint fmt cover clean
