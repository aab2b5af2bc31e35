#!/bin/bash
# Runs in the container, as root: the life of a server, step by step. A step that fails shows the journal since it began.
# A line "figure ..." is a measurement with its limit. Steps wait for what shall happen, never for time.
set -u
cd /
export SYSTEMD_PAGER=cat NO_COLOR=1 DEBIAN_FRONTEND=noninteractive
exec </dev/null
node=/usr/lib/posthouse/runtime/node
main=/run/posthouse/main/.s.PGSQL.5432
failed=0 count=0 cursor=

fault() { echo "  $*" >&2; bad=1; }
is() { [ "$2" = "$3" ] || fault "$1: expected \"$3\", got \"$2\""; }
like() { [[ "$2" =~ $3 ]] || fault "$1: expected something like \"$3\", got \"$2\""; }
ok() { local out; out=$("$@" 2>&1) || fault "failed ($?): $*: $out"; }
fails() { local want=$1 code out; shift; out=$("$@" 2>&1); code=$?; [ "$code" = "$want" ] || fault "exit code $code instead of $want: $*: $out"; }
figure() { # name, value, limit, unit
  echo "figure $1: $2 $4 (at most $3)"
  awk -v a="$2" -v b="$3" 'BEGIN { exit !(a <= b) }' || fault "$1: $2 $4 is more than $3"
}
# A time is the processor time that it took where that is less than by the clock. It is told, not judged: the same machine takes 310 ms
# for a first connection in one hour and 550 two hours later. Beside one that is missed stands what a bare start of the runtime takes
# there; ten times the limit is a fault anywhere.
time_figure() { # name, ms by the clock, ms of processor time, limit
  local ms=$(($3 > 0 && $3 < $2 ? $3 : $2)) from missed=
  if [ "$ms" -gt "$4" ]; then
    from=$(date +%s%N)
    for i in 1 2 3 4 5; do "$node" --single-threaded -e 0; done
    missed=", MISSED (load $(cut -d ' ' -f 1 /proc/loadavg), the bare runtime starts in $((($(date +%s%N) - from) / 5000000)) ms)"
  fi
  echo "figure $1: $ms ms (by the clock $2) (at most $4)$missed"
  [ "$ms" -le $((10 * $4)) ] || fault "$1: $ms ms is far more than $4"
}
ask() { "$node" /opt/test/client.cjs query "$@"; }
sql() { psql -XAtq -h "/run/posthouse/${site:-main}" -p "${port:-5432}" -U "${user:-posthouse}" "${database:-postgres}" -c "$1" 2>&1; }
state() { systemctl is-active "posthouse@${1:-main}.service"; }
pid() { systemctl show -P MainPID "posthouse@${1:-main}.service"; }
until_is() { # seconds on an idle machine (a busy one has ten times as much), wanted, command
  local end=$((SECONDS + 10 * $1)) want=$2; shift 2
  while [ "$("$@" 2>/dev/null)" != "$want" ]; do [ $SECONDS -lt $end ] || { fault "\"$*\" does not say \"$want\" but \"$("$@" 2>&1)\""; return 1; }; sleep 0.1; done
}
install_deb() { apt-get install -y -q --no-install-recommends --reinstall --allow-downgrades "$@" </dev/null >/tmp/apt.log 2>&1 || fault "apt: $(tail -20 /tmp/apt.log)"; }
median() { printf '%s\n' "$@" | sort -n | sed -n "$((($# + 1) / 2))p"; }
deb=$(echo /opt/test/posthouse_*.deb) commands=$(echo /opt/test/posthouse-commands_*.deb) next=$(echo /opt/test/next/posthouse_*.deb)
version() { dpkg-query -W -f '${Version}' posthouse; }
echo force-unsafe-io >/etc/dpkg/dpkg.cfg.d/test
rm -f /var/lib/man-db/auto-update # its triggers take as long as all else that dpkg does

# 100 sites, of which nothing is there but sockets. They are one site's copies: making each by initdb would take minutes.
hundred_sites() {
  local i name answered=0 t0 port=6000
  ok posthouse site create s1 --port 6001
  for i in $(seq 2 100); do
    name=s$i port=$((6000 + i))
    cp -a /var/lib/posthouse/s1 "/var/lib/posthouse/$name"; cp -a /etc/posthouse/s1 "/etc/posthouse/$name"
    sed -i "s/^port = .*/port = $port/; s#/run/posthouse/s1#/run/posthouse/$name#" "/etc/posthouse/$name/site.ini"
  done
  ok posthouse site sync
  systemctl stop posthouse@main.service 2>/dev/null; systemctl start posthouse.target
  is 'no process' "$(pgrep -u posthouse -c .)" 0
  is 'sockets' "$(systemctl list-units --no-legend 'posthouse@*.socket' --state=active | wc -l)" 101
  t0=${EPOCHREALTIME/./}
  is 'all sleep' "$(posthouse site list | cut -f 4 | sort | uniq -c | tr -s ' ')" ' 101 sleeping'
  echo "  list of 101 sites: $(( (${EPOCHREALTIME/./} - t0) / 1000 )) ms"
  for i in 1 17 50 99 100; do
    [ "$(ask "/run/posthouse/s$i/.s.PGSQL.$((6000 + i))" "select $i" | cut -d ' ' -f 2)" = "$i" ] && answered=$((answered + 1))
  done
  is 'answered' "$answered" 5
  is 'running' "$(posthouse site list | grep -c running)" 5
  ok posthouse site rename s17 seventeen
  is 'renamed while it ran' "$(site=seventeen port=6017 sql 'select 17')" 17
  # Some by the command, the others at once.
  local units=()
  for name in s1 s2 seventeen s100; do ok posthouse site drop "$name" --yes; done
  for i in $(seq 3 99); do units+=("posthouse@s$i.socket" "posthouse@s$i.service"); done
  systemctl stop "${units[@]}" 2>/dev/null; systemctl disable -q "${units[@]}" 2>/dev/null
  rm -rf /var/lib/posthouse/s[0-9]* /etc/posthouse/s[0-9]* /run/posthouse/s[0-9]* /etc/systemd/system/posthouse@s[0-9]*
  systemctl daemon-reload; systemctl reset-failed
  is 'one left' "$(posthouse site list | cut -f 1)" main
}

# What the kernel takes when a site has no more memory: one backend. Where systemd may not limit memory (control groups of the
# first version), the machine outside puts the site's processes into a group that is limited (run.sh).
killed_is_logged() { journalctl ${cursor:+--after-cursor="$cursor"} -o cat -u posthouse@main.service | grep -qE 'server process \(PID [0-9]+\) was terminated by signal 9' && echo yes; }
memory_short() {
  local before holder said ended
  mkfifo /tmp/sleeper
  if grep -qw memory /sys/fs/cgroup/cgroup.controllers; then
    mkdir -p /run/systemd/system/posthouse@main.service.d
    printf '[Service]\nMemoryMax=300M\nMemorySwapMax=0\n' >/run/systemd/system/posthouse@main.service.d/memory.conf
    systemctl daemon-reload
  fi
  systemctl restart posthouse@main.service
  psql -XAtq -h /run/posthouse/main -U posthouse postgres </tmp/sleeper >/tmp/slept 2>&1 &
  holder=$!
  exec 9>/tmp/sleeper
  echo 'create temp table mine as select 7 as a; select a from mine;' >&9
  until_is 60 7 cat /tmp/slept
  before=$(pid)
  if ! grep -qw memory /sys/fs/cgroup/cgroup.controllers; then
    rm -f /shared/limited; echo 300M >/shared/limit
    until_is 20 yes bash -c '[ -s /shared/limited ] && echo yes'
    [ "$(cat /shared/limited)" = limited ] || { echo "SKIPPED: no control group limits memory here: $(cat /shared/limited)" >&2; exec 9>&-; wait $holder; return; }
  fi
  said=$(sql "select length(string_agg(repeat(chr(65 + i % 26), 1000000), '')) from generate_series(1, 500) i")
  like 'a session that wants 500 MB' "$said" 'server closed the connection unexpectedly'
  until_is 20 yes killed_is_logged # the journal may be behind
  echo 'select a + 1 from mine;' >&9
  until_is 60 8 tail -n 1 /tmp/slept
  is 'the service' "$(state) $(pid) $(systemctl show -P NRestarts posthouse@main.service)" "active $before 0"
  is 'a new session writes' "$(sql 'create table after_it as select 1 as a'; sql 'select a from after_it'; sql 'drop table after_it')" 1
  exec 9>&-; wait $holder
  rm -rf /run/systemd/system/posthouse@main.service.d/memory.conf; systemctl daemon-reload; systemctl restart posthouse@main.service
}

step() {
  local name=$1; shift
  [ -z "${STEPS:-}" ] || [[ " $STEPS install " == *" $1 "* ]] || return 0
  count=$((count + 1)) bad=0
  cursor=$(journalctl -n 0 --show-cursor | sed -n 's/^-- cursor: //p')
  local t0=$EPOCHREALTIME
  "$@"
  local ms=$(( (${EPOCHREALTIME/./} - ${t0/./}) / 1000 ))
  if [ $bad = 0 ]; then echo "ok $count - $name ($ms ms)"; else
    echo "not ok $count - $name"; failed=$((failed + 1))
    journalctl ${cursor:+--after-cursor="$cursor"} --no-pager | tail -60 | sed 's/^/    /'
  fi
}

# ---- the steps

install() {
  systemctl disable -q --now postgresql >/dev/null 2>&1
  install_deb "$deb"
  is 'socket' "$(systemctl is-active posthouse@main.socket)" active
  is 'service' "$(state)" inactive
  is 'no process' "$(pgrep -u posthouse -c .)" 0
  is 'data' "$(stat -c '%a %U' /var/lib/posthouse/main)" '700 posthouse'
  is 'configuration' "$(stat -c '%a %U' /etc/posthouse/main/hba.conf)" '600 posthouse'
  ok "$node" --stack-size=5000 --single-threaded --v8-pool-size=0 --disable-sigusr1 --no-flush-bytecode --initial-old-space-size=48 -e 'process.exitCode = require("/usr/lib/posthouse/lib/start.cjs").script.cachedDataRejected === false ? 0 : 1'
  like 'listens' "$(ss -tlnH 'sport = 5432')" '127.0.0.1:5432'
  is 'list' "$(posthouse site list | cut -f 1-5,7)" $'main\t5432\tposthouse\tsleeping\t1\t0'
  is 'to others' "$(runuser -u nobody -- posthouse site list)" $'main\t5432\tposthouse\tsleeping\t?\t?\t0'
  like 'on a terminal' "$(script -qec 'posthouse site list' /dev/null)" 'connections'
  like 'not theirs' "$(runuser -u nobody -- posthouse user list 2>&1)" 'belongs to posthouse.*sudo'
  figure 'size of an empty site' "$(du -sk /var/lib/posthouse/main | cut -f 1)" 4096 kB
  figure 'files of an empty site' "$(find /var/lib/posthouse/main /etc/posthouse/main -type f | wc -l)" 40 files
  echo "figure size of the package: $(( $(stat -c %s "$deb") / 1048576 )) MB, installed $(dpkg-query -W -f '${Installed-Size}' posthouse) kB"
}

first_connection() {
  local ms value all= cpu=
  for i in 1 2 3 4 5; do
    systemctl stop posthouse@main.service 2>/dev/null
    is 'asleep' "$(state)" inactive
    read -r ms value < <(ask $main 'select 6 * 7')
    is 'answer' "$value" 42
    all="$all $ms" cpu="$cpu $(( $(systemctl show -P CPUUsageNSec posthouse@main.service) / 1000000 ))"
  done
  echo "  first connections:$all ms; the service's processor time for each:$cpu ms"
  time_figure 'first connection to a sleeping site, median' "$(median $all)" "$(median $cpu)" 400
  is 'by TCP, too' "$(psql -XAtq 'host=127.0.0.1 user=posthouse dbname=postgres password=wrong' -c 'select 1' 2>&1 | grep -c 'password authentication failed')" 1
  like 'status' "$(systemctl show -P StatusText posthouse@main.service)" '^[0-9]+ sessions?, 1 database$'
  is 'type' "$(systemctl show -P Type posthouse@main.service)" notify
}

hardening() {
  local score
  score=$(systemd-analyze security posthouse@main.service | sed -n 's/.*exposure level.*: \([0-9.]*\).*/\1/p')
  figure 'exposure as installed, without outgoing connections' "$score" 0.7 points
  mkdir -p /run/systemd/system/posthouse@main.service.d
  printf '[Service]\nPrivateNetwork=no\nRestrictAddressFamilies=AF_UNIX AF_NETLINK\n' >/run/systemd/system/posthouse@main.service.d/network.conf
  systemctl daemon-reload
  score=$(systemd-analyze security posthouse@main.service | sed -n 's/.*exposure level.*: \([0-9.]*\).*/\1/p')
  figure 'exposure of a site that sees the network (samehost, samenet)' "$score" 1.0 points
  # What is denied to the server is not what comes through the sockets that it is passed.
  sed -i.before 's/127.0.0.1\/32/samehost/' /etc/posthouse/main/hba.conf
  systemctl restart posthouse@main.service
  is 'samehost, with the drop-in' "$(psql -XAtq 'host=127.0.0.1 user=posthouse dbname=postgres password=wrong' -c 'select 1' 2>&1 | grep -c 'password authentication failed')" 1
  mv /etc/posthouse/main/hba.conf.before /etc/posthouse/main/hba.conf
  rm -r /run/systemd/system/posthouse@main.service.d
  systemctl daemon-reload; systemctl restart posthouse@main.service
  is 'verify' "$(systemd-analyze verify posthouse@main.service posthouse@main.socket posthouse.target 2>&1 | grep -i posthouse)" ''
}

memory() {
  systemctl restart posthouse@main.service
  ask $main 'create table if not exists memory_test (a int)' >/dev/null
  ask $main 'insert into memory_test values (1) returning a' >/dev/null
  # Memory is given back some seconds after the last session, when the processor is free.
  local since=$SECONDS mb
  until mb=$(pss); [ "$mb" -le 90 ] || [ $((SECONDS - since)) -gt 300 ]; do sleep 0.5; done
  figure 'size of a site that was used, awake' "$(du -sk /var/lib/posthouse/main | cut -f 1)" 4096 kB
  figure 'files of a site that was used, awake' "$(find /var/lib/posthouse/main /etc/posthouse/main -type f | wc -l)" 40 files
  figure 'PSS of an idle site, awake' "$mb" 90 "MB ($((SECONDS - since)) s after the last session)"
  # A site that was busy has rehearsed, and starts anew when nobody is there.
  local before most=0 answered lost worst why; before=$(pid)
  sed -i '$a idle_restart = 5s' /etc/posthouse/main/site.ini
  ok systemctl reload posthouse@main.service
  "$node" /opt/test/client.cjs storm $main 40 0 0 0 >/dev/null
  since=$SECONDS
  until started_anew; do
    mb=$(pss)
    [ "$mb" -le $most ] || most=$mb
    [ $((SECONDS - since)) -lt 300 ] || { fault 'it did not start anew'; return; }
    sleep 0.2
  done
  # Between two programs: nobody is lost.
  read -r answered lost worst why < <("$node" /opt/test/client.cjs storm $main 20 0)
  is 'served by the new one' "$answered $lost" '20 0'
  is 'the same process' "$(pid) $(state) $(systemctl show -P NRestarts posthouse@main.service)" "$before active 0"
  since=$SECONDS
  until mb=$(pss); [ "$mb" -le 90 ] || [ $((SECONDS - since)) -gt 300 ]; do sleep 0.5; done
  figure 'PSS after 120 sessions, the rehearsal and the rest' "$mb" 90 "MB (at most $most before; $((SECONDS - since)) s after the last session)"
  # 200 clients at a time, about when it leaves and comes back.
  sed -i 's/^idle_restart = .*/idle_restart = 1s/' /etc/posthouse/main/site.ini
  ok systemctl reload posthouse@main.service
  read -r answered lost worst why < <("$node" /opt/test/client.cjs storm $main 200 0 1000 1060 1100)
  echo "  200 clients at once, four times around starting anew: $answered answered, $lost lost, worst $worst ms $why"
  is 'lost' "$answered $lost" '800 0'
  is 'the same process' "$(pid) $(state) $(systemctl show -P NRestarts posthouse@main.service)" "$before active 0"
  sed -i '/^idle_restart/d' /etc/posthouse/main/site.ini
  ok systemctl reload posthouse@main.service
}
started_anew() { journalctl ${cursor:+--after-cursor="$cursor"} -o cat -u posthouse@main.service | grep -q 'starting anew, to give memory back'; }
pss() { # of the site main, in MB
  local kb=0 p
  for p in $(cat "/sys/fs/cgroup$(systemctl show -P ControlGroup posthouse@main.service)/cgroup.procs"); do
    kb=$((kb + $(sed -n 's/^Pss: *\([0-9]*\) kB/\1/p' "/proc/$p/smaps_rollup" 2>/dev/null || echo 0)))
  done
  echo $((kb / 1024))
}

sites() {
  is 'create' "$(posthouse site create shop 2>&1 | head -1)" 'site shop of posthouse, port 5433 (port 5432 is taken)'
  site=shop port=5433 is 'query' "$(site=shop port=5433 sql 'select 1')" 1
  is 'both' "$(posthouse site list | cut -f 1,4 | tr '\t\n' ' ;')" 'main running;shop running;'
  like 'json' "$(posthouse site list --json | tr -d ' \n')" '"name":"shop","port":5433,"owner":"posthouse","state":"running"'
  like 'show' "$(posthouse site show shop)" 'socket +/run/posthouse/shop/.s.PGSQL.5433'
  fails 1 posthouse site create shop
  fails 4 posthouse site show nothing
  fails 2 posthouse site create 'Bad Name'
  ok posthouse site rename shop store
  site=store is 'renamed' "$(site=store port=5433 sql 'select 2')" 2
  fails 4 posthouse site status shop
  ok posthouse site stop store
  fails 3 posthouse site status store
  ok posthouse site start store
  ok posthouse site status store
  sed -i "s/^port = .*/port = 5440/; \$a listen_addresses = '*'" /etc/posthouse/store/site.ini
  ok posthouse site restart store
  is 'another port' "$(site=store port=5440 sql 'show port')" 5440
  is 'all addresses, as IPv4 and as IPv6' "$(for host in 127.0.0.1 ::1; do psql -XAtq "host=$host port=5440 user=posthouse dbname=postgres password=wrong" -c 'select 1' 2>&1 | grep -c 'password authentication failed'; done | tr '\n' ' ')" '1 1 '
  fails 2 posthouse site drop store
  ok posthouse site drop store --yes
  is 'gone' "$(ls -d /var/lib/posthouse/store /etc/posthouse/store /run/posthouse/store /etc/systemd/system/posthouse@store* 2>/dev/null)" ''
  is 'one left' "$(posthouse site list | cut -f 1)" main
}

people() {
  echo 'wonderland' >/root/secret
  ok posthouse user create alice --site main --password-file /root/secret
  ok posthouse user create bob --site main --no-password
  ok posthouse database create orders --site main --owner alice
  like 'as JSON' "$(posthouse user list --json | tr -d ' \n')" '"name":"alice","rights":"","may_create_databases":false,"password":true'
  like 'as JSON' "$(posthouse database list --json | tr -d ' \n')" '"name":"orders","owner":"alice","bytes":[0-9]+,"connections":0'
  is 'users' "$(posthouse user list --site main | cut -f 1,4 | tr '\t\n' ' ;')" 'alice yes;bob no;posthouse no;'
  is 'databases' "$(posthouse database list --site main | cut -f 1,2 | tr '\t\n' ' ;')" 'orders alice;postgres posthouse;'
  is 'password' "$(PGPASSWORD=wonderland psql -XAtq -h 127.0.0.1 -U alice orders -c 'create table t as select 1 as a; select current_user, a from t' 2>&1)" 'alice|1'
  echo 'looking-glass' >/root/secret
  ok posthouse user password alice --site main --password-file /root/secret
  like 'the old one' "$(PGPASSWORD=wonderland psql -XAtq -h 127.0.0.1 -U alice orders -c 'select 1' 2>&1)" 'password authentication failed'
  is 'the new one' "$(PGPASSWORD=looking-glass psql -XAtq -h 127.0.0.1 -U alice orders -c 'select 1' 2>&1)" 1
  ok systemd-run -q --wait --collect -p LoadCredential=pw:/root/secret posthouse user create carol --site main --password-credential pw
  is 'by credential' "$(PGPASSWORD=looking-glass psql -XAtq -h 127.0.0.1 -U carol postgres -c 'select 1' 2>&1)" 1
  fails 1 posthouse user create alice --site main --no-password
  ok posthouse database drop orders --site main --yes
  ok posthouse user drop carol --site main --yes
  like 'peer' "$(runuser -u nobody -- psql -XAtq -h /run/posthouse/main -U posthouse postgres -c 'select 1' 2>&1)" 'Peer authentication failed|peer authentication failed'
}

stop_sessions() {
  sql 'select 1' >/dev/null
  "$node" /opt/test/client.cjs hold $main 50 >/tmp/hold &
  local holder=$!
  until_is 60 held cat /tmp/hold
  until_is 5 '50 sessions, 1 database' systemctl show -P StatusText posthouse@main.service
  is 'listed' "$(posthouse site list | cut -f 7)" 50
  local t0=${EPOCHREALTIME/./} work wall
  work=$(systemctl show -P CPUUsageNSec posthouse@main.service)
  systemctl stop posthouse@main.service 2>/dev/null
  wall=$(( (${EPOCHREALTIME/./} - t0) / 1000 )) work=$(( ($(systemctl show -P CPUUsageNSec posthouse@main.service) - work) / 1000000 ))
  time_figure 'stop with 50 sessions' $wall $work 2000
  wait $holder
  is 'told 57P01' "$(sed -n '2s/.* //p' /tmp/hold)" 50
  is 'clean' "$(systemctl show -P Result posthouse@main.service)" success
}

reload() {
  sql 'select 1' >/dev/null
  local before; before=$(pid)
  sed -i '/^work_mem/d; $a work_mem = 7MB' /etc/posthouse/main/site.ini
  ok systemctl reload posthouse@main.service
  until_is 5 7MB sql 'show work_mem'
  is 'the same process' "$(pid)" "$before"
  is 'active again' "$(state)" active
  ok posthouse site reload main
}

journal() {
  sql 'select 1/0' >/dev/null
  local line
  until_is 20 1 bash -c 'journalctl SITE=main -o json -n 20 | grep -q 22012 && echo 1'
  line=$(journalctl SITE=main -o json -n 20 | grep 22012 | tail -1)
  like 'fields' "$line" '"SQLSTATE":"22012"'
  like 'site' "$line" '"SITE":"main"'
  like 'database' "$line" '"DATABASE":"postgres"'
  like 'user' "$line" '"USER":"posthouse"'
  like 'pid' "$line" '"BACKEND_PID":"[0-9]+"'
  like 'priority' "$line" '"PRIORITY":"3"'
  like 'log' "$(posthouse site log main --lines 5)" 'division by zero'
  # Whoever ends `site log -f` ends it whole: journalctl once went on.
  posthouse site log main -f >/tmp/followed 2>&1 &
  local follower=$!
  until_is 20 yes bash -c '[ -s /tmp/followed ] && echo yes'
  sql 'select no_such_column' >/dev/null
  until_is 20 1 grep -c 'no_such_column" does not exist' /tmp/followed
  kill $follower; wait $follower
  is 'ended' "$? $(pgrep -c journalctl)" '143 0'
}

told() { systemctl show -P WatchdogTimestampMonotonic posthouse@main.service; }
another() { # <pid>: the service has another main process, and is active
  [ "$(pid)" != "$1" ] && [ "$(state)" = active ] && echo another
}
watchdog() {
  mkdir -p /run/systemd/system/posthouse@main.service.d
  printf '[Service]\nWatchdogSec=12\n' >/run/systemd/system/posthouse@main.service.d/watchdog.conf
  systemctl daemon-reload; systemctl restart posthouse@main.service
  sql 'create table if not exists watched (a int)' >/dev/null
  local before last i manager; before=$(pid)
  for i in 1 2 3; do
    last=$(told)
    until_is 30 yes bash -c "[ \"\$(systemctl show -P WatchdogTimestampMonotonic posthouse@main.service)\" != $last ] && echo yes"
  done
  is 'still the same after three proofs of life' "$(pid)" "$before"
  kill -STOP "$before"
  until_is 30 another another "$before"
  is 'serves again after a postmaster that hung' "$(sql 'select 1')" 1
  # A manager that hangs: the postmaster is well, but nothing can be written.
  sql 'insert into watched values (1)' >/dev/null
  before=$(pid) manager=$(pgrep -P "$before" -f 'transaction manager base' | head -1)
  kill -STOP "$manager" || fault 'no manager'
  until_is 40 another another "$before"
  like 'serves again after a manager that hung' "$(sql 'insert into watched values (2) returning a')" '^2'
  like 'said so' "$(journalctl ${cursor:+--after-cursor="$cursor"} -u posthouse@main.service)" "transaction manager of database [0-9]+ \(PID $manager\) does not respond"
  sql 'drop table watched' >/dev/null
  rm -r /run/systemd/system/posthouse@main.service.d; systemctl daemon-reload; systemctl restart posthouse@main.service
}

backend_killed() {
  # What the kernel's killer takes when memory is short, and that the others do not notice.
  local before holder victim; before=$(pid)
  "$node" /opt/test/client.cjs hold $main 3 >/tmp/hold &
  holder=$!
  until_is 60 held cat /tmp/hold
  before=$(pid) victim=$(pgrep -P "$(pid)" -f idle | head -1)
  is 'a backend is offered to the killer' "$(cat "/proc/$victim/oom_score_adj")" 300
  is 'policy' "$(systemctl show -P OOMPolicy posthouse@main.service)" continue
  kill -9 "$victim"
  until_is 10 2 pgrep -c -P "$before" -f idle
  is 'others go on' "$(sql 'select 1') $(pid) $(systemctl show -P NRestarts posthouse@main.service)" "1 $before 0"
  kill $holder 2>/dev/null; wait $holder 2>/dev/null
}

killed() {
  sql 'create table if not exists kept (a int); insert into kept values (1)' >/dev/null
  local before; before=$(pid)
  kill -9 "$before"
  until_is 10 1 sql 'select count(*) from kept'
  [ "$(pid)" != "$before" ] || fault 'the same process?'
  sql 'drop table kept' >/dev/null
}

idle_exit() {
  sed -i 's/^idle_exit = .*/idle_exit = 1s/' /etc/posthouse/main/site.ini
  systemctl restart posthouse@main.service
  until_is 10 inactive state
  is 'no failure' "$(systemctl show -P Result posthouse@main.service)" success
  is 'no process' "$(pgrep -u posthouse -c .)" 0
  local answered lost worst why waking
  # All at once, about when the postmaster leaves; then when it is gone.
  read -r answered lost worst why < <("$node" /opt/test/client.cjs storm $main 200 0 1000 1060)
  until_is 20 inactive state
  read -r waking < <("$node" /opt/test/client.cjs storm $main 200 0)
  echo "  200 clients at once, three times around $(journalctl ${cursor:+--after-cursor="$cursor"} -u posthouse@main.service | grep -c 'nobody is connected') idle exits: $answered answered, $lost lost, worst $worst ms $why; from sleep: $waking"
  is 'lost' "$answered $lost" '600 0'
  like 'lost from sleep' "$waking" '^200 0 '
  sed -i 's/^idle_exit = .*/idle_exit = 10min/' /etc/posthouse/main/site.ini
  systemctl restart posthouse@main.service
}

permissions() {
  ok posthouse site check main
  systemctl stop posthouse@main.service 2>/dev/null
  chmod 644 /var/lib/posthouse/main/SITE_SECRET
  chown root /etc/posthouse/main/hba.conf
  like 'the client is told' "$(sql 'select 1')" 'does not start|2 faults'
  like 'status' "$(systemctl status posthouse@main.service)" 'chmod 0600 /var/lib/posthouse/main/SITE_SECRET'
  like 'status' "$(systemctl status posthouse@main.service)" 'chown posthouse /etc/posthouse/main/hba.conf'
  fails 1 posthouse site check main
  ok posthouse site check main --fix
  is 'serves again' "$(sql 'select 1')" 1
  ln -s /etc/passwd /var/lib/posthouse/main/base/evil
  systemctl stop posthouse@main.service 2>/dev/null
  like 'links' "$(posthouse site check main)" 'is a symbolic link'
  ok posthouse site check main --fix
  ok posthouse site check main
  is '/etc/passwd' "$(stat -c '%a %U' /etc/passwd)" '644 root'
}

other_account() {
  useradd -m -s /bin/bash dora
  ok posthouse site create letters --owner dora --port 5450
  is 'superuser' "$(runuser -u dora -- psql -XAtq -h /run/posthouse/letters -p 5450 -U dora postgres -c 'select current_user, usesuper from pg_user where usename = current_user' 2>&1)" 'dora|t'
  is 'process' "$(stat -c %U "/proc/$(pid letters)")" dora
  is 'two side by side' "$(sql 'select 1')" 1
  # The journal here is in memory, and open to a group only (on disk the owner reads what her site says).
  like 'the log: what to do' "$(runuser -u dora -- posthouse site log letters 2>&1)" 'not open to dora.*sudo posthouse site log letters.*usermod -aG systemd-journal dora'
  fails 1 runuser -u dora -- posthouse site log letters
  usermod -aG systemd-journal dora
  like 'the log' "$(runuser -u dora -- posthouse site log letters 2>&1)" 'ready to accept connections'
  ok posthouse site stop letters
  # As a unit of the user's own.
  local own=(runuser -u dora -- env "XDG_RUNTIME_DIR=/run/user/$(id -u dora)")
  loginctl enable-linger dora
  until_is 20 active systemctl is-active "user@$(id -u dora).service"
  ok "${own[@]}" posthouse site start letters
  is 'user unit' "$("${own[@]}" systemctl --user is-active posthouse@letters.service)" active
  is 'query' "$(runuser -u dora -- psql -XAtq -h /run/posthouse/letters -p 5450 -U dora postgres -c 'select 3' 2>&1)" 3
  is 'listed' "$(posthouse site list | grep letters | cut -f 1-4)" $'letters\t5450\tdora\trunning'
  fails 1 posthouse site start letters
  fails 1 posthouse site drop letters --yes
  ok "${own[@]}" posthouse site reload letters
  ok "${own[@]}" posthouse site restart letters
  ok "${own[@]}" posthouse site status letters
  ok "${own[@]}" posthouse site stop letters
  fails 3 "${own[@]}" posthouse site status letters
  fails 1 "${own[@]}" posthouse site stop main
  ok posthouse site start letters
  fails 1 "${own[@]}" posthouse site stop letters
  loginctl disable-linger dora
  ok posthouse site drop letters --yes
}

beside_postgresql() {
  ok posthouse site stop main
  systemctl start postgresql@15-main
  is 'PostgreSQL has 5432' "$(runuser -u postgres -- psql -XAtq -c 'show port')" 5432
  is 'a new site takes the next' "$(posthouse site create second 2>&1 | head -1)" 'site second of posthouse, port 5433 (port 5432 is taken)'
  is 'both' "$(runuser -u postgres -- psql -XAtq -c 'select 1')$(site=second port=5433 sql 'select 2')" 12
  ok posthouse site drop second --yes
  is 'untouched' "$(runuser -u postgres -- psql -XAtq -c 'select 1')" 1
  systemctl stop postgresql@15-main
  ok posthouse site start main
}

upgrade() {
  sql 'create table if not exists lasting (a int); insert into lasting values (7); create table writes (a int primary key)' >/dev/null
  local before writer acknowledged missing ended refused longest; before=$(pid)
  sed -i '$a # a line of the administrator' /etc/posthouse/main/hba.conf
  mkfifo /tmp/writing
  "$node" /opt/test/client.cjs write $main </tmp/writing >/tmp/written &
  writer=$!
  exec 9>/tmp/writing
  until_is 20 t sql 'select count(*) > 20 from writes'
  install_deb "$next"
  exec 9>&-
  wait $writer
  read -r acknowledged missing ended refused longest </tmp/written
  echo "  a writer during the upgrade: $acknowledged rows acknowledged, $missing missing, $ended sessions ended, $refused connections refused, longest wait $longest ms"
  is 'nothing acknowledged is missing' "$missing" 0
  is 'nobody was refused' "$refused" 0
  [ "${acknowledged:-0}" -gt 20 ] || fault 'hardly anything was written'
  is 'version' "$(version)" 0.1.1
  is 'the data' "$(sql 'select max(a) from lasting')" 7
  [ "$(pid)" != "$before" ] || fault 'it was not restarted'
  is 'the configuration' "$(tail -1 /etc/posthouse/main/hba.conf)" '# a line of the administrator'
}

downgrade() {
  systemctl stop posthouse@main.service 2>/dev/null
  echo 2 >/var/lib/posthouse/main/SITE_VERSION
  like 'a site that it could not read' "$(dpkg -i "$deb" 2>&1)" 'the site main has format 2.*Nothing was changed'
  is 'version' "$(version)" 0.1.1
  echo 1 >/var/lib/posthouse/main/SITE_VERSION
  like 'a site that it can read' "$(dpkg -i "$deb" 2>&1)" 'downgrading posthouse from 0.1.1 to 0.1.0'
  is 'version' "$(version)" 0.1.0
  is 'serves' "$(sql 'select max(a) from lasting')" 7
}

remove() {
  ok apt-get remove -y -q posthouse
  is 'no process' "$(pgrep -u posthouse -c .)" 0
  is 'no socket' "$(ss -tlnH 'sport = 5432')" ''
  [ -f /var/lib/posthouse/main/SITE_VERSION ] || fault 'the data is gone'
  install_deb "$deb"
  is 'again, with the data' "$(sql 'select max(a) from lasting')" 7
}

commands() {
  apt-get purge -y -q 'postgresql*' >/tmp/purge.log 2>&1 || fault "$(tail -5 /tmp/purge.log)"
  install_deb "$commands"
  ok createdb -h /run/posthouse/main -U posthouse lent
  ok dropdb -h /run/posthouse/main -U posthouse lent
  ok pg_isready -h /run/posthouse/main
  ok man -w createdb posthouse
  # Pages were once only looked for, and the main package had none for its programs.
  for page in $(dpkg -L posthouse posthouse-commands | grep '/man/.*\.gz$'); do
    like "$page" "$(MANWIDTH=80 man -l "$page" 2>&1)" 'NAME.*SYNOPSIS.*(OPTIONS|COMMANDS).*SEE ALSO'
    is "what groff says of $page" "$(MANROFFSEQ= man --warnings=w -E UTF-8 -l -Tutf8 -Z "$page" 2>&1 >/dev/null)" ''
  done
  ok man -w 1posthouse psql postmaster
  # psql's page once named the account that had built the package, so that no two builds were the same.
  is 'of who built it' "$(zcat /usr/share/man/man1/psql.1.gz | grep -c 'default: the name of your account')" 2
  is 'completion' "$(bash -c '. /usr/share/bash-completion/completions/posthouse; COMP_WORDS=(posthouse site cr); COMP_CWORD=2; _posthouse; echo ${COMPREPLY[@]}')" create
  is 'completion of commands' "$(bash -c '. /usr/share/bash-completion/completions/vacuumdb; COMP_WORDS=(psql -h /run/posthouse/main -U posthouse -d pos); COMP_CWORD=6; _posthouse_command; echo ${COMPREPLY[@]}')" postgres
  ok apt-get purge -y -q posthouse-commands
}

purge() {
  ok apt-get purge -y -q posthouse
  [ -f /var/lib/posthouse/main/SITE_VERSION ] && [ -f /etc/posthouse/main/site.ini ] || fault 'the site is gone'
  is 'units' "$(ls -d /etc/systemd/system/posthouse* /etc/systemd/system/*.wants/posthouse* 2>/dev/null)" ''
  is 'program' "$(ls -d /usr/lib/posthouse /usr/bin/posthouse 2>/dev/null)" ''
  install_deb "$deb"
  is 'state' "$(posthouse site list | cut -f 1,4)" $'main\tsleeping'
  touch /etc/posthouse/purge-sites
  ok apt-get purge -y -q posthouse
  is 'all gone' "$(ls -d /var/lib/posthouse /etc/posthouse 2>/dev/null)" ''
  # Somebody else has the port: the next one is taken, and that is said.
  systemd-run -q --unit=other socat TCP-LISTEN:5432,bind=127.0.0.1,fork /dev/null
  until_is 10 1 bash -c "ss -tlnH 'sport = 5432' | wc -l"
  install_deb "$deb"
  like 'said' "$(cat /tmp/apt.log)" 'port 5433 \(port 5432 is taken\)'
  is 'state' "$(posthouse site list | cut -f 1,2,4)" $'main\t5433\tsleeping'
  systemctl stop other
  touch /etc/posthouse/purge-sites
  ok apt-get purge -y -q posthouse
  mkdir -p /etc/posthouse; touch /etc/posthouse/no-default-site
  install_deb "$deb"
  is 'no site' "$(posthouse site list)" ''
  ok apt-get purge -y -q posthouse
  is 'the word of the administrator stays' "$(ls /etc/posthouse)" no-default-site
  rm -rf /etc/posthouse
}

rpm_package() {
  # What the scriptlets do, on a system that has systemd; dependencies are named as others name them.
  local first second; first=$(echo /opt/test/posthouse-0*.rpm) second=$(echo /opt/test/next/posthouse-0*.rpm)
  ok rpm --initdb
  ok rpm -i --nodeps "$first"
  is 'state' "$(posthouse site list | cut -f 1,2,4)" $'main\t5432\tsleeping'
  is 'answer' "$(ask $main 'select 6 * 7' | cut -d ' ' -f 2)" 42
  ask $main 'create table lasting as select 7 as a' >/dev/null
  local before; before=$(pid)
  ok rpm -U --nodeps "$second"
  until_is 20 another another "$before"
  is 'the data after the upgrade' "$(ask $main 'select a from lasting' | cut -d ' ' -f 2)" 7
  is 'verified' "$(rpm -V --nodeps posthouse 2>&1 | grep -v '[.]cache$')" ''
  ok rpm -e --nodeps posthouse
  is 'no process' "$(pgrep -u posthouse -c .)" 0
  is 'no socket' "$(ss -tlnH 'sport = 5432')" ''
  is 'program' "$(ls -d /usr/lib/posthouse /usr/bin/posthouse 2>/dev/null)" ''
  [ -f /var/lib/posthouse/main/SITE_VERSION ] || fault 'the data is gone'
  ok rpm -i --nodeps "$first"
  is 'again, with the data' "$(ask $main 'select a from lasting' | cut -d ' ' -f 2)" 7
  ok rpm -e --nodeps posthouse
}

step 'install: the site main, its sockets, no process' install
step 'first connection starts the postmaster and is answered' first_connection
step 'confinement' hardening
step 'memory' memory
step 'sites: create, list, show, rename, stop, start, restart, drop' sites
step 'a hundred sites asleep' hundred_sites
step 'users and databases' people
step 'stop with sessions open' stop_sessions
step 'reload' reload
step 'journal' journal
step 'watchdog' watchdog
step 'a backend is killed' backend_killed
step 'a backend is ended for memory' memory_short
step 'kill -9 of the postmaster' killed
step 'idle exit and wake-up under 200 clients' idle_exit
step 'wrong permissions' permissions
step 'a site of another account, and a unit of that user' other_account
step 'beside PostgreSQL on 5432' beside_postgresql
step 'upgrade while somebody writes' upgrade
step 'downgrade' downgrade
step 'remove and install again' remove
step 'command names without PostgreSQL' commands
step 'purge' purge
step 'the RPM package: install, upgrade, erase' rpm_package
echo "$((count - failed)) of $count steps hold"
[ $failed = 0 ]
