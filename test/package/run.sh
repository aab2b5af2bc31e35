#!/bin/bash
# The package on a real systemd: boots a Debian 12, installs the package that `make deb` has built, and goes through the
# life of a server, printing the figures of each step. As root; needs systemd-container and mmdebstrap of Debian.
# Exit code 77: no container can be booted here.
#   make test-package        (BS_DIR=folder keeps the base system elsewhere; STEPS='a b' runs some steps only)
set -u
cd "$(dirname "$0")/../.."
[ "$(id -u)" = 0 ] || { echo 'make test-package needs root, to boot a container' >&2; exit 1; }
missing=
command -v systemd-nspawn >/dev/null || missing="$missing systemd-container"
command -v mmdebstrap >/dev/null || missing="$missing mmdebstrap"
[ -z "$missing" ] || apt-get install -y -q --no-install-recommends $missing >/dev/null || exit 77
export BS_NAME=${BS_NAME:-posthouse-package} BS_NET=private BS_DIR=${BS_DIR:-/var/tmp/posthouse-package}
export BS_INCLUDE=libatomic1,postgresql,polkitd,bash-completion,man-db,adduser
bs() { bash test/package/boot-systemd.sh "$@"; }

bs boot || { echo 'no container can be booted here' >&2; exit 77; }
trap 'bs poweroff' EXIT
for file in test/package/guest.sh test/package/client.cjs build/posthouse_*.deb build/posthouse-commands_*.deb; do
  bs copy "$file" "/opt/test/$(basename "$file")" || exit 1
done
bs run env STEPS="${STEPS:-}" bash /opt/test/guest.sh
