#!/bin/sh
# Compiles the addon of the package lmdb with our patch (tools/lmdb.patch says why) into node_modules/lmdb, where it is
# found before the one that npm brought: build_lmdb.sh <runtime>
set -eu
runtime=$(cd "$1" && pwd)
top=$(pwd)
rm -rf build/lmdb
cp -RL node_modules/lmdb build/lmdb
rm -rf build/lmdb/build
ln -s "$top/node_modules" build/lmdb/node_modules
# As outside any repository, so that git takes the paths as they are.
(cd build/lmdb && GIT_CEILING_DIRECTORIES="$top/build" git apply "$top/tools/lmdb.patch")
(cd build/lmdb && PATH="$runtime/bin:$PATH" ENABLE_V8_FUNCTIONS=false JOBS=max \
  node "$top/node_modules/node-gyp/bin/node-gyp.js" rebuild --silent --nodedir="$runtime") > build/lmdb.log 2>&1 || {
  cat build/lmdb.log >&2
  echo 'the addon lmdb could not be compiled (needed: python3, make, g++)' >&2
  exit 1
}
mkdir -p node_modules/lmdb/build/Release
cp build/lmdb/build/Release/lmdb.node node_modules/lmdb/build/Release/lmdb.node.new
mv node_modules/lmdb/build/Release/lmdb.node.new node_modules/lmdb/build/Release/lmdb.node
