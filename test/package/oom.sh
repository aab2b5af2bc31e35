#!/bin/bash
# Runs as root in a User Mode Linux of the test's Debian, where the kernel keeps to limits of memory: a session that wants too
# much is killed, and nobody else notices. (boot-systemd.sh uml; a container has no such controller everywhere.)
set -u
export SYSTEMD_PAGER=cat
node=/usr/lib/posthouse/runtime/node main=/run/posthouse/main/.s.PGSQL.5432 failed=0
is() { if [ "$2" = "$3" ]; then echo "ok - $1"; else echo "not ok - $1: expected \"$3\", got \"$2\""; failed=1; fi; }

# The host's files, as this guest has them, know no owners: what belongs to an account lies in memory.
for folder in /tmp /var/lib/posthouse /etc/posthouse; do mount -t tmpfs tmpfs $folder; done
/usr/lib/posthouse/libexec/make-code-cache
posthouse site create main || exit 1
mkdir -p /etc/systemd/system/posthouse@main.service.d
printf '[Service]\nMemoryMax=400M\nMemorySwapMax=0\n' >/etc/systemd/system/posthouse@main.service.d/limits.conf
systemctl daemon-reload
"$node" /opt/bs-debs/client.cjs query $main 'create table kept as select 7 as a' >/dev/null
before=$(systemctl show -P MainPID posthouse@main.service)
is 'serves' "$("$node" /opt/bs-debs/client.cjs query $main 'select a from kept' | cut -d ' ' -f 2)" 7
"$node" /opt/bs-debs/client.cjs hold $main 1 >/tmp/hold &
until [ "$(cat /tmp/hold)" = held ]; do sleep 0.2; done
# More than the service may have, in one session.
"$node" /opt/bs-debs/client.cjs query $main "select length(string_agg(repeat('x', 1000000), '')) from generate_series(1, 900)"
echo "  $(grep -h oom_kill "/sys/fs/cgroup$(systemctl show -P ControlGroup posthouse@main.service)/memory.events" | tr '\n' ' ')"
is 'the kernel has killed one' "$(sed -n 's/^oom_kill //p' "/sys/fs/cgroup$(systemctl show -P ControlGroup posthouse@main.service)/memory.events")" 1
is 'the same postmaster' "$(systemctl show -P MainPID,NRestarts posthouse@main.service | tr '\n' ' ')" "$before 0 "
is 'active' "$(systemctl is-active posthouse@main.service)" active
is 'serves on' "$("$node" /opt/bs-debs/client.cjs query $main 'select a from kept' | cut -d ' ' -f 2)" 7
is 'the other session is there' "$(pgrep -c -P "$before" -f idle)" 1
journalctl -u posthouse@main.service --no-pager | tail -8
exit $failed
