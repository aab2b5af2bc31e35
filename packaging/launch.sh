#!/bin/sh
# Every program of Posthouse is a link to this: it runs the one its name says, with the Node that came along. Client programs
# are a script each. The flags are those of src/port/README.md; all others have the same, because the code cache is for
# one set of flags.
unset NODE_OPTIONS
client=/usr/lib/posthouse/lib/bin/${0##*/}.cjs
[ ! -f "$client" ] || exec /usr/lib/posthouse/runtime/node "$client" "$@"
case ${0##*/} in
  postmaster | postgres) export LD_PRELOAD=/usr/lib/posthouse/lib/port/heap.so LD_BIND_NOW=1 ;; # for programs that fork (src/port/heap.c)
esac
ulimit -S -s 8192 2>/dev/null && stack=--stack-size=5000 || stack=
exec /usr/lib/posthouse/runtime/node $stack --single-threaded --v8-pool-size=0 --disable-sigusr1 --no-flush-bytecode --initial-old-space-size=48 \
  /usr/lib/posthouse/lib/start.cjs "${0##*/}" "$@"
