# Everything that is done to this project by hand. Each target does its own set-up.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help serve up down migrate create-admin test quick coverage fuzz check fix messages migration bench soak screenshots lock clean

VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/pip install --quiet --disable-pip-version-check
UV := build/uv/bin/uv
SECRETS := data/secrets
NODE_PACKAGES := tests/js/node_modules/.package-lock.json

# List the targets
help:
	@awk '/^# /{text=substr($$0,3)} /^$$/{text=""} /^[a-z-]+:/&&text{sub(":.*",""); printf "make %-12s %s\n",$$0,text}' Makefile

# Run the server for development (ARGS="--port 9000" to pass options)
serve: $(VENV)/.serve
	@exec $(BIN)/oidc-server serve --dev $(ARGS)

# Start two nodes in containers, with all they need; or replace them one after the other by the program of now
up: docker $(SECRETS)/secret_key $(SECRETS)/postgres_password $(SECRETS)/database_url
	@docker compose build
	@if $(CONTAINERS_ARE_UP); then docker compose run --rm migrate; \
	  for node in node-1 node-2; do docker compose up --detach --wait --no-deps $$node; done; fi
	@docker compose up --detach --wait
	@echo "The server is at http://localhost:8000, its mails at http://localhost:8025. Next: make create-admin"

# Stop the containers; what they keep stays
down: docker
	@docker compose down

# Bring the database to the schema of this program: in the containers if they are up, else on this machine
migrate:
	@if $(CONTAINERS_ARE_UP); then echo "In the containers:" >&2; docker compose run --build --rm migrate; \
	else echo "On this machine:" >&2; $(MAKE) --silent $(VENV)/.serve; $(BIN)/oidc-server db upgrade $(ARGS); fi

# Make an administrator, there or here (username=ada email=ada@example.com, or it asks), while the server runs or not
create-admin:
	@username="$(username)" email="$(email)"; \
	{ test -n "$$username" || read -rp "Username: " username; } && \
	{ test -n "$$email" || read -rp "E-mail address: " email; } || \
	  { echo "Nobody answers; say who: make create-admin username=ada email=ada@example.com" >&2; exit 1; }; \
	set -- users add --admin --username "$$username" --email "$$email" $(ARGS); \
	if $(CONTAINERS_ARE_UP); then echo "In the containers:" >&2; \
	  docker compose exec $$(test -t 0 || echo -T) node-1 oidc-server "$$@"; \
	else echo "On this machine:" >&2; $(MAKE) --silent $(VENV)/.serve; $(BIN)/oidc-server "$$@"; fi

# Run every test, and install what they need
test: $(VENV)/.test debian-packages node-packages
	@$(BIN)/pytest -n auto --dist worksteal $(ARGS)

# Run the tests of the inner loop: on SQLite alone, no browser, no races, nothing slow
quick: $(VENV)/.test
	@$(BIN)/pytest -n auto --dist worksteal \
	  -m "not browser and not node and not postgres and not race and not slow" $(ARGS)

# Demand of the quick tests the coverage that pyproject.toml states
coverage:
	@$(MAKE) --silent quick ARGS="--cov --cov-report=term $(ARGS)"

# Feed every address food that nobody has seen (seconds=60 for each test, ARGS="-k sqlite")
fuzz: $(VENV)/.test
	@FUZZ_SECONDS=$(or $(seconds),60) $(BIN)/pytest -n auto --dist worksteal tests/fuzz $(ARGS)

# Check style, types, import direction, templates and migrations
check: $(VENV)/.test
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/djlint --lint --quiet templates
	@heads=$$($(BIN)/alembic heads); test "$$(grep -c '(head)' <<<"$$heads")" = 1 || { echo "Not one head: $$heads"; exit 1; }

# Mend style where that is mechanical
fix: $(VENV)/.test
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

# Bring the catalogues in oidc_server/locale to the words of templates and program; then translate what is new
messages: $(VENV)/.test
	@mkdir -p build
	@$(BIN)/pybabel -q extract --mapping-file oidc_server/locale/babel.cfg --keywords Words --no-wrap --sort-by-file \
	  --omit-header --add-location file --output-file build/messages.pot .
	@for catalogue in oidc_server/locale/*/LC_MESSAGES/messages.po; do \
	  $(BIN)/pybabel -q update --input-file build/messages.pot --output-file "$$catalogue" --no-wrap --ignore-obsolete \
	    --no-fuzzy-matching --omit-header --locale "$$(basename "$$(dirname "$$(dirname "$$catalogue")")")"; \
	  sed -i '$${/^$$/d}' "$$catalogue"; done

# Write a migration from what changed in the models (m="add passkeys")
migration: $(VENV)/.test
	@test -n "$(m)" || { echo 'say what it does: make migration m="add passkeys"'; exit 1; }
	@mkdir -p build && rm -f build/scratch.db
	$(BIN)/alembic -x scratch=build/scratch.db upgrade head
	$(BIN)/alembic -x scratch=build/scratch.db revision --autogenerate --message "$(m)" --rev-id "$$(printf '%04d' $$(($$(ls migrations/versions/[0-9]*.py | wc -l) + 1)))"

# Measure every operation beside a peer (ARGS=--quick, --only NAME, --alone, --profile NAME, --growth, --memory, --overload)
bench: $(VENV)/.test debian-packages node-packages
	@$(BIN)/python -m benchmarks $(ARGS)

# Run a server for minutes=10 and look whether anything grows (ARGS=--postgresql instead of SQLite)
soak: $(VENV)/.test
	@$(BIN)/python -m benchmarks.soak --minutes $(or $(minutes),10) $(ARGS)

# Take pictures of every page, narrow and wide, light and dark, into docs/screenshots
screenshots: $(VENV)/.test debian-packages node-packages
	@rm -rf docs/screenshots
	@$(BIN)/pytest tests/browser_flows/every_page --screenshots=docs/screenshots $(ARGS)

# Rewrite the lock files from pyproject.toml (ARGS=--upgrade for the newest versions)
lock: $(UV)
	$(call compile,--extra build) --output-file requirements.lock
	$(call compile,--extra build --extra dev) --constraint requirements.lock --output-file requirements-dev.lock

# Remove all that the other targets made, but never data/
clean:
	rm -rf $(VENV) build dist tests/js/node_modules .coverage .coverage.* htmlcov
	rm -rf .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +


# --- set-up: a stamp in the virtual environment says which lock file was installed last

$(VENV)/.serve: requirements.lock pyproject.toml | $(BIN)/python
	@echo "Installing the server into $(VENV) …"
	@$(INSTALL) --require-hashes --no-deps --requirement requirements.lock
	@$(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.test: requirements-dev.lock pyproject.toml | $(BIN)/python
	@echo "Installing the server and its tools into $(VENV) …"
	@$(INSTALL) --require-hashes --no-deps --requirement requirements-dev.lock
	@$(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $(VENV)/.serve $@

$(BIN)/python:
	@python=$$(for name in python3 python3.13 python3.12 python3.11; do \
	  $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$name; break; }; done); \
	test -n "$$python" || { echo "Python 3.11 or newer is needed" >&2; exit 1; }; \
	$$python -m venv $(VENV)

$(UV): | $(BIN)/python
	@$(BIN)/python -m venv build/uv
	@build/uv/bin/pip install --quiet uv==0.13.9

compile = $(UV) pip compile --quiet pyproject.toml $(1) --universal --fork-strategy fewest \
  --python-version 3.11 --generate-hashes --no-annotate --no-header >/dev/null

.PHONY: docker debian-packages node-packages

CONTAINERS_ARE_UP = test -n "$$(docker compose ps --quiet node-1 2>/dev/null)"

docker:
	@cannot() { echo "$$1. Without Docker there is make serve: it needs nothing but Python" >&2; exit 1; }; \
	command -v docker >/dev/null || cannot "Docker is not installed"; \
	docker compose version >/dev/null 2>&1 || cannot "Docker has no Compose: install its plugin docker-compose"; \
	docker info >/dev/null 2>&1 || cannot "Docker's engine does not answer: start it"

# Readable to the users in the containers: what keeps others out is the mode of the folder.
$(SECRETS):
	@test -d data || install -d -m 700 data
	@install -d -m 700 $@

$(SECRETS)/secret_key: | $(SECRETS)
	@umask 022; head -c 48 /dev/urandom | base64 | tr -d '\n' >$@

$(SECRETS)/postgres_password: | $(SECRETS)
	@umask 022; head -c 24 /dev/urandom | od -An -tx1 | tr -d ' \n' >$@

$(SECRETS)/database_url: $(SECRETS)/postgres_password
	@umask 022; echo "postgresql://oidc:$$(cat $<)@postgres/oidc" >$@

debian-packages: tests/debian-packages.txt
	@mkdir -p build
	@if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && ! dpkg --status $$(cat $<) >/dev/null 2>&1; then \
	  echo "Installing $$(xargs <$<) …"; \
	  { apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends $$(cat $<); } \
	    >build/apt.log 2>&1 || echo "NOT INSTALLED: $$(xargs <$<); see build/apt.log"; \
	fi

node-packages:
	@if command -v npm >/dev/null; then $(MAKE) --silent $(NODE_PACKAGES) || echo "NOT INSTALLED: packages for Node.js"; fi

$(NODE_PACKAGES): tests/js/package-lock.json tests/js/package.json
	@cd tests/js && npm ci --silent --no-audit --no-fund
	@touch $@
