# Two commands do everything, set-up included: `make demo` runs the main job, `make test` the tests.
# The first call sets up .venv; it is set up again only when setup.cfg or pyproject.toml changes.

SHELL := /bin/bash
VENV := .venv
READY := $(VENV)/.ready
PY := $(VENV)/bin/python
LINTED := node tests $(if $(wildcard adapters/*.py),adapters)

.PHONY: help demo test long lint bench fuzz soak clean

help:
	@echo 'make demo    一台机器上的完整交换：中心和两个部门 / a whole exchange on one machine'
	@echo 'make test    全部测试 / all tests'
	@echo 'make long    每种适配器在每种服务器上的长测试，及接口规范的 / the long tests of adapters on every server, and of specifications'
	@echo 'make lint    风格与类型 / style and types'
	@echo 'make bench   性能测量，写入 build/bench.json / measurements; ARGS="--quick --only json,idle", "--profile json", "--full"'
	@echo 'make fuzz    模糊测试十分钟，写入 build/fuzz/report.json / ten minutes of fuzzing'
	@echo 'make soak    强杀、停机、断电，至多九十分钟，写入签名的 build/crash-report.md / kills, outage, power cuts: up to 90 minutes'
	@echo '参数用 ARGS 传递 / arguments go in ARGS: make demo ARGS="--records 1000 --keep"'

demo: $(READY)
	$(PY) -m node demo $(ARGS)

test: $(READY)
	$(PY) -m tests $(ARGS)

# What tries more of the same on every adapter, server and specification, for minutes.
long: $(READY)
	$(PY) -m pytest -m long tests/adapters tests/processes tests/validate tests/cli tests/world

lint: $(READY)
	$(PY) -m flake8 $(LINTED)
	$(PY) -m isort --check-only --quiet $(LINTED)
	$(PY) -m mypy $(filter-out tests,$(LINTED))

bench: $(READY) $(VENV)/.peers
	$(PY) -m tests.bench $(ARGS)

# atheris is wanted here alone and has no wheel for some machines: without it our own mutation engine is used.
fuzz: $(VENV)/.fuzz
	$(PY) -m tests.fuzz $(ARGS)

$(VENV)/.fuzz: $(READY)
	-$(PY) -m pip install --quiet --disable-pip-version-check -e '.[fuzz]'
	@touch $@

soak: $(READY) long
	$(PY) -m tests.soak $(ARGS)

clean:
	rm -rf build dist *.egg-info .mypy_cache .hypothesis .coverage _trial_temp*

# django-pyas2 asks for the very patch level of pyas2lib before the one we measure against, hence --no-deps.
$(VENV)/.peers: tests/bench/peers.txt tests/bench/tables/peers.txt $(READY)
	$(PY) -m pip install --quiet --disable-pip-version-check --no-deps -r tests/bench/peers.txt
	$(PY) -m venv $(VENV)/peers
	$(VENV)/peers/bin/python -m pip install --quiet --disable-pip-version-check -r tests/bench/tables/peers.txt
	@touch $@

# A name on the path may be a shim without a Python behind it, so each candidate is asked.
$(READY): setup.cfg pyproject.toml
	@found=''; \
	for name in python3.13 python3.12 python3.11 python3; do \
	  if $$name -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then \
	    found=$$name; break; fi; \
	done; \
	if [ -x $(PY) ]; then :; \
	elif [ -n "$$found" ]; then echo "准备 $(VENV)（$$found）/ setting up $(VENV) with $$found"; $$found -m venv $(VENV); \
	else echo '需要 Python 3.11 及以上并带 venv 模块 / Python 3.11 or later with its venv module is needed' >&2; \
	  exit 69; fi
	$(PY) -m pip install --quiet --disable-pip-version-check -e '.[test,lint,bench]'
	@touch $@
