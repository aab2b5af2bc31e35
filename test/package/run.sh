#!/bin/bash
# The package on a real systemd: boots a Debian 12, builds the packages, installs them there and goes through the life of a
# server, printing the figures of each step. As root; needs systemd-container and mmdebstrap of Debian.
#   make test-package        (BS_DIR=folder keeps the base system elsewhere; STEPS='a b' runs some steps only)
#   run.sh check SECONDS     as the check of a change does: what cannot be had here, by rights or by network, and what does
#                            not come to its end in so many seconds, is said aloud and fails nothing
# 77: nothing could be tested here.
set -u
cd "$(dirname "$0")/../.."

if [ "${1:-}" = check ]; then
  skip() { echo "SKIPPED: the packages were NOT tested: $1" >&2; exit 0; }
  [ "${PACKAGES:-1}" != 0 ] || skip 'PACKAGES=0'
  [ "$2" -ge 420 ] || skip 'what came before took too long'
  mkdir -p build
  : >build/test-package.log
  # What is in the packages is the same, but packed in seconds.
  DEB_COMPRESS='-Zgzip -z1' RPM_PAYLOAD=w3.zstdio timeout -k 60 "$2" bash test/package/run.sh >build/test-package.log 2>&1 &
  tail -n +1 -f --pid=$! build/test-package.log
  wait $!; code=$?
  case $code in
    77) exit 0 ;; # it said why
    124 | 137) grep -q '^not ok' build/test-package.log || skip "they did not come to the end in $2 seconds" ;;
  esac
  exit $code
fi

skip() { echo "SKIPPED: the packages were NOT tested: $1" >&2; exit 77; }
[ "$(id -u)" = 0 ] || skip 'only root can boot a container'
missing=
need() { command -v "$1" >/dev/null || missing="$missing $2"; }
need systemd-nspawn systemd-container
need mmdebstrap mmdebstrap
need dh 'debhelper dpkg-dev fakeroot'
need strip binutils
need rpmbuild rpm
install() { timeout -k 10 300 apt-get install -y -q --no-install-recommends $missing >/dev/null; }
if [ -n "$missing" ]; then
  command -v apt-get >/dev/null || skip "this is no Debian, and has no$missing"
  install || { timeout -k 10 300 apt-get update -q >/dev/null && install; } || skip "could not install$missing"
fi
# A name of its own: other runs may be under way.
export BS_NAME=${BS_NAME:-posthouse-$$} BS_NET=private BS_DIR=${BS_DIR:-/var/tmp/posthouse-package} BS_TIMEOUT=180 BS_ENDS=TERM
export BS_INCLUDE=libatomic1,postgresql,polkitd,bash-completion,man-db,adduser,rpm
source test/package/boot-systemd.sh
bs_paths

limited=/sys/fs/cgroup/memory/bs-$BS_NAME limiter=
end() {
  [ -z "$limiter" ] || kill "$limiter"
  bs_poweroff
  rmdir "$limited" 2>/dev/null
  rm -rf --one-file-system "$bs_state"
}
trap end EXIT
trap 'exit 143' TERM INT HUP
# What runs that were killed have left.
for folder in "$BS_DIR"/machines/posthouse-*[0-9]; do
  [ ! -d "$folder" ] || kill -0 "${folder##*-}" 2>/dev/null || (BS_NAME=${folder##*/}; bs_cleanup; rm -rf --one-file-system "$folder")
done
# First of all: where this is impossible, nothing was built in vain.
bs_boot || skip 'no container can be booted here (see above)'
make --no-print-directory deb rpm next || exit 1

# What the guest's systemd may not do where control groups are of the first version: limit the memory of a site (guest.sh).
limiter() {
  local process
  while sleep 0.2 && kill -0 $$ 2>/dev/null; do
    [ -s "$bs_shared/limit" ] || continue
    if mkdir -p "$limited" && cat "$bs_shared/limit" >"$limited/memory.limit_in_bytes"; then
      for process in $(find "$(findmnt -n -o TARGET -t cgroup2 | head -1)/$bs_cg" -path '*posthouse@main.service/cgroup.procs' -exec cat {} +); do
        echo "$process" >"$limited/cgroup.procs"
      done
      [ -n "$(cat "$limited/cgroup.procs")" ] && echo limited >"$bs_shared/limited" || echo 'the processes were not found' >"$bs_shared/limited"
    else
      echo 'no memory controller' >"$bs_shared/limited"
    fi 2>/dev/null
    rm -f "$bs_shared/limit"
  done
}
limiter &
limiter=$!
for file in test/package/guest.sh test/package/client.cjs build/posthouse*.deb build/posthouse-[0-9]*.rpm; do
  bs_copy "$file" "/opt/test/$(basename "$file")" || exit 1
done
for file in build/next/posthouse_*.deb build/next/posthouse-[0-9]*.rpm; do
  bs_copy "$file" "/opt/test/next/$(basename "$file")" || exit 1
done
bs_run env STEPS="${STEPS:-}" bash /opt/test/guest.sh
