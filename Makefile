# rea: `make demo` and `make check` are the two doors; `make help` lists all.
# The folders below are in path order: the list reads as the story.
SHELL = /bin/sh
BUILD ?= build
# One name for it, or the headers that objects were made from are not seen by a
# make that was told the folder in the other way.
override BUILD := $(patsubst $(CURDIR)/%,%,$(abspath $(BUILD)))
CC ?= gcc
PREFIX ?= /usr/local

AREAS = base math core project store jobs papers research patch wake report cmd
# Language models live in a program of their own: HTTP never loads with a wake.
AGENT_AREAS = model agent

WARN = -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes \
  -Wmissing-prototypes -Wformat=2 -Wimplicit-fallthrough -Werror
HARDEN = -D_FORTIFY_SOURCE=2 -fstack-protector-strong \
  -fstack-clash-protection -fPIE
OPT ?= -O2 -g
VERSION = 0.1.0
DEFS = -D_GNU_SOURCE -DREA_VERSION='"$(VERSION)"' -DREA_DATADIR='"$(CURDIR)/data"'
CFLAGS_ALL = -std=c17 $(OPT) $(WARN) $(HARDEN) $(DEFS) -Isrc -Itest $(CFLAGS)
LDFLAGS_ALL = -pie -Wl,-z,relro,-z,now $(LDFLAGS)

# Linked statically where Debian ships the archive: a wake is a cold start, and
# each shared library costs it relocations before main.
LIBS = -Wl,-Bstatic -lsqlite3 -ljansson -lpcre2-8 -lsodium -Wl,-Bdynamic \
  -lz -lm
AGENT_LIBS = -Wl,-Bstatic -lsqlite3 -ljansson -lpcre2-8 -lsodium \
  -Wl,-Bdynamic -lcurl -lz -lm
TRAINER_LIBS = -lopenblas -Wl,-Bstatic -lz -llzma -Wl,-Bdynamic -lm

SRC = $(foreach a,$(AREAS),$(sort $(wildcard src/$(a)/*.c)))
OBJ = $(SRC:%.c=$(BUILD)/obj/%.o)
AGENT_SRC = $(filter-out src/agent/main.c,$(foreach a,$(AGENT_AREAS),\
  $(sort $(wildcard src/$(a)/*.c))))
AGENT_OBJ = $(AGENT_SRC:%.c=$(BUILD)/obj/%.o)
SERVE_OBJ = $(BUILD)/obj/src/serve/main.o
AGENT = $(if $(wildcard src/agent/main.c),$(BUILD)/rea-agent)
PURE_OBJ = $(filter $(BUILD)/obj/src/math/% $(BUILD)/obj/src/core/%,$(OBJ))
BASE_PURE = $(BUILD)/obj/src/base/rng.o
TRAINER_SRC = $(sort $(wildcard trainer/*.c))
TRAINER_OBJ = $(TRAINER_SRC:%.c=$(BUILD)/obj/%.o)
SHIM_SRC = $(filter-out %patterns.c,$(sort $(wildcard src/jobs/shim/*.c))) \
  src/base/err.c src/project/harvest.c src/project/rungs.c \
  src/project/pace.c src/project/floor.c
# Two programs of one source: with regular expressions, and without them.
SHIM_PLAIN_SRC = $(SHIM_SRC) src/jobs/shim/no_patterns.c
SHIM_RE_SRC = $(SHIM_SRC) src/jobs/shim/patterns.c src/project/harvest_re.c \
  src/base/buf.c src/base/arena.c
SHIM_OBJ = $(SHIM_PLAIN_SRC:%.c=$(BUILD)/static/%.o)
SHIM_RE_OBJ = $(SHIM_RE_SRC:%.c=$(BUILD)/static/%.o)
# Outside papers are parsed in a program of their own; libxml2 is linked there.
READ_SRC = $(sort $(wildcard src/papers/read/*.c))
READ_OBJ = $(READ_SRC:%.c=$(BUILD)/obj/%.o)

UNIT_SRC = $(sort $(wildcard test/unit/test_*.c))
UNIT = $(UNIT_SRC:test/%.c=$(BUILD)/test/%)
TEST_LIB_SRC = $(sort $(wildcard test/lib/*.c))
HELPERS = $(TEST_LIB_SRC:test/lib/%.c=$(BUILD)/test/%)
SIM_SRC = $(sort $(wildcard test/sim/sim_*.c))
SIM = $(SIM_SRC:test/%.c=$(BUILD)/test/%)
BENCH_SRC = $(sort $(wildcard bench/*.c))
BENCH = $(BENCH_SRC:bench/%.c=$(BUILD)/%)
TOOL_SRC = $(sort $(wildcard tools/*.c))
TOOLS = $(TOOL_SRC:tools/%.c=$(BUILD)/tools/%)

.PHONY: all deps deps-check demo check check-peers check-full bench \
  bench-full slurm-check asan asan-lib archives clang sim crash tidy docs man \
  install clean help
.SECONDARY:

help: # what the doors are
	@echo "make            build rea and what it starts: rea-shim, rea-shim-re,"
	@echo "                rea-sandbox, rea-read, rea-serve, rea-agent, rea-ctr"
	@echo "make demo       install what is missing, build, run the main job"
	@echo "make check      all tests; closes with 'N passed, N failed'"
	@echo "make check-peers  comparisons with other programs (PyPI)"
	@echo "make check-full, make bench, make bench-full, make asan, make sim,"
	@echo "make crash, make tidy, make docs, make man, make install PREFIX=/usr/local"

all: $(BUILD)/rea $(BUILD)/rea-shim $(BUILD)/rea-shim-re \
  $(BUILD)/rea-sandbox $(BUILD)/rea-read \
  $(BUILD)/rea-serve \
  $(BUILD)/rea-ctr $(AGENT)

# Loops over numbers are worth the vectors; sums keep their order.
$(BUILD)/obj/src/math/%.o: CFLAGS_ALL += -O3
$(BUILD)/obj/src/papers/dense%.o: CFLAGS_ALL += -O3

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

$(BUILD)/static/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(filter-out -fPIE,$(CFLAGS_ALL)) -MMD -MP -c -o $@ $<

$(BUILD)/librea.a: $(OBJ)
	@rm -f $@
	ar rcs $@ $(OBJ)

$(BUILD)/rea: $(BUILD)/obj/src/main.o $(BUILD)/librea.a
	$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS)

$(BUILD)/librea-agent.a: $(AGENT_OBJ)
	@rm -f $@
	ar rcs $@ $(AGENT_OBJ)

$(BUILD)/rea-agent: $(BUILD)/obj/src/agent/main.o $(BUILD)/librea-agent.a \
  $(BUILD)/librea.a
	$(CC) $(LDFLAGS_ALL) -o $@ $^ $(AGENT_LIBS)

$(BUILD)/rea-shim: $(SHIM_OBJ)
	$(CC) -static $(LDFLAGS) -o $@ $^ -lm

$(BUILD)/rea-shim-re: $(SHIM_RE_OBJ)
	$(CC) -static $(LDFLAGS) -o $@ $^ -lpcre2-8 -lm

# libpq's header alone: the library is loaded where a workspace names a server
$(BUILD)/obj/src/store/%.o: CFLAGS_ALL += -I/usr/include/postgresql
$(BUILD)/obj/src/papers/read/xml.o: CFLAGS_ALL += -I/usr/include/libxml2
$(BUILD)/rea-read: $(READ_OBJ) $(BUILD)/librea.a
	$(CC) $(LDFLAGS_ALL) -o $@ $^ -lxml2 $(LIBS)

$(BUILD)/rea-sandbox: $(BUILD)/obj/src/patch/sandbox/main.o $(BUILD)/librea.a
	$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS)

$(BUILD)/rea-serve: $(SERVE_OBJ) $(BUILD)/librea.a
	$(CC) $(LDFLAGS_ALL) -o $@ $^ -lmicrohttpd $(LIBS)

$(BUILD)/rea-ctr: $(TRAINER_OBJ) $(BUILD)/librea.a
	$(CC) $(LDFLAGS_ALL) -o $@ $^ $(TRAINER_LIBS)

# the readers of papers, without their main
READERS = $(filter-out %/main.o,$(READ_OBJ))
$(BUILD)/test/unit/test_read: $(BUILD)/obj/test/unit/test_read.o $(READERS) \
  $(BUILD)/librea.a
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS_ALL) -o $@ $^ -lcmocka -lxml2 $(LIBS)

$(BUILD)/test/unit/%: $(BUILD)/obj/test/unit/%.o $(BUILD)/librea.a
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS_ALL) -o $@ $^ -lcmocka $(LIBS)

# Tests of the engine share a campaign. Its object is named by a rule of its own,
# or make would first choose the rule above, which needs no object made on the way.
$(BUILD)/obj/test/unit/core_world.o: test/unit/core_world.h
$(BUILD)/test/unit/test_core_%: $(BUILD)/obj/test/unit/test_core_%.o \
  $(BUILD)/obj/test/unit/core_world.o $(BUILD)/librea.a
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS_ALL) -o $@ $^ -lcmocka $(LIBS)

# Tests of the areas that only rea-agent holds, by their names.
$(BUILD)/test/unit/test_model_%: $(BUILD)/obj/test/unit/test_model_%.o \
  $(BUILD)/librea-agent.a $(BUILD)/librea.a
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS_ALL) -o $@ $^ -lcmocka $(AGENT_LIBS)

$(BUILD)/test/unit/test_agent_%: $(BUILD)/obj/test/unit/test_agent_%.o \
  $(BUILD)/obj/test/unit/agent_world.o \
  $(BUILD)/librea-agent.a $(BUILD)/librea.a
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS_ALL) -o $@ $^ -lcmocka $(AGENT_LIBS)

$(BUILD)/test/model_ask: $(BUILD)/obj/test/lib/model_ask.o \
  $(BUILD)/librea-agent.a $(BUILD)/librea.a
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS_ALL) -o $@ $^ $(AGENT_LIBS)

$(BUILD)/test/sim/%: $(BUILD)/obj/test/sim/%.o $(BUILD)/obj/test/sim/world.o \
  $(BUILD)/obj/test/sim/toy.o $(BUILD)/librea.a
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS)

# the whole system in one process: wake's own code on a made-up machine
SYSTEM_OBJ = $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard test/sim/system/*.c))
$(BUILD)/test/sim/sim_system: $(BUILD)/obj/test/sim/sim_system.o \
  $(SYSTEM_OBJ) $(BUILD)/obj/test/sim/world.o $(BUILD)/obj/test/sim/toy.o \
  $(BUILD)/librea.a
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS_ALL) -Wl,--wrap=db_lite \
	  -Wl,--wrap=fs_mtime_ms,--wrap=randombytes_random \
	  -Wl,--wrap=randombytes_buf -o $@ $^ $(LIBS)

# the sweeps of crashes share a campaign; one has a disk that fails
$(BUILD)/test/crash_wakes: $(BUILD)/obj/test/lib/crash_wakes.o \
  $(BUILD)/obj/test/crash/campaign.o $(BUILD)/librea.a
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS)
$(BUILD)/test/crash_disk: $(BUILD)/obj/test/lib/crash_disk.o \
  $(patsubst %,$(BUILD)/obj/test/crash/%.o,campaign calls disk) \
  $(BUILD)/librea.a
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS_ALL) -Wl,--wrap=store_begin,--wrap=store_commit \
	  -Wl,--wrap=store_append_record -o $@ $^ $(LIBS)

$(BUILD)/test/%: $(BUILD)/obj/test/lib/%.o $(BUILD)/librea.a
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS)

# bench/replay/ is shared by the benches over recorded tables
REPLAY_OBJ = $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard bench/replay/*.c))
$(BUILD)/bench-replay $(BUILD)/bench-predict $(BUILD)/bench-fidelity: \
  $(BUILD)/bench-%: \
  $(BUILD)/obj/bench/bench-%.o $(REPLAY_OBJ) $(BUILD)/librea.a
	$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS)

# bench/research/ belongs to bench-research; tables are read as replay's
RESEARCH_OBJ = $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard bench/research/*.c))
$(RESEARCH_OBJ): CFLAGS_ALL += -Ibench
$(BUILD)/bench-research: $(BUILD)/obj/bench/bench-research.o $(RESEARCH_OBJ) \
  $(BUILD)/obj/bench/replay/table.o $(BUILD)/librea.a
	$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS)

# the small world of the simulators
$(BUILD)/bench-budget: $(BUILD)/obj/bench/bench-budget.o \
  $(BUILD)/obj/test/sim/toy.o $(BUILD)/librea.a
	$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS)

# bench/headline/ is shared by the benches that train live
HEADLINE_OBJ = $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard bench/headline/*.c))
SOURCES_OBJ = $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard bench/sources/*.c))
$(BUILD)/bench-headline: $(BUILD)/obj/bench/bench-headline.o $(HEADLINE_OBJ) \
  $(BUILD)/librea.a
	$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS)
$(BUILD)/obj/bench/sources/%.o: CFLAGS_ALL += -Ibench
$(BUILD)/bench-sources: $(BUILD)/obj/bench/bench-sources.o $(SOURCES_OBJ) \
  $(HEADLINE_OBJ) $(BUILD)/librea.a
	$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS)

# bench/truth/ belongs to bench-truth alone
TRUTH_OBJ = $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard bench/truth/*.c))
$(BUILD)/bench-truth: $(BUILD)/obj/bench/bench-truth.o $(TRUTH_OBJ) \
  $(BUILD)/librea.a
	$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS)

# bench/sleep/ belongs to bench-sleep alone
SLEEP_OBJ = $(patsubst %.c,$(BUILD)/obj/%.o,$(wildcard bench/sleep/*.c))
$(SLEEP_OBJ) $(BUILD)/obj/bench/bench-sleep.o: CFLAGS_ALL += -Ibench
$(BUILD)/bench-sleep: $(BUILD)/obj/bench/bench-sleep.o $(SLEEP_OBJ) \
  $(BUILD)/librea.a
	$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS)

# a scripted model, as the unit tests have it
$(BUILD)/bench-agent: $(BUILD)/obj/bench/bench-agent.o \
  $(BUILD)/obj/test/unit/agent_world.o $(BUILD)/librea-agent.a $(BUILD)/librea.a
	$(CC) $(LDFLAGS_ALL) -o $@ $^ $(AGENT_LIBS)

$(BUILD)/%: $(BUILD)/obj/bench/%.o $(BUILD)/librea.a
	$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS)

$(BUILD)/tools/%: $(BUILD)/obj/tools/%.o $(BUILD)/librea.a
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS)

# ---- doors ----

# Only what is missing is installed, so a complete machine needs no network.
deps:
	@sh tools/deps.sh build
deps-check:
	@sh tools/deps.sh check

demo: deps
	@$(MAKE) --no-print-directory -s -j2 all
	@rm -rf demo
	$(BUILD)/rea demo demo

# Slurm from Debian's packages, started and ended by the tests; the second form
# holds memory without control groups.
slurm-check: deps-check
	@$(MAKE) --no-print-directory -s -j2 all tests
	@for t in endings campaign nodes; do \
	  BUILD=$(BUILD) sh test/flow/slurm-$$t.sh && echo "ok slurm-$$t"; done
	@BUILD=$(BUILD) REA_SLURM_CGROUP=0 sh test/flow/slurm-endings.sh && \
	  echo "ok slurm-endings without control groups"

tests: $(UNIT) $(HELPERS) $(SIM) $(TOOLS) $(BENCH)

check: deps-check
	@bash test/run.sh $(BUILD)

check-peers: deps-check
	@$(MAKE) --no-print-directory -s -j2 all tests
	@sh test/peers/run.sh $(BUILD)

check-full: deps-check
	@bash test/run.sh $(BUILD) full

# The laws of the engine under a hostile world, and of the whole system on a
# made-up machine: make sim SEED=7 begins at another seed.
SEED ?= 1
sim: $(SIM)
	$(BUILD)/test/sim/sim_laws --seed=$(SEED) --lives=400
	$(BUILD)/test/sim/sim_system --seed=$(SEED) --steps=1500000 \
	  --logs=test/unit/data/signatures/rules.txt
	$(BUILD)/test/sim/sim_system --seed=$(SEED) --control=1

# Kills, failing file calls and losses of power, sampled by SEED, in minutes.
crash: $(BUILD)/rea-shim $(BUILD)/test/crash_wakes $(BUILD)/test/crash_disk
	@SEED=$(SEED) sh test/crash.sh $(BUILD)

bench: all $(BENCH)
	@sh bench/run.sh $(BUILD)
bench-full: all $(BENCH)
	@sh bench/run.sh $(BUILD) full

# The same tests under the sanitizers, and the same sources under clang.
# (gcc guesses at truncation differently there: no error of it.)
SANITIZE = -fsanitize=address,undefined -fno-sanitize-recover=all \
  -Wno-error=format-truncation
asan:
	@$(MAKE) --no-print-directory -s -j2 BUILD=$(BUILD)/asan OPT='-O1 -g' \
	  HARDEN= CFLAGS='$(SANITIZE)' LDFLAGS='$(SANITIZE)' unit-sim
unit-sim: $(UNIT) $(SIM)
# What the fuzzers link.
asan-lib:
	@$(MAKE) --no-print-directory -s -j2 BUILD=$(BUILD)/asan OPT='-O1 -g' \
	  HARDEN= CFLAGS='$(SANITIZE)' LDFLAGS='$(SANITIZE)' archives
archives: $(BUILD)/librea.a $(BUILD)/librea-agent.a
clang:
	@$(MAKE) --no-print-directory -s -j2 BUILD=$(BUILD)/clang CC=clang all

tidy: all
	@sh tools/tidy.sh $(BUILD)

docs: $(TOOLS)
	@sh tools/docs.sh $(BUILD)

# Man pages and completion are renderings of the command table.
man: $(TOOLS)
	@mkdir -p $(BUILD)/man $(BUILD)/completion
	@for p in $$($(BUILD)/tools/gen-docs pages); do \
	  $(BUILD)/tools/gen-docs man $$p | scdoc >$(BUILD)/man/$$p.1 || exit 1; \
	done
	@$(BUILD)/tools/gen-docs bash >$(BUILD)/completion/rea.bash
	@$(BUILD)/tools/gen-docs zsh >$(BUILD)/completion/_rea

# The public insights are found next to the binary's ../share/rea/data.
install: all man
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/rea \
	  $(DESTDIR)$(PREFIX)/share/man/man1 \
	  $(DESTDIR)$(PREFIX)/share/bash-completion/completions \
	  $(DESTDIR)$(PREFIX)/share/zsh/site-functions
	install $(BUILD)/rea $(BUILD)/rea-shim $(BUILD)/rea-shim-re \
	  $(BUILD)/rea-sandbox $(BUILD)/rea-read $(BUILD)/rea-serve $(BUILD)/rea-ctr $(AGENT) \
	  $(DESTDIR)$(PREFIX)/bin
	cp -R data examples $(DESTDIR)$(PREFIX)/share/rea
	install -m 644 $(BUILD)/man/*.1 $(DESTDIR)$(PREFIX)/share/man/man1
	install -m 644 $(BUILD)/completion/rea.bash \
	  $(DESTDIR)$(PREFIX)/share/bash-completion/completions/rea
	install -m 644 $(BUILD)/completion/_rea \
	  $(DESTDIR)$(PREFIX)/share/zsh/site-functions

clean:
	rm -rf $(BUILD)

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
