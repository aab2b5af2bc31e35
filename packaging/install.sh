#!/bin/sh
# Lays out what build/package has: install.sh <root> <folder of units>, and for the package of command names
# install.sh --commands <root>
set -eu
top=$(cd "$(dirname "$0")/.." && pwd)
described=$top/build/package/described
names() { (cd "$described" && ls ./*.1 | sed 's#^\./##; s#\.1$##'); }

if [ "$1" = --commands ]; then
  root=$2
  completions=$root/usr/share/bash-completion/completions
  install -d "$root/usr/bin" "$root/usr/share/man/man1" "$completions"
  install -m 644 "$described/commands.bash" "$completions/vacuumdb"
  for name in $(names); do
    ln -s "../lib/posthouse/bin/$name" "$root/usr/bin/$name"
    install -m 644 "$described/$name.1" "$root/usr/share/man/man1/"
    # The package bash-completion has some of these names, and reads them first.
    case $name in
      vacuumdb) ;;
      psql | createdb | createuser | dropdb | dropuser) ln -s vacuumdb "$completions/$name.bash" ;;
      *) ln -s vacuumdb "$completions/$name" ;;
    esac
  done
  exit
fi

root=$1 units=$2 from=$top/build/package to=$1/usr/lib/posthouse
install -d "$to/bin" "$to/libexec" "$to/runtime" "$root/usr/bin" "$root$units" "$root/usr/lib/systemd/user" "$root/etc/posthouse" \
  "$root/usr/share/bash-completion/completions" "$root/usr/share/man/man1" "$root/usr/share/man/man8" "$root/usr/share/doc/posthouse/examples"
cp -r "$from/lib" "$to/"
find "$to/lib" -type d -exec chmod 755 {} +
find "$to/lib" -type f -exec chmod 644 {} +
install -m 755 "$from/runtime/node" "$to/runtime/node"
install -m 755 "$top/packaging/launch.sh" "$to/libexec/launch"
install -m 755 "$top/packaging/make_code_cache.sh" "$to/libexec/make-code-cache"
for name in $(names) posthouse; do ln -s ../libexec/launch "$to/bin/$name"; done
ln -s ../lib/posthouse/bin/posthouse "$root/usr/bin/posthouse"
install -m 644 "$top"/systemd/posthouse* "$root$units/"
install -m 644 "$top"/systemd/user/posthouse* "$root/usr/lib/systemd/user/"
install -m 644 "$described/posthouse.bash" "$root/usr/share/bash-completion/completions/posthouse"
install -m 644 "$described/posthouse.8" "$root/usr/share/man/man8/"
# In a section of their own: section 1 is PostgreSQL's, or the package of command names'.
for name in $(names); do sed '1s/^\(\.TH [A-Z_]* 1\) /\1posthouse /' "$described/$name.1" >"$root/usr/share/man/man1/$name.1posthouse"; done
chmod 644 "$root"/usr/share/man/man1/*
install -m 644 "$top"/etc/* "$root/usr/share/doc/posthouse/examples/"
cp -r "$from/licences" "$root/usr/share/doc/posthouse/licences"
chmod -R u=rwX,go=rX "$root/usr/share/doc/posthouse"
