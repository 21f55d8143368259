# Everything here needs Go; the race detector also needs a C compiler.

GO       ?= go
PREFIX   ?= /usr/local
LIBEXEC  := $(PREFIX)/libexec/cre-credential-helper
DESTDIR  ?=
FUZZTIME ?= 60s
ROUNDS   ?= 60
SEEDS    ?= 100000
RUN      ?= .

# What a program says that it is. A folder without git says nothing: then it is
# the module's version.
VERSION  := $(shell git describe --tags --always --dirty 2>/dev/null)

# What a release is made with and for. A stranger who makes the same version of
# the same commit, with the same URL, gets the same bytes: so one Go makes it.
DIST_GO    := go1.26.8
URL        := https://example.com/cre-credential-helper
MAINTAINER := cre-credential-helper maintainers <cre-credential-helper@example.com>

SANDBOX     := cmd/cre-sandbox
FLEET       := cmd/cre-sandbox/fleet
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
ACTIONLINT  := github.com/rhysd/actionlint/cmd/actionlint@v1.7.12
GOVULNCHECK := golang.org/x/vuln/cmd/govulncheck@v1.9.0
VULNDB      := golang.org/x/vulndb@v0.0.0-20260813214354-9de686e1fb00
PLATFORMS   := linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64 freebsd/amd64 freebsd/arm64
PROGRAMS    := ./cmd/cre ./cmd/cre-credential-helper ./cmd/cre-credential-net
COMPLETION  := cmd/internal/completion/cre
OS_PACKAGES := ./keyring/... ./fallback/... ./helper/... ./cmd/internal/oauth ./cmd/internal/setup ./cmd/internal/version
FLAGS       := -trimpath -ldflags='-s -w -X cre-credential-helper/cmd/internal/version.release=$(VERSION)'
RACE        := $(if $(shell command -v $$($(GO) env CC)),-race)

# What make bench compares with and measures by, besides what the tests need.
BENCH_PACKAGES := gcc libc6-dev pkg-config libsecret-1-dev libglib2.0-dev dbus gnome-keyring git \
	libsecret-tools golang-docker-credential-helpers time strace

# What make test-dist works with (Debian). RING=deb is the .deb packages' part.
RING               := all
DIST_PACKAGES_deb  := lintian
DIST_PACKAGES_all  := lintian debootstrap rpm wine64
DIST               := -version '$(VERSION)' -url '$(URL)' -maintainer '$(MAINTAINER)'

.PHONY: help build programs demo test test-short coverage test-os simulate mutants lint cross fuzz bench \
	docs dist recipes test-dist test-fleet powershell workflows install uninstall clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /  \1\t/p' Makefile | expand -t 12

build: programs ## build the programs and the sandbox into bin/
	ln -sf cre-credential-helper bin/git-credential-cre
	ln -sf cre-credential-helper bin/docker-credential-cre
	cd $(SANDBOX) && CGO_ENABLED=0 $(GO) build $(FLAGS) -o ../../bin/ .

programs:
	CGO_ENABLED=0 $(GO) build $(FLAGS) -o bin/ $(PROGRAMS)

demo: build ## log in, get in three forms, whoami, log out: all on this machine
	@bin/cre-sandbox run --new-home -- sh $(SANDBOX)/demo.sh

test: ## run every test, with the race detector
	@$(if $(RACE),,echo "LEFT OUT: the race detector (no C compiler)"; test -z "$$CI")
	$(GO) test $(RACE) -timeout 30m ./...
	cd $(SANDBOX) && $(GO) test $(RACE) -timeout 30m -parallel 4 ./...

test-short: ## run the tests that need no other program and wait for nothing, under a minute
	$(GO) test -short ./...

coverage: ## print how much of each package the end-to-end tests run, in the programs (many minutes)
	rm -rf bin/coverage && mkdir -p -m 777 bin/coverage
	-cd $(SANDBOX) && GOCOVERDIR=$(abspath bin/coverage) $(GO) test -count=1 -timeout 60m -run '$(RUN)' ./e2e
	$(GO) tool covdata percent -i bin/coverage

test-os: ## run the tests of what differs by system, on its own keychain (CI: macOS and Windows)
	$(GO) test -count=1 -timeout 20m $(OS_PACKAGES)

simulate: ## live through SEEDS schedules of cmd/internal/simulation, and of its fleet
	$(GO) test ./cmd/internal/simulation -run TestWorlds -v -timeout 0 -seeds $(SEEDS)
	$(GO) test ./cmd/internal/simulation/fleet -run TestWorlds -v -timeout 0 -seeds $(SEEDS)

mutants: ## show that the simulation notices what is broken in the product
	$(GO) run ./cmd/internal/simulation/mutants

lint: cross ## gofmt, go vet, staticcheck, govulncheck, go mod tidy
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo "gofmt: the files above are not formatted"; exit 1; }
	@for module in . $(SANDBOX); do \
		echo "lint $$module" && ( cd $$module && $(GO) mod tidy -diff && $(GO) vet ./... && \
		$(GO) run $(STATICCHECK) ./... ) || exit 1; \
	done
	@db=https://vuln.go.dev; \
	if ! curl -fsS -o /dev/null -m 10 $$db/index/db.json 2>/dev/null; then \
		echo "govulncheck: $$db is out of reach, so its state is that of $(VULNDB)" && \
		db=file://$$($(GO) mod download -json $(VULNDB) | sed -n 's/^\t"Dir": "\(.*\)",$$/\1/p')/data/osv; \
	fi; \
	for module in . $(SANDBOX); do ( cd $$module && $(GO) run $(GOVULNCHECK) -db $$db ./... ) || exit 1; done

cross: ## build and vet for every other platform
	@for platform in $(PLATFORMS); do \
		echo "cross $$platform" && \
		GOOS=$${platform%/*} GOARCH=$${platform#*/} CGO_ENABLED=0 $(GO) vet ./... && \
		for program in $(PROGRAMS); do \
			GOOS=$${platform%/*} GOARCH=$${platform#*/} CGO_ENABLED=0 $(GO) build -o /dev/null $$program || exit 1; \
		done || exit 1; \
	done

fuzz: ## run every fuzz target for FUZZTIME, a minute
	@for module in . $(SANDBOX); do ( cd $$module && \
		for folder in $$($(GO) list -f '{{.Dir}}' ./...); do \
			for name in $$(sed -n 's/^func \(Fuzz[A-Za-z]*\).*/\1/p' $$folder/*_test.go 2>/dev/null); do \
				echo "fuzz $$folder $$name" && \
				$(GO) test -run '^$$' -fuzz "^$$name$$" -fuzztime $(FUZZTIME) $$folder || exit 1; \
			done; \
		done ) || exit 1; \
	done

bench: ## measure, beside others, on a real gnome-keyring (Debian; some minutes)
	@missing=$$(for p in $(BENCH_PACKAGES); do dpkg-query -W -f='$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || echo $$p; done); \
	test -z "$$missing" || { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null; }
	cd $(SANDBOX) && $(GO) build -o ../../bin/bench ./bench
	bin/bench -write -rounds $(ROUNDS)

docs: ## write anew what is made from the code: the recording, troubleshooting.md, the picture of the imports
	cd $(SANDBOX) && CRE_TEST_UPDATE_DOCS=1 CRE_TEST_UPDATE_PICTURE=1 \
		$(GO) test -count=1 -run 'TestTheRecordingIs|TestTroubleshooting|TestThePictureIs' ./e2e

dist: ## make a release's files in dist/: make dist VERSION=v0.3.0
	cd $(SANDBOX) && SOURCE_DATE_EPOCH=$${SOURCE_DATE_EPOCH:-$$(git log -1 --format=%ct)} \
		GOTOOLCHAIN=$(DIST_GO) $(GO) run ./dist $(DIST) -out ../../dist $(DIST_FLAGS)

recipes: ## fill in the Homebrew formula and the Scoop manifest from dist/, in bin/
	cd $(SANDBOX) && $(GO) run ./dist $(DIST) -out ../../dist -recipes ../../bin

test-dist: ## build a release twice, compare, install and run it (Debian, as root; some minutes)
	@missing=$$(for p in $(DIST_PACKAGES_$(RING)); do dpkg-query -W -f='$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || echo $$p; done); \
	test -z "$$missing" || { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null; }
	cd $(SANDBOX) && $(GO) test -count=1 -timeout 60m -v -run TestRing ./dist -ring $(RING)

test-fleet: ## run the tests of a session in Vault on a real one (a first build takes 8 minutes; root)
	cd $(FLEET) && $(GO) vet ./... && $(GO) test -count=1 -timeout 30m -v ./...

powershell: ## parse the completion script for PowerShell (node and npm, from the network)
	mkdir -p bin/powershell && cp $(dir $(COMPLETION))testdata/powershell/* bin/powershell
	cd bin/powershell && npm ci --ignore-scripts --no-audit --no-fund --silent && node parse.mjs ../../$(COMPLETION).ps1

workflows: ## check .github/workflows with actionlint
	$(GO) run $(ACTIONLINT)

install: programs ## install into PREFIX, below DESTDIR
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(LIBEXEC) $(DESTDIR)$(PREFIX)/share/man/man1
	install bin/cre bin/cre-credential-helper $(DESTDIR)$(PREFIX)/bin
	install bin/cre-credential-net $(DESTDIR)$(LIBEXEC)
	ln -sf cre-credential-helper $(DESTDIR)$(PREFIX)/bin/git-credential-cre
	ln -sf cre-credential-helper $(DESTDIR)$(PREFIX)/bin/docker-credential-cre
	install -m 644 docs/man/*.1 $(DESTDIR)$(PREFIX)/share/man/man1
	install -d $(addprefix $(DESTDIR)$(PREFIX)/share/,bash-completion/completions zsh/site-functions fish/vendor_completions.d)
	install -m 644 $(COMPLETION).bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/cre
	install -m 644 $(COMPLETION).zsh $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_cre
	install -m 644 $(COMPLETION).fish $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/cre.fish

uninstall: ## remove what install has put there; see docs/guide.md for what comes before
	@test ! -e $$HOME/.cre/bin/cre-official || echo "note: cre setup official --undo gives the official CLI its name back, before this"
	rm -f $(addprefix $(DESTDIR)$(PREFIX)/bin/,cre cre-credential-helper git-credential-cre docker-credential-cre)
	rm -f $(DESTDIR)$(LIBEXEC)/cre-credential-net
	-rmdir $(DESTDIR)$(LIBEXEC)
	rm -f $(patsubst docs/man/%,$(DESTDIR)$(PREFIX)/share/man/man1/%,$(wildcard docs/man/*.1))
	rm -f $(addprefix $(DESTDIR)$(PREFIX)/share/,bash-completion/completions/cre zsh/site-functions/_cre fish/vendor_completions.d/cre.fish)

clean: ## remove what build and dist made
	rm -rf bin dist
