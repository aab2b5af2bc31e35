#!/bin/sh
# Compiles src into dist and writes the launchers dist/bin/<program>. Called by make: compile.sh <node>
set -eu
node=$1
"$node" node_modules/typescript/bin/tsc --noCheck
# Types of the client library, for programs that import posthouse/libpq.
"$node" node_modules/typescript/bin/tsc --noCheck -p tools/tsconfig.types.json
mkdir -p dist/port dist/bin
# Never in place: processes may have the old ones mapped.
for file in port.node heap.so; do
  cmp -s "build/$file" "dist/port/$file" && continue
  cp "build/$file" "dist/port/$file.new"
  mv "dist/port/$file.new" "dist/port/$file"
done

# What the compiler does not carry over, and what has no source any more.
(cd src && find . -type f ! -name '*.ts' ! -name '*.c' ! -name '*.node' ! -name '*.md' -print) | while read -r file; do
  mkdir -p "dist/${file%/*}"
  cmp -s "src/$file" "dist/$file" || cp "src/$file" "dist/$file"
done
(cd dist && find . -name '*.js' -print) | while read -r file; do
  [ -e "src/${file%.js}.ts" ] || rm "dist/$file"
done
mkdir -p dist/etc
for file in etc/*; do
  cmp -s "$file" "dist/$file" || cp "$file" "dist/$file"
done
printf '{ "type": "module" }\n' > dist/package.json

# A program is a file of src/bin that starts with "#!". postmaster and postgres fork, or run what forks: see
# the rules in src/port/README.md for their flags, and src/port/heap.c for what is preloaded (not from a folder with a
# space or a colon in its name: the loader takes several). V8's own limit of the stack, 984 kB, ends at a sum of 1,500 terms; PostgreSQL's
# takes 4,500, and so does ours.
for source in src/bin/*.ts; do
  head -n 1 "$source" | grep -q '^#!' || continue
  program=$(basename "$source" .ts)
  case $program in
    postmaster | postgres) flags='$stack --single-threaded --v8-pool-size=0 --disable-sigusr1 --no-flush-bytecode ' preload=1 ;;
    *) flags= preload= ;;
  esac
  # Programs that people start all the time are one script each, with V8's code for it.
  main=$program.js
  case $program in
    psql) "$node" tools/client_bundle.ts psql -X -c 'select 1'; main=psql.cjs ;;
    createdb | dropdb | createuser | dropuser | pg_isready | reindexdb | vacuumdb | clusterdb) "$node" tools/client_bundle.ts "$program" nobody; main=$program.cjs ;;
  esac
  cat > "dist/bin/$program.new" <<END
#!/bin/sh
# Starts $program with the Node that Posthouse brings along.
self=\$(readlink -f "\$0")
top=\${self%/*/*/*}
for node in "\$top"/node_modules/node-linux-*/bin/node "\$top"/runtime/bin/node; do
  [ -x "\$node" ] && break
done
unset NODE_OPTIONS
${preload:+heap=\${self%/*/*\}/port/heap.so
case \$heap in *[' :']*) ;; *) export LD_PRELOAD="\$heap" LD_BIND_NOW=1 ;; esac
ulimit -S -s 8192 2>/dev/null && stack=--stack-size=5000 || stack=
}exec "\$node" $flags"\${self%/*}/$main" "\$@"
END
  chmod 755 "dist/bin/$program.new"
  # An older build may have left a folder of that name.
  [ ! -d "dist/bin/$program" ] || rm -rf "dist/bin/$program"
  mv "dist/bin/$program.new" "dist/bin/$program"
done
