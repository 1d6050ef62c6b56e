# The course in two commands: `make lab` to learn, `make test` to check. Every target makes .venv first where it is missing or stale.
PYTHON ?= $(if $(filter Windows_NT,$(OS)),python,python3)
WORKERS ?= 2
TESTS ?= notebooks tests
NOTEBOOKS ?=
VENV = @$(PYTHON) tools/venv.py

.DEFAULT_GOAL := help
.PHONY: lab install test refresh bench help
test refresh bench: export OMP_NUM_THREADS = 1

lab: ## open the first lesson in JupyterLab
	$(VENV) -m jupyter lab $(firstword $(sort $(wildcard notebooks/*.ipynb)))
install: ## make .venv with everything the lessons need, and open nothing
	$(VENV)
test: ## run every notebook with nbval, and every unit test (one file: TESTS=notebooks/02_backward.ipynb)
	$(VENV) --with=test -m pytest -n $(WORKERS) --dist loadfile $(TESTS)
refresh: ## run the notebooks afresh and store their outputs (one: NOTEBOOKS=notebooks/02_backward.ipynb)
	$(VENV) --with=test tools/refresh.py $(NOTEBOOKS)
bench: ## measure everything again and write benchmarks/README.md
	$(VENV) --with=bench benchmarks/run.py
help: ## show this list
	@sed -n 's/^\([a-z]*\): ## \(.*\)/make \1#\2/p' $(MAKEFILE_LIST) | awk -F'#' '{ printf "%-14s %s\n", $$1, $$2 }'
