# Packages: make deb, make rpm, make test-package (which builds them itself). Everything is put together in build/package, without root.
# Needed from Debian: binutils gzip (both); debhelper dpkg-dev fakeroot (deb); rpm (rpm).
PACKAGE := build/package
VERSION := $(shell sed -n '1s/.*(\(.*\)).*/\1/p' packaging/debian/changelog)
SOURCE_DATE_EPOCH := $(shell sed -n '/^ -- .*>  /{s///p;q}' packaging/debian/changelog | LC_ALL=C date -u -f - +%s)
PLAIN := build/plain
UNITS := /lib/systemd/system
export SOURCE_DATE_EPOCH

# The program, stripped of what is not needed to run it.
$(PACKAGE)/stamp: build/compiled build/lmdb.stamp packaging/start.cjs packaging/launch.sh packaging/make_code_cache.sh packaging/code_cache.cjs packaging/describe.cjs packaging/completion.cjs tools/bundle.ts tools/client_cache.cjs
	@rm -rf $(PACKAGE) $(PLAIN)
	@$(NODE) node_modules/typescript/bin/tsc --noCheck --removeComments --outDir $(PLAIN)
	@$(NODE) tools/bundle.ts $(PACKAGE)/lib $(PACKAGE)/licences $(PLAIN)
	@cp packaging/start.cjs $(PACKAGE)/lib/
	@cp packaging/code_cache.cjs tools/client_cache.cjs $(PACKAGE)/lib/
	@cp dist/bin/*.bundle $(PACKAGE)/lib/bin/
	@for bundle in dist/bin/*.bundle; do cp "$${bundle%.bundle}.cjs" $(PACKAGE)/lib/bin/; done
	@$(NODE) packaging/describe.cjs $(CURDIR)/$(PACKAGE)/lib $(PACKAGE)/described
	@mkdir -p $(PACKAGE)/runtime
	@strip -R .comment -o $(PACKAGE)/runtime/node $(RUNTIME)/bin/node
	@find $(PACKAGE)/lib -name '*.node' -o -name '*.so' | xargs strip --strip-unneeded -R .comment
	@touch $@

deb: $(PACKAGE)/stamp ## build the Debian packages into build/
	@sh packaging/build_deb.sh

rpm: $(PACKAGE)/stamp ## build the RPM packages into build/
	@sh packaging/build_rpm.sh

lint-package: deb rpm ## have lintian and rpmlint look at the packages
	@lintian --allow-root -I --pedantic --fail-on error,warning,info build/*.deb
	@rpmlint -c packaging/rpm/rpmlint.toml build/*.rpm

# A later version of the same, to upgrade to.
next: $(PACKAGE)/stamp deb rpm
	@PACKAGE_VERSION=0.1.1 TO=build/next DEB_COMPRESS='-Zgzip -z1' sh packaging/build_deb.sh
	@PACKAGE_VERSION=0.1.1 TO=build/next RPM_PAYLOAD=w3.zstdio sh packaging/build_rpm.sh

test-package: ## install the package in a Debian that systemd boots, and go through the life of a server (root)
	@bash test/package/run.sh

.PHONY: deb rpm next lint-package test-package
