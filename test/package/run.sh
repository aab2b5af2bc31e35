#!/bin/bash
# The package on a real systemd: boots a Debian 12, installs the package that `make deb` has built, and goes through the
# life of a server, printing the figures of each step. As root; needs systemd-container and mmdebstrap of Debian.
#   make test-package        (BS_DIR=folder keeps the base system elsewhere; STEPS='a b' runs some steps only;
#                            SKIP_OK=1: where no container can be booted that is said, and is no failure)
#   run.sh ready, end       boots it, which `make test-package` then finds up; ends it
set -u
cd "$(dirname "$0")/../.."
skip() {
  echo "SKIPPED: the packages were NOT tested: $1" >&2
  [ "${SKIP_OK:-}" = 1 ] && exit 0
  exit 77
}
[ "$(id -u)" = 0 ] || skip 'only root can boot a container'
missing=
command -v systemd-nspawn >/dev/null || missing="$missing systemd-container"
command -v mmdebstrap >/dev/null || missing="$missing mmdebstrap"
install() { apt-get install -y -q --no-install-recommends $missing >/dev/null; }
[ -z "$missing" ] || install || { apt-get update -q >/dev/null && install; } || skip "could not install$missing"
export BS_NAME=${BS_NAME:-posthouse-package} BS_NET=private BS_DIR=${BS_DIR:-/var/tmp/posthouse-package}
export BS_INCLUDE=libatomic1,postgresql,polkitd,bash-completion,man-db,adduser,rpm
bs() { bash test/package/boot-systemd.sh "$@"; }

[ "${1:-}" != end ] || { bs poweroff; exit 0; }
bs boot || skip 'no container can be booted here (see above)'
[ "${1:-}" != ready ] || exit 0
# What the guest's systemd may not do where control groups are of the first version: limit the memory of a site (guest.sh).
limited=/sys/fs/cgroup/memory/bs-$BS_NAME
limiter() {
  local shared=$BS_DIR/machines/$BS_NAME/shared process
  while sleep 0.2; do
    [ -s "$shared/limit" ] || continue
    if mkdir -p "$limited" && cat "$shared/limit" >"$limited/memory.limit_in_bytes"; then
      for process in $(find "$(findmnt -n -o TARGET -t cgroup2 | head -1)/bs-$BS_NAME" -path '*posthouse@main.service/cgroup.procs' -exec cat {} +); do
        echo "$process" >"$limited/cgroup.procs"
      done
      [ -n "$(cat "$limited/cgroup.procs")" ] && echo limited >"$shared/limited" || echo 'the processes were not found' >"$shared/limited"
    else
      echo 'no memory controller' >"$shared/limited"
    fi 2>/dev/null
    rm -f "$shared/limit"
  done
}
limiter &
limiter=$!
trap 'kill $limiter; bs poweroff; rmdir "$limited" 2>/dev/null' EXIT
for file in test/package/guest.sh test/package/client.cjs build/posthouse*.deb build/posthouse-[0-9]*.rpm; do
  bs copy "$file" "/opt/test/$(basename "$file")" || exit 1
done
for file in build/next/posthouse_*.deb build/next/posthouse-[0-9]*.rpm; do
  bs copy "$file" "/opt/test/next/$(basename "$file")" || exit 1
done
bs run env STEPS="${STEPS:-}" bash /opt/test/guest.sh
