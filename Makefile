# SPDX-License-Identifier: GPL-2.0-only
# The front door. Each target is one script or a few; `make` alone lists them.

PLATFORM ?= amd
export PLATFORM

.PHONY: help setup demo test check kernel kernel-debug kernel-off shell bench \
	lib tools lint hooks-test tree refresh patch clean

help: ## this list
	@echo 'Targets:'
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-14s%s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo 'PLATFORM=amd (QEMU, default) or intel (bochs) chooses the machine of demo, test, shell, bench.'
	@echo 'Everything that can be built again is kept in $${BULKHEAD_CACHE:-~/.cache/bulkhead}.'

setup: ## name the Debian packages needed, install the missing ones
	@scripts/setup

demo: ## a guest on restricted page tables, and what is mapped in them
	@scripts/demo

test: ## everything: what needs no machine, then the tests inside the booted kernels
	@scripts/test

check: hooks-test ## what needs no virtual machine: hooks, library, tool, unit tests
	@$(MAKE) -s -C lib check
	@$(MAKE) -s -C tools/bulkhead check
	@if [ -f tests/unit/Makefile ]; then $(MAKE) -C tests/unit check; fi

lib: ## libbulkhead into build/lib/; `make -C lib install` has DESTDIR and PREFIX
	@$(MAKE) -s -C lib

tools: ## the command `bulkhead` into build/tools/; `make -C tools/bulkhead install`
	@$(MAKE) -s -C tools/bulkhead

kernel: ## build the host kernel into build/kernel/
	@scripts/build-kernel product

kernel-debug: ## the same with KASAN, lockdep and the other checkers
	@scripts/build-kernel debug

kernel-off: ## the patched kernel with all of ours configured out
	@scripts/build-kernel off

shell: ## a shell in the booted host kernel
	@scripts/shell

bench: ## measure what it costs
	@scripts/bench

lint: ## style, function size, headers, sparse, shell scripts
	@scripts/lint

hooks-test: ## break hooks on purpose: each must be refused by name
	@tests/hooks/run

tree: ## a git tree of the patched kernel in build/tree, to develop in
	@scripts/dev-tree

refresh: ## carry edits in build/tree back to kernel/ and hooks/
	@scripts/refresh-hooks

patch: ## a git-am series against the distribution's source in build/patch/
	@scripts/export-patch

clean: ## remove build/; compiled objects stay in the cache
	rm -rf build
