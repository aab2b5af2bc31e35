#!/bin/sh
# build/posthouse_*.deb and build/posthouse-commands_*.deb. DEB_COMPRESS='-Zgzip -z1' makes them in seconds, for trying.
set -eu
for tool in dpkg-buildpackage dh; do
  command -v $tool >/dev/null && continue
  if [ "$(id -u)" = 0 ]; then apt-get install -y -q --no-install-recommends debhelper dpkg-dev fakeroot >/dev/null; break; fi
  echo "$tool is missing: apt-get install debhelper dpkg-dev fakeroot" >&2
  exit 1
done
umask 022
rm -rf build/deb
mkdir -p build/deb/posthouse
ln -s "$(pwd)/build" build/deb/posthouse/build
for name in packaging systemd etc; do cp -r $name build/deb/posthouse/; done
mv build/deb/posthouse/packaging/debian build/deb/posthouse/debian
chmod -R u=rwX,go=rX build/deb/posthouse/debian
chmod 755 build/deb/posthouse/debian/rules
(cd build/deb/posthouse && DEB_BUILD_OPTIONS=nocheck dpkg-buildpackage -us -uc -b -d) >build/deb.log 2>&1 || { tail -30 build/deb.log >&2; exit 1; }
rm -f build/*.deb
mv build/deb/*.deb build/
rm -rf build/deb
ls -l build/*.deb | awk '{ printf "%s  %.1f MB\n", $9, $5 / 1048576 }'
