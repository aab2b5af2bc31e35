#!/bin/bash
# Runs in User Mode Linux (boot-systemd.sh uml), as root, the package installed: what needs control groups that really limit.
# A backend that takes more memory than the site may have is ended by the kernel, and nothing else is.
set -u
failed=0
fault() { echo "  $*"; failed=1; }
is() { [ "$2" = "$3" ] || fault "$1: expected \"$3\", got \"$2\""; }
show() { systemctl show -P "$1" posthouse@main.service; }
limits() { # lines of a drop-in
  mkdir -p /run/systemd/system/posthouse@main.service.d
  printf '%s\n' '[Service]' "$@" >/run/systemd/system/posthouse@main.service.d/limits.conf
  systemctl daemon-reload; systemctl restart posthouse@main.service
}
until_is() { # seconds, wanted, command
  local end=$((SECONDS + $1)) want=$2; shift 2
  while [ "$("$@" 2>/dev/null)" != "$want" ]; do [ $SECONDS -lt $end ] || { fault "\"$*\" does not say \"$want\" but \"$("$@" 2>&1)\""; return 1; }; sleep 0.2; done
}

is 'controllers' "$(grep -ow 'memory\|pids\|cpu' /sys/fs/cgroup/cgroup.controllers | sort | tr '\n' ' ')" 'cpu memory pids '
port=$(posthouse site list | cut -f 2)
sql() { psql -XAtq -h /run/posthouse/main -p "$port" -U posthouse postgres -c "$1" 2>&1; }

echo '# memory'
limits MemoryMax=300M MemorySwapMax=0
mkfifo /tmp/sleeper
psql -XAtq -h /run/posthouse/main -p "$port" -U posthouse postgres </tmp/sleeper >/tmp/slept 2>&1 &
exec 9>/tmp/sleeper
echo 'create temp table mine as select 7 as a; select a from mine;' >&9
until_is 60 7 cat /tmp/slept
before=$(show MainPID) cgroup=/sys/fs/cgroup$(show ControlGroup)
echo "  postmaster: oom_score_adj $(cat "/proc/$before/oom_score_adj"), memory of the site $(( $(cat "$cgroup/memory.current") / 1048576 )) MB"
said=$(sql "select length(string_agg(repeat(chr(65 + i % 26), 1000000), '')) from generate_series(1, 500) i")
echo "  a session that wants 500 MB: $(head -2 <<<"$said" | tr '\n' ' ')"
[[ $said == *'server closed the connection'* ]] || fault "it was not ended: $said"
is 'ended by the kernel' "$(sed -n 's/^oom_kill //p' "$cgroup/memory.events")" 1
journalctl --no-pager -b -o cat -u posthouse@main.service | grep -q 'terminated by signal 9' || fault 'the log does not tell'
echo 'select a + 1 from mine;' >&9
until_is 60 8 tail -n 1 /tmp/slept
is 'a new session' "$(sql 'select 1')" 1
is 'writes' "$(sql 'create table after_it as select 1 as a' && sql 'select a from after_it')" 1
is 'the service' "$(show ActiveState) $(show MainPID) $(show NRestarts) $(show Result)" "active $before 0 success"
exec 9>&-

echo '# tasks'
limits TasksMax=8
before=$(show MainPID)
for i in 1 2 3 4 5 6 7 8 9 10; do
  (sleep 30 | psql -XAtq -h /run/posthouse/main -p "$port" -U posthouse postgres >"/tmp/many.$i" 2>&1) &
done
until_is 60 yes bash -c "grep -q 'could not fork new process for connection' /tmp/many.* && echo yes"
kill $(jobs -p) 2>/dev/null; pkill -P 1 -x sleep; pkill -x psql
until_is 60 1 sql 'select 1'
is 'the service' "$(show ActiveState) $(show MainPID) $(show NRestarts)" "active $before 0"

echo '# networks: denied to the server, not to those who come through the sockets it is passed'
limits
is 'denied' "$(timeout 5 systemd-run -q --pipe --wait -p IPAddressDeny=any bash -c "</dev/tcp/127.0.0.1/$port && echo open" 2>&1 | grep -c open)" 0
is 'passed' "$(psql -XAtq "host=127.0.0.1 port=$port user=posthouse dbname=postgres password=wrong" -c 'select 1' 2>&1 | grep -c 'password authentication failed')" 1
is 'deny' "$(show IPAddressDeny)" '0.0.0.0/0 ::/0'
[ "$(show ActiveState)" = active ] || fault 'it does not serve'
journalctl --no-pager -b | grep -iq 'does not support BPF' && echo '  (no BPF here: networks are not denied)'

if [ $failed = 0 ]; then echo 'limits hold'; else journalctl --no-pager -b -u posthouse@main.service | tail -40; fi
exit $failed
