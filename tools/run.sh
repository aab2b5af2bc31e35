#!/bin/sh
# make run: a site here, and its postmaster in the foreground. SITE and PORT choose; root becomes the account posthouse.
set -eu
top=$(pwd)
node=$(ls -d "$top"/node_modules/node-linux-*/bin/node | head -n 1)
program=$top
as=
site=${SITE:-$top/site}

if [ "$(id -u)" = 0 ]; then
  home=/var/lib/posthouse
  if ! id posthouse >/dev/null 2>&1; then
    echo "making the system account posthouse"
    useradd --system --home-dir "$home" --shell /usr/sbin/nologin posthouse
  fi
  # The account may not be able to enter this checkout: it runs a copy, which root owns.
  program=$home/program
  mkdir -p "$home"
  sh tools/stage.sh "$program"
  site=${SITE:-$home/site}
  case $site in /*) ;; *) site=$top/$site ;; esac
  [ -e "$site" ] || install -d -m 0700 -o posthouse -g posthouse "$site"
  as='setpriv --reuid=posthouse --regid=posthouse --init-groups --'
  cd "$home"
fi

port=${PORT:-}
if [ -z "$port" ]; then
  port=$("$node" "$top/tools/free_port.ts" 5432)
  [ "$port" = 5432 ] || echo "port 5432 is taken: using $port"
fi

if [ ! -e "$site/SITE_VERSION" ]; then
  $as "$program/dist/bin/initdb" -D "$site"
fi
user=$($as id -un)
psql=psql
command -v psql >/dev/null || psql=$program/dist/bin/psql
(
  tries=0
  # With names that exist: who starts a site for the first time should not find an error in its log.
  until "$program/dist/bin/pg_isready" -q -h 127.0.0.1 -p "$port" -U "$user" -d postgres; do
    tries=$((tries + 1))
    [ $tries -gt 100 ] && exit
    sleep 0.1
  done
  echo
  echo "connect with:  $psql -h 127.0.0.1 -p $port -U $user postgres"
  echo
) &
exec $as "$program/dist/bin/postmaster" -D "$site" -p "$port"
