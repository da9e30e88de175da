# Every target does the set-up it needs; what is there already costs nothing. `make help` lists them.
.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: demo stress lb servers server client proto test test-all test-sanitizers bench clean help

VENV   := .venv
PYTHON := $(VENV)/bin/python
BUILT_FROM := pyproject.toml CMakeLists.txt tools/setup.sh $(wildcard cmake/*.cmake) $(shell find cpp -type d -o -name '*.[ch]pp')
GENERATED := $(addprefix python/lbsuite/,wire/lbsuite.binpb wire/messages.pyi wire/orca.binpb wire/orca_messages.pyi registry/etcd.binpb registry/etcd_messages.pyi)

LB       ?= 127.0.0.1:50050
CLIENTS  ?= 10
DURATION ?= 10
STRATEGY ?= least_load
BENCHES  ?= round_robin policies membership call_cost

demo: $(GENERATED) $(VENV)/run  ## etcd, a balancer and 25 backends under load, and what each strategy makes of it
	$(PYTHON) -m lbsuite.demo

stress: $(GENERATED) $(VENV)/run  ## an HTTP proxy with each roster in turn under load: throughput and fairness
	$(PYTHON) -m lbsuite.round_robins --folder build

lb: $(GENERATED) $(VENV)/run  ## a balancer on LB, without etcd
	$(PYTHON) -m lbsuite lb --listen $(LB) --no-etcd

servers: $(GENERATED) $(VENV)/run  ## etcd, a balancer on LB and 3 backends, shown live
	$(PYTHON) -m lbsuite servers -n 3 --listen $(LB)

server: $(GENERATED) $(VENV)/run  ## 3 more backends for the balancer that runs on LB
	$(PYTHON) -m lbsuite servers -n 3 --lb $(LB)

client: $(GENERATED) $(VENV)/run  ## CLIENTS callers of the balancer on LB for DURATION seconds with STRATEGY
	$(PYTHON) -m lbsuite client --clients $(CLIENTS) --duration $(DURATION) --strategy $(STRATEGY) --lb $(LB)

proto: $(VENV)/schema  ## descriptor sets and types, from the .proto files
	$(PYTHON) tools/schema.py

test: $(VENV)/develop $(GENERATED)  ## every test but the slow ones
	$(PYTHON) -m pytest -m "not slow" -n 2 --dist loadfile

test-all: $(VENV)/develop $(GENERATED)  ## every test
	$(PYTHON) -m pytest

test-sanitizers: $(VENV)/develop  ## the C++ tests under the address, undefined-behaviour and thread sanitizers
	export PATH="$(CURDIR)/$(VENV)/bin:$$PATH" && for preset in asan tsan; do \
	  cmake --preset $$preset && cmake --build --preset $$preset && ctest --preset $$preset || exit; done

bench: $(VENV)/develop $(GENERATED)  ## what picks cost, beside their peers; BENCHES names others of tests/bench
	for bench in $(BENCHES); do $(PYTHON) tests/bench/$$bench.py || exit; done

clean:  ## removes build output and generated code; .venv stays
	rm -rf build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis python/lbsuite/_core*.so
	rm -f $(GENERATED) $(VENV)/run $(VENV)/schema $(VENV)/develop
	find python tests tools -name __pycache__ -prune -exec rm -rf {} +

help:
	@sed -n 's/^\([a-z-]*\):.*  ## /\1|/p' $(firstword $(MAKEFILE_LIST)) | while IFS='|' read -r target line; do printf '  make %-15s %s\n' "$$target" "$$line"; done

# Committed, so only `make clean` brings these about; `make proto` is for a changed .proto.
$(GENERATED):
	$(MAKE) proto

$(VENV)/run $(VENV)/schema $(VENV)/develop: $(BUILT_FROM)
	tools/setup.sh $(@F)
