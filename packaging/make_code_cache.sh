#!/bin/sh
# Compiles the programs once and for all (see lib/code_cache.cjs): run as root when the package is installed. Without its
# result everything works, but starts slower.
set -eu
here=/usr/lib/posthouse
site=$(mktemp -d /tmp/posthouse.XXXXXX)
trap 'rm -rf "$site" "$here/lib/posthouse.cache.new"' EXIT
chown posthouse: "$site"
as='setpriv --reuid=posthouse --regid=posthouse --init-groups --inh-caps=-all --no-new-privs --'
cd /
$as "$here/bin/initdb" -D "$site" --no-sync >"$site.log" 2>&1 || { cat "$site.log" >&2; rm -f "$site.log"; exit 1; }
rm -f "$site.log"
$as "$here/runtime/node" --stack-size=5000 --single-threaded --v8-pool-size=0 --disable-sigusr1 --no-flush-bytecode --initial-old-space-size=48 "$here/lib/code_cache.cjs" "$site" \
  >"$here/lib/posthouse.cache.new"
chmod 644 "$here/lib/posthouse.cache.new"
mv "$here/lib/posthouse.cache.new" "$here/lib/posthouse.cache"
for bundle in "$here"/lib/bin/*.bundle; do
  program=$(basename "$bundle" .bundle)
  case $program in psql) arguments='-X -c select' ;; *) arguments=nobody ;; esac
  env -i "$here/runtime/node" "$here/lib/client_cache.cjs" "$here/lib/bin" "$program" -h "$here" $arguments >/dev/null 2>&1 || :
  [ ! -f "$here/lib/bin/$program.cache" ] || chmod 644 "$here/lib/bin/$program.cache"
done
