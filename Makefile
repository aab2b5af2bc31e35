# Posthouse. `make` tells what there is.
SHELL := /bin/sh
ARCH := $(shell uname -m | sed -e 's/x86_64/x64/' -e 's/aarch64/arm64/')
RUNTIME := node_modules/node-linux-$(ARCH)
NODE := $(RUNTIME)/bin/node
SOURCES := $(shell find src -name '*.ts' -o -name '*.json' -o -name '*.sql' -o -name '*.txt' -o -name '*.sbl' -o -name '*.stop')
TESTS ?=

help: ## tell what can be made
	@sed -n 's/^\([a-z-]*\):.*## /  make \1	/p' Makefile packaging/package.mk | expand -t 24

build: build/compiled build/lmdb.stamp ## fetch what is needed and compile src to dist

run: build ## start a site here: make run [SITE=folder] [PORT=number]
	@SITE='$(SITE)' PORT='$(PORT)' sh tools/run.sh

test: build node_modules/node-pty/build/Release/pty.node ## run all tests: make test [TESTS='test/port/*.test.ts']
	@$(NODE) tools/test.ts $(TESTS)

lint: build/modules build/port.node ## check types, style and the order of the floors
	@$(NODE) node_modules/typescript/bin/tsc --noEmit
	@$(NODE) node_modules/typescript/bin/tsc --noEmit -p test/tsconfig.json
	@$(NODE) node_modules/oxlint/bin/oxlint --quiet
	@$(NODE) tools/check_floors.ts

bench: build ## measure side by side with Debian's PostgreSQL 15
	@$(NODE) test/bench/bench.ts

bench-statements: build ## the same for 150 kinds of statements, slowest first: not what is to be reached, but what is odd
	@$(NODE) test/bench/statements.ts

bench-libpq: build ## measure LIBPQ side by side with pg and postgres (postgres.js)
	@$(NODE) test/bench/libpq.ts

torture: build ## the long form of the crash tests
	@TORTURE=1 TEST_LIMIT=120 $(NODE) tools/test.ts test/torture/*.test.ts test/storage/power_cut.test.ts

clean: ## remove what was built
	rm -rf build dist src/port/port.node

# What npm fetches, with any npm of Node 18 or later, in the versions of package-lock.json (`npm ci` would also want every
# optional package of other platforms, which not every registry has). Install scripts stay off: the packages come with
# what they need, but for node-pty, which only tests use.
build/modules: package.json package-lock.json
	@mkdir -p build
	@cmp -s package-lock.json node_modules/.installed || \
	  { npm install --no-save --ignore-scripts --no-audit --no-fund --loglevel=error && cp package-lock.json node_modules/.installed; }
	@touch $@

node_modules/node-pty/build/Release/pty.node: | build/modules
	@PATH="$(CURDIR)/$(RUNTIME)/bin:$$PATH" $(NODE) node_modules/node-gyp/bin/node-gyp.js rebuild --silent \
	  -C node_modules/node-pty --nodedir="$(CURDIR)/$(RUNTIME)"

# The addon of the package lmdb loses commits when environments are opened meanwhile: ours is compiled with a patch.
build/lmdb.stamp: tools/lmdb.patch tools/build_lmdb.sh build/modules
	@sh tools/build_lmdb.sh $(RUNTIME)
	@touch $@

build/port.node: src/port/port.c src/port/icu.c | build/modules
	$(CC) -shared -fPIC -O2 -Wall -Wextra -fvisibility=hidden -I$(RUNTIME)/include/node $^ -o $@
	@cp $@ src/port/port.node.new && mv src/port/port.node.new src/port/port.node

build/heap.so: src/port/heap.c
	@mkdir -p build
	$(CC) -shared -fPIC -O2 -Wall -Wextra -fvisibility=hidden $< -o $@

# Types are lint's business; this only strips them, in a second.
build/compiled: $(SOURCES) build/modules build/port.node build/heap.so tsconfig.json tools/compile.sh tools/client_bundle.ts tools/client_cache.cjs
	@sh tools/compile.sh $(NODE)
	@touch $@

.PHONY: help build run test lint bench bench-statements bench-libpq torture clean

include packaging/package.mk
