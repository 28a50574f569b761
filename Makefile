# `make help` lists what a person types. Needs python3 (3.11 or later) with pip; everything else goes into .venv.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PYWB := $(VENV)/pywb
CHECKS := $(VENV)/deploy
NPM := $(VENV)/npm
WACZ := $(VENV)/wacz
PLAYER := $(NPM)/player
CODE := config crawler jobs tests setup.py

.DEFAULT_GOAL := help
.PHONY: help demo test check soak bench bench-extract bench-newcomers bench-room bench-year wheel clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(READY) ## crawl a bundled news site while an article changes; the archive lands in ./demo
	@$(BIN)/python -m tests.demo

# The worker that is through takes over what the other still has; by default one is left idle with hundreds to go.
# Compiled once, since each of the many processes would do it anew where Python is told to write no bytecode.
test: $(READY) $(PYWB)/.tried $(CHECKS)/.tried $(CHECKS)/.promtool $(NPM)/.tried $(WACZ)/.tried $(PLAYER)/.tried ## all tests but the long counts
	@$(BIN)/python -m compileall -q config crawler jobs
	$(BIN)/python -m pytest -n 2 --dist worksteal -m "not soak"

check: $(READY) ## lint, format, spelling, types, layers: under a minute
	$(BIN)/ruff check $(CODE)
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/codespell
	$(BIN)/mypy
	$(BIN)/lint-imports

soak: $(READY) $(PYWB)/.tried $(CHECKS)/.tried $(CHECKS)/.promtool $(NPM)/.tried $(WACZ)/.tried $(PLAYER)/.tried ## the long counts: many kills, many pages
	$(BIN)/python -m pytest -m soak

# More words in ARGS, such as --only wget or --out DIR.
bench: $(READY) ## our crawl beside Scrapy's and wget's on the same pages: tables and plots in bench/; ROUNDS=5 PAGES=3000
	@$(BIN)/python -m tests.benchmarks.compare $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(PAGES),--pages $(PAGES)) $(ARGS)

# More words in ARGS, such as --quick or --only quality,speed.
bench-extract: $(READY) ## quality, stability, speed and cost of the clean text beside trafilatura's; EVAL=DIR of real pages
	@$(BIN)/python -m tests.benchmarks.extract $(if $(EVAL),--eval '$(EVAL)') $(ARGS)

# More words in ARGS, such as --seed 3 or --short 300.
bench-year: $(READY) ## a simulated year of rechecks, adaptive, by fixed ages and flat: table and plot in bench/; some ten minutes
	@$(BIN)/python -m tests.benchmarks.year $(ARGS)

# A folder after the number keeps the archive, to be measured again.
bench-room: $(READY) ## what the reading room costs over 20,000 articles of made-up words: times, memory; ARGS=300000 of more
	@$(BIN)/python -m tests.benchmarks.room $(ARGS)

# More words in ARGS, such as --only feed.
bench-newcomers: $(READY) ## what sources add and a crawl find of sites nobody has described: a table; MIRROR=DIR of more sites
	@$(BIN)/python -m tests.benchmarks.newcomers $(if $(MIRROR),--mirror '$(MIRROR)') $(ARGS)

wheel: $(READY) ## a wheel in dist/ whose modules that read and record pages are compiled; needs a C compiler, some minutes
	rm -rf build
	COMPILE_OFRECORD=1 $(BIN)/python -m pip wheel --no-deps --wheel-dir dist .

clean: ## remove .venv, the demo's archive, what make bench wrote, and every cache
	rm -rf $(VENV) demo bench build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# Debian splits venv from its pip: where python3-venv is missing, the system's pip fills a venv that has none.
# -qq: warnings of old pips are of no use to who reads them here; errors are shown.
$(READY): export PYTHONNOUSERSITE := 1
$(READY): export PIP_USER := 0
$(READY): export PIP_DISABLE_PIP_VERSION_CHECK := 1
$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "$(PYTHON) is older than 3.11; say which to use: make PYTHON=python3.12"; exit 1; }
	@test -x $(BIN)/python && $(BIN)/python -m pip --version >/dev/null 2>&1 \
		|| $(PYTHON) -m venv --clear $(VENV) >/dev/null 2>&1 \
		|| { $(PYTHON) -m venv --clear --without-pip $(VENV) \
			&& $(PYTHON) -m pip --python $(BIN)/python install -qq pip; }
	@echo "installing into $(VENV), a minute or two the first time"
	@$(BIN)/python -m pip install -qq --constraint constraints.txt --editable '.[dev]'
	@touch $@

# The replay tests need pywb. It is GPL: a tool beside ours, in a venv of its own, never a dependency. Where it cannot
# be had, those tests are skipped and say so.
$(PYWB)/.tried: tests/pywb.txt | $(READY)
	@$(BIN)/python -m venv --clear $(PYWB) >/dev/null 2>&1 \
		|| { $(BIN)/python -m venv --clear --without-pip $(PYWB) \
			&& $(BIN)/python -m pip --python $(PYWB)/bin/python install -qq pip; }
	@$(PYWB)/bin/python -m pip install -qq --requirement tests/pywb.txt \
		|| echo "pywb could not be installed: the replay tests will be skipped"
	@touch $@

# What checks deploy/ (hadolint, cfn-lint, …): tools, in a venv of their own for the same reason, and for their weight.
$(CHECKS)/.tried: tests/deploy.txt | $(READY)
	@$(BIN)/python -m venv --clear $(CHECKS) >/dev/null 2>&1 \
		|| { $(BIN)/python -m venv --clear --without-pip $(CHECKS) \
			&& $(BIN)/python -m pip --python $(CHECKS)/bin/python install -qq pip; }
	@$(CHECKS)/bin/python -m pip install -qq --requirement tests/deploy.txt \
		|| echo "the tools that check deploy/ could not be installed: those tests will be skipped"
	@touch $@

# promtool checks deploy/prometheus/. There is no wheel of it; Debian's package of Prometheus (19 MB) has it, and is
# unpacked and not installed, which takes seconds and no rights unless its list of packages is empty.
$(CHECKS)/.promtool: | $(CHECKS)/.tried
	@command -v promtool >/dev/null || { folder=$$(mktemp -d) && cd $$folder \
		&& { apt-get -qq -o APT::Sandbox::User= download prometheus 2>/dev/null || { apt-get -qq update \
			&& apt-get -qq -o APT::Sandbox::User= download prometheus; }; } \
		&& dpkg -x prometheus_*.deb . && install usr/bin/promtool $(CURDIR)/$(CHECKS)/bin/ && rm -r $$folder; } \
		|| echo "promtool could not be had: the tests of deploy/prometheus will be skipped"
	@touch $@

# What judges the reading room's pages: a browser of the machine's runs the one, node the other.
$(NPM)/.tried: tests/npm.txt | $(READY)
	@mkdir -p $(NPM)
	@npm install --prefix $(NPM) --no-save --ignore-scripts --no-audit --no-fund --loglevel error \
			$$(grep -v '^#' tests/npm.txt) >/dev/null \
		|| echo "axe-core and html-validate could not be installed: the tests of the room's pages will be skipped"
	@touch $@

# What checks the WACZ files that we write.
$(WACZ)/.tried: tests/wacz.txt | $(READY)
	@$(BIN)/python -m venv --clear $(WACZ) >/dev/null 2>&1 \
		|| { $(BIN)/python -m venv --clear --without-pip $(WACZ) \
			&& $(BIN)/python -m pip --python $(WACZ)/bin/python install -qq pip; }
	@$(WACZ)/bin/python -m pip install -qq --requirement tests/wacz.txt \
		|| echo "wacz could not be installed: its test will be skipped"
	@touch $@

# In what WACZ files are replayed, in a browser: its tarball, unpacked and not installed.
$(PLAYER)/.tried: tests/player.txt | $(NPM)/.tried
	@mkdir -p $(PLAYER)
	@npm pack --silent --pack-destination $(PLAYER) $$(grep -v '^#' tests/player.txt) >/dev/null \
		&& tar -xzf $(PLAYER)/*.tgz -C $(PLAYER) --strip-components=1 && rm $(PLAYER)/*.tgz \
		|| echo "replayweb.page could not be had: the test of replay in a browser will be skipped"
	@touch $@
