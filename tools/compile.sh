#!/bin/sh
# Compiles src into dist and writes the launchers dist/bin/<program>. Called by make: compile.sh <node>
set -eu
node=$1
"$node" node_modules/typescript/bin/tsc --noCheck
# Types of the client library, for programs that import posthouse/libpq.
"$node" node_modules/typescript/bin/tsc --noCheck -p tools/tsconfig.types.json
mkdir -p dist/port dist/bin
cp build/port.node dist/port/port.node

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
# the rules in src/port/README.md for their flags.
for source in src/bin/*.ts; do
  head -n 1 "$source" | grep -q '^#!' || continue
  program=$(basename "$source" .ts)
  case $program in
    postmaster | postgres) flags='--single-threaded --v8-pool-size=0 --disable-sigusr1 --no-flush-bytecode ' ;;
    *) flags= ;;
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
exec "\$node" $flags"\${self%/*}/$program.js" "\$@"
END
  chmod 755 "dist/bin/$program.new"
  mv "dist/bin/$program.new" "dist/bin/$program"
done
