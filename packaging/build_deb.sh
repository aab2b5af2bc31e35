#!/bin/sh
# build/posthouse_*.deb and build/posthouse-commands_*.deb. DEB_COMPRESS='-Zgzip -z1' makes them in seconds, for trying;
# PACKAGE_VERSION=0.1.1 gives them another version than the changelog's, TO=folder puts them elsewhere than build.
set -eu
for tool in dpkg-buildpackage dh fakeroot; do
  command -v $tool >/dev/null && continue
  if [ "$(id -u)" = 0 ]; then apt-get install -y -q --no-install-recommends debhelper dpkg-dev fakeroot >/dev/null; break; fi
  echo "$tool is missing: apt-get install debhelper dpkg-dev fakeroot" >&2
  exit 1
done
umask 022
to=${TO:-build}
rm -rf build/deb
mkdir -p "$to" build/deb/posthouse
ln -s "$(pwd)/build" build/deb/posthouse/build
for name in packaging systemd etc; do cp -r $name build/deb/posthouse/; done
chmod -R u=rwX,go=rX build/deb/posthouse/packaging build/deb/posthouse/systemd build/deb/posthouse/etc
mv build/deb/posthouse/packaging/debian build/deb/posthouse/debian
chmod 755 build/deb/posthouse/debian/rules
if [ -n "${PACKAGE_VERSION:-}" ]; then sed -i "1s/(.*)/($PACKAGE_VERSION)/" build/deb/posthouse/debian/changelog; fi
(cd build/deb/posthouse && DEB_BUILD_OPTIONS=nocheck dpkg-buildpackage -us -uc -b -d) >build/deb.log 2>&1 || { tail -30 build/deb.log >&2; exit 1; }
rm -f "$to"/*.deb
mv build/deb/*.deb "$to/"
rm -rf build/deb
ls -l "$to"/*.deb | awk '{ printf "%s  %.1f MB\n", $9, $5 / 1048576 }'
