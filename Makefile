# Each target sets itself up. Works with GNU make 3.81 (macOS) and newer.
#
#   make run      the chat at http://localhost:3000      (PORT=3001 BACKEND_PORT=8001 to move it)
#   make test     all tests, the browser's included      (ARGS="-k rooms" to choose)
#   make bench    figures, beside other chat servers     (ONLY=fanout,history VIEWERS=50,200 SIZE=10000000 to choose)
#   make chaos    kill, cut, drop and repeat; check     (SEED=7 to repeat a run; docs/chaos.md)
#   make soak     hours of coming and going             (MINUTES=60)
#   make screenshots  pictures of every page              (SIZES=390x844 THEMES=dark ONLY=settings to choose)
#   make check    style, types, architecture
#   make lock     the lock files anew, from pyproject.toml
#   make clean    remove what a run made                 (DATA=yes: the local database too)

SHELL = /bin/sh
VENV = .venv
BIN = $(VENV)/bin
ARGS =

# A changed lock file is a new stamp, and the environment is brought in line with it.
APP = $(VENV)/app-$(shell cksum < requirements.lock | cut -d' ' -f1)
DEV = $(VENV)/dev-$(shell cksum < requirements-dev.lock | cut -d' ' -f1)

.PHONY: run test check bench chaos soak screenshots lock clean browser redis
.DEFAULT_GOAL = run

run: $(APP)
	@$(BIN)/python -m chatapp

test: $(DEV) browser redis
	@tools/test $(ARGS)

check: $(DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q tests/test_architecture.py

# Lines of JSON on standard output, what goes on on standard error: `make -s bench > results.jsonl`.
bench: $(DEV)
	@$(BIN)/python -m tests.bench

chaos: $(DEV)
	@$(BIN)/python -m tests.chaos

soak: $(DEV)
	@$(BIN)/python -m tests.chaos.soak

screenshots: $(DEV) browser
	@$(BIN)/python -m tests.screenshots

# `universal`: one lock for every platform. No addresses in it: whose mirror it was made with is nobody's concern.
COMPILE = $(BIN)/uv pip compile -q pyproject.toml --universal --generate-hashes --no-emit-index-url --custom-compile-command "make lock" $(UPGRADE)
lock: $(BIN)/uv
	$(COMPILE) -o requirements.lock
	$(COMPILE) --group dev -c requirements.lock -o requirements-dev.lock
	@if grep -n '://' requirements*.lock; then echo "The lock files must not carry addresses."; exit 1; fi

clean:
	@if [ "$(DATA)" = yes ] && [ -d .standin ]; then $(MAKE) -s $(APP) && $(BIN)/python -m chatapp.standin reset; fi
	@if [ "$(DATA)" = yes ]; then rm -rf .bench; fi
	rm -rf $(VENV) .bench-venv .web .web-tests .states .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis .chaos .chatapp.lock tests/standin/js/node_modules
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	@if [ -d .standin ]; then echo "Kept: .standin, the local database. \`make clean DATA=yes\` removes it too."; fi

# --- The environment -----------------------------------------------------------------------------------------------------

$(APP): $(BIN)/uv
	@tools/install requirements.lock
	@rm -f $(VENV)/app-* && touch $@

$(DEV): $(BIN)/uv
	@tools/install requirements-dev.lock
	@rm -f $(VENV)/app-* $(VENV)/dev-* && touch $(APP) $@

$(BIN)/uv:
	@tools/environment

browser: $(DEV)
	@tools/browser

redis: $(DEV)
	@tools/redis
