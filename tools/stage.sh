#!/bin/sh
# Copies what runs (dist, the runtime, the packages it needs) into a folder that any account can read: stage.sh <folder>
set -eu
to=$1
mkdir -p "$to/node_modules"
chmod 755 "$to" "$to/node_modules"
copy() {
  # Only when something changed, and never half: postmasters may be running from it.
  [ -e "$to/$1" ] && diff -qr "$1" "$to/$1" >/dev/null 2>&1 && return
  rm -rf "$to/$1.new" "$to/$1.old"
  mkdir -p "$(dirname "$to/$1")"
  cp -rL "$1" "$to/$1.new"
  chmod -R u=rwX,go=rX "$to/$1.new"
  if [ -e "$to/$1" ]; then mv "$to/$1" "$to/$1.old"; fi
  mv "$to/$1.new" "$to/$1"
  rm -rf "$to/$1.old"
}
copy dist
# npm lists a package and all it depends on; the root itself is left out.
npm ls --omit=dev --all --parseable 2>/dev/null | sed -n "s#^$(pwd)/##p" | grep '^node_modules/' | sort -u | while read -r package; do
  case $package in node_modules/*/node_modules/*) continue ;; esac
  copy "$package"
done
