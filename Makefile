# The course in two commands: `make lab` to learn, `make test` to check.
# Every target first brings .venv up to date: tools/course.py does that, then runs .venv's Python with what follows it.
PYTHON ?= $(if $(filter Windows_NT,$(OS)),python,python3)
WORKERS ?= 2
TESTS ?= notebooks instructor tests
COURSE = @$(PYTHON) tools/course.py
AS_IS = $(if $(AS_IT_IS),--as-it-is)

.DEFAULT_GOAL := help
.PHONY: lab lesson solutions install test quick refresh portable pin bench slides sheets site hub wheelhouse help
test quick refresh bench: export OMP_NUM_THREADS = 1

lab: ## open your own copies of the lessons, learn/, in JupyterLab
	$(COURSE) -m course_utils lab $(AS_IS) $(if $(LAB),-- $(LAB))
lesson: ## put a clean copy of a lesson into learn/ and keep yours beside it: make lesson FRESH=02
	$(COURSE) -m course_utils lesson $(AS_IS) -- "$(FRESH)"
solutions: ## make solutions/, the instructor's edition: outputs, solutions, and what learners ask
	$(COURSE) -m course_utils solutions $(AS_IS)
install: ## make .venv with everything the lessons need, and open nothing
	$(COURSE)
test: ## run every notebook with nbval, and every unit test (one file: TESTS=notebooks/02_backward.ipynb)
	$(COURSE) --with=test --with=hub -m pytest -n $(WORKERS) --dist loadfile $(TESTS)
quick: ## run the unit tests alone, without browser, hub and notebooks, in about a minute
	$(COURSE) --with=test --with=hub -m pytest -n $(WORKERS) --dist loadfile -m "not (browser or hub or notebook or slow)" tests
refresh: ## run the notebooks afresh and store their outputs (one: NOTEBOOKS=notebooks/02_backward.ipynb)
	$(COURSE) --with=test tools/refresh.py $(NOTEBOOKS)
portable: ## try the course under other conditions, and print a table (some: WHAT="rounding-1 no-dot"; to keep it: --write)
	$(COURSE) --with=test --with=hub tests/portability/portable.py $(WHAT)
pin: ## write the versions tested in .venv, and those for other machines, to constraints.txt
	$(COURSE) --with=test --with=bench --with=hub --with=pin tools/pin.py
bench: ## measure everything again and write benchmarks/README.md
	$(COURSE) --with=bench --with=hub benchmarks/run.py
slides: ## make slides/ from the lessons, to open in any browser (one: NOTEBOOKS=notebooks/02_backward.ipynb)
	$(COURSE) --with=slides tools/slides.py $(AS_IS) $(NOTEBOOKS)
sheets: ## print sheets/, a page of each lesson's closing table, with Chromium (one: NOTEBOOKS=notebooks/02_backward.ipynb)
	$(COURSE) --with=slides tools/sheets.py $(AS_IS) $(NOTEBOOKS)
site: ## make build/site, the lessons as pages for any browser (some: NOTEBOOKS=notebooks/02_backward.ipynb)
	$(COURSE) --with=site web/build.py $(AS_IS) $(NOTEBOOKS)
hub: ## start a JupyterHub for a class on this machine (its options: HUB="--ip=0.0.0.0 --names=/etc/see-gradients/class.txt")
	$(COURSE) --with=hub deploy/jupyterhub/start.py $(AS_IS) $(HUB)
wheelhouse: ## fill wheelhouse/ for laptops without a network (for others than this: FOR="windows-3.12 macos-3.12")
	$(COURSE) tools/wheelhouse.py $(AS_IS) $(FOR)
help: ## show this list
	@sed -n 's/^\([a-z]*\): ## \(.*\)/make \1#\2/p' $(MAKEFILE_LIST) | awk -F'#' '{ printf "%-16s %s\n", $$1, $$2 }'
