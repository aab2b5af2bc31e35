#!/bin/sh
# build/posthouse-*.rpm and build/posthouse-commands-*.rpm. RPM_PAYLOAD=w3.zstdio makes them in seconds, for trying;
# PACKAGE_VERSION and TO as in build_deb.sh.
set -eu
command -v rpmbuild >/dev/null || {
  if [ "$(id -u)" = 0 ]; then apt-get install -y -q --no-install-recommends rpm >/dev/null; else
    echo 'rpmbuild is missing: apt-get install rpm' >&2
    exit 1
  fi
}
umask 022
rm -rf build/rpm
mkdir -p build/rpm "${TO:-build}"
version=${PACKAGE_VERSION:-$(sed -n "1s/.*(\(.*\)).*/\1/p" packaging/debian/changelog)}
to=${TO:-build}
rpmbuild -bb --quiet --target "$(uname -m)" --define "_topdir $(pwd)/build/rpm" --define "top $(pwd)" --define "version_ $version" \
  --define "site_format $(sed -n "s/.*SITE_VERSION = '\([0-9]*\)'.*/\1/p" src/common/site.ts)" \
  ${RPM_PAYLOAD:+--define "payload $RPM_PAYLOAD"} packaging/rpm/posthouse.spec >build/rpm.log 2>&1 || { tail -30 build/rpm.log >&2; exit 1; }
rm -f "$to"/*.rpm
mv build/rpm/RPMS/*/*.rpm "$to/"
rm -rf build/rpm
ls -l "$to"/*.rpm | awk '{ printf "%s  %.1f MB\n", $9, $5 / 1048576 }'
