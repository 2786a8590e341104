# Two commands do everything: make run, make test. Both set up .venv from the lock files first.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
PROJECTS := pyproject.toml serving/pyproject.toml
CODE := frugal_ai serving/frugal_edge tests serving/tests benchmarks demo

.PHONY: run run-gateway test lint types contracts unit coverage edge oldest signing triton ui lock models clean \
	gateway-picture benchmark-tasks benchmark-peers benchmark-edge benchmark-gateway \
	benchmark-intensity benchmark-meter benchmark-plan benchmark-board board-picture \
	french-picture

run: $(VENV)/.run
	$(BIN)/frugal-ai run pipelines/load.yaml

# A broker, a gateway with the committed bundle and twelve days of readings, in half a minute.
run-gateway: $(VENV)/.dev
	$(BIN)/python -m demo

gateway-picture: $(VENV)/.dev
	$(BIN)/python -m demo --svg docs/gateway.svg

test: lint types contracts unit

lint: $(VENV)/.dev
	$(BIN)/ruff check $(CODE)
	$(BIN)/ruff format --check $(CODE)

types: $(VENV)/.dev
	$(BIN)/mypy

contracts: $(VENV)/.dev
	$(BIN)/lint-imports

# A worker takes tests that stand together, so that what a file prepares is prepared once.
unit: $(VENV)/.dev
	$(BIN)/pytest -n auto --dist worksteal

# The same tests, traced line by line, which makes them half as fast.
coverage: $(VENV)/.dev
	$(BIN)/pytest -n auto --dist worksteal --cov --cov-report=term:skip-covered

# The gateway's distribution alone, in an environment of its own, on the committed bundle.
edge:
	rm -rf $(VENV)-edge
	$(PYTHON) -m venv $(VENV)-edge
	$(VENV)-edge/bin/python -m pip install --quiet --disable-pip-version-check ./serving
	$(PYTHON) serving/tests/installed_alone.py $(VENV)-edge/bin

# Graphs on the oldest onnxruntime that their manifests name. Python 3.11 alone has wheels of both.
oldest: $(VENV)/.dev
	rm -rf $(VENV)-oldest
	$(PYTHON) -m venv $(VENV)-oldest/plain
	$(PYTHON) -m venv $(VENV)-oldest/trees
	$(VENV)-oldest/plain/bin/python -m pip install --quiet --disable-pip-version-check \
		--only-binary :all: onnxruntime==1.15.0 numpy==1.26.4
	$(VENV)-oldest/trees/bin/python -m pip install --quiet --disable-pip-version-check \
		--only-binary :all: onnxruntime==1.21.0 numpy==1.26.4
	$(BIN)/pytest -n 0 tests/export/test_oldest_onnxruntime.py

# Signatures both ways with the official tool, in an environment of its own.
signing: $(VENV)/.dev
	rm -rf $(VENV)-signing
	$(PYTHON) -m venv $(VENV)-signing
	$(VENV)-signing/bin/python -m pip install --quiet --disable-pip-version-check \
		--require-hashes -r tests/release/model_signing.txt
	$(BIN)/pytest -n 0 tests/release/test_official_tool.py

# The real client of the Open Inference Protocol, in an environment of its own.
triton: $(VENV)/.dev
	rm -rf $(VENV)-triton
	$(PYTHON) -m venv $(VENV)-triton
	$(VENV)-triton/bin/python -m pip install --quiet --disable-pip-version-check \
		--require-hashes -r serving/tests/triton/requirements.txt
	$(BIN)/pytest -n 0 serving/tests/frugal_edge/http/test_edge_http_triton.py

# MLflow's own pages over the runs in runs/; `make ui` installs them, 0.7 GB, when first asked.
ui: $(VENV)/.dev
	$(BIN)/mlflow ui --backend-store-uri sqlite:///$(CURDIR)/runs/mlflow.db

benchmark-tasks: $(VENV)/.run
	$(BIN)/python benchmarks/tasks.py

# Other libraries on the same tasks, each in an environment of its own under .venv-peers/, 2.5 GB.
benchmark-peers: $(VENV)/.run
	$(BIN)/python -m benchmarks.peers

# Compressed models beside their teachers, C and LightGBM; two environments more, 0.6 GB.
benchmark-edge: $(VENV)/.run
	$(BIN)/python -m benchmarks.edge

# What the gateway takes: memory, rest, installs, kills, requests; an environment more, 0.2 GB.
# `python -m benchmarks.gateway http install` measures these two anew, in a minute, on a quiet machine.
benchmark-gateway: $(VENV)/.dev
	$(BIN)/python -m benchmarks.gateway

# The greenest two hours of the next day, French 2022.
benchmark-intensity: $(VENV)/.run
	$(BIN)/python -m benchmarks.intensity --write

# What the meter can tell, with the ledgers of a run of ten seconds and of one of a minute.
benchmark-meter: $(VENV)/.run
	rm -rf runs/meter
	$(BIN)/frugal-ai run pipelines/load.yaml --out runs/meter/load
	$(BIN)/frugal-ai run benchmarks/long.yaml --out runs/meter/long
	$(BIN)/python -m benchmarks.meter runs/meter/load runs/meter/long --page docs/benchmarks.md

# A run, a plan, and the run again.
benchmark-plan: $(VENV)/.run
	$(BIN)/python -m benchmarks.plan --write

# The board over 10,000 invented runs, and the weight of a page of 50 models.
benchmark-board: $(VENV)/.dev
	$(BIN)/python -m benchmarks.board --page docs/benchmarks.md

# The board and its scatter in the README, over the latest runs in runs/; needs Chromium.
STORE ?= sqlite:///$(CURDIR)/runs/mlflow.db
board-picture: $(VENV)/.dev
	$(BIN)/python -m benchmarks.board.picture page $(STORE) load docs/board.png
	$(BIN)/python -m benchmarks.board.picture scatter $(STORE) load docs/load.svg

# The same of French load: make french-picture STORE=... of a run of benchmarks/tasks/T2.yaml.
french-picture: $(VENV)/.dev
	$(BIN)/python -m benchmarks.board.picture scatter $(STORE) T2 docs/french_load.svg

$(VENV)/.run: requirements.lock $(PROJECTS)
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) --require-hashes -r requirements.lock
	$(PIP) --no-deps --no-build-isolation -e serving -e .
	touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.run
	$(PIP) --require-hashes -r requirements-dev.lock
	touch $@

# The committed reference bundles, made anew and signed with the demonstration key.
models: $(VENV)/.run
	for name in load pv wind; do \
		run=runs/models/$$name; rm -rf $$run models/$$name; \
		$(BIN)/frugal-ai run pipelines/$$name.yaml --out $$run || exit 1; \
		$(BIN)/frugal-ai sign $$run --key models/demo.pem || exit 1; \
		id=$$($(BIN)/python -c "import json; print(json.load(open('$$run/bundle/manifest.json'))['id'])"); \
		mkdir -p models/$$name; cp -r $$run/bundle models/$$name/$$id; cp -r $$run/example models/$$name; \
	done

# Needs uv. No index address may stand in the lock files.
lock:
	uv pip compile pyproject.toml --extra board --group build --no-strip-extras --universal --python-version 3.11 \
		--generate-hashes --no-emit-package frugal-edge --no-header --quiet -o requirements.lock
	uv pip compile pyproject.toml --extra board --group dev --no-strip-extras --universal --python-version 3.11 \
		--generate-hashes --no-emit-package frugal-edge --no-header --quiet \
		-c requirements.lock -o requirements-dev.lock
	uv pip compile tests/release/model_signing.in --universal --python-version 3.11 \
		--generate-hashes --no-header --quiet -o tests/release/model_signing.txt
	uv pip compile serving/tests/triton/requirements.in --universal --python-version 3.11 \
		--generate-hashes --no-header --quiet -o serving/tests/triton/requirements.txt

clean:
	rm -rf $(VENV) $(VENV)-edge $(VENV)-oldest $(VENV)-peers $(VENV)-signing $(VENV)-triton .mypy_cache .ruff_cache .pytest_cache .hypothesis
