#!/bin/sh
# What is installed works from where it lies: `cmake --install` below a DESTDIR, and the Debian package, unpacked, and
# installed by dpkg into a directory of its own and removed again (as root). The tools for the package may be missing: a word says so.
. "$(dirname "$0")/lib.sh"
build=$(dirname "$drd")
sources=$(sed -n 's/^CMAKE_HOME_DIRECTORY:INTERNAL=//p' "$build/CMakeCache.txt")

has() {
    for file; do
        set -- "$root"/$file
        [ -e "$1" ] || wrong "$root has no $file"
    done
}

# works ROOT-OF-PREFIX: all parts are there, and drd records, re-drives and explains with the shim beside it, not the build's.
works() {
    root=$1
    has bin/drd include/drd/drd.h share/man/man1/drd.1.gz \
        share/bash-completion/completions/drd share/fish/vendor_completions.d/drd.fish "share/zsh/*/_drd" \
        share/doc/drd/README.md share/doc/drd/copyright share/doc/drd/docs/limits.md share/doc/drd/traces/T07.drd
    for command in $("$drd" help | awk '/^  [a-z]/ { print $1 }'); do
        has "share/man/man1/drd-$command.1.gz" "share/doc/drd/docs/drd-$command.md"
    done
    expect 0 "$root/bin/drd" doctor
    grep -q "ok *shim *$(cd "$root" && pwd -P)/lib/" out || wrong "the shim is not the installed one"
    expect 3 "$root/bin/drd" record -o tiny.drd -- sh -c 'echo recorded; exit 3'
    grep -qx recorded out || wrong "the command was not run"
    expect 0 "$root/bin/drd" replay tiny.drd
    expect 2 "$root/bin/drd" explain tiny.drd
    rm -f tiny.drd
    cp "$root/share/doc/drd/traces/T07.drd" trace.drd
    expect 1 "$root/bin/drd" explain --no-source trace.drd
    grep -q '^VERDICT  *State Machine Safety broken' out || wrong "the trace is not explained"
}

unset DRD_SHIM
export DRD_PAGER=
prefix=$(sed -n 's/^CMAKE_INSTALL_PREFIX:PATH=//p' "$build/CMakeCache.txt")
expect 0 env DESTDIR="$scratch/dest" cmake --install "$build"
works "$scratch/dest$prefix"
expect 0 cmake --install "$build" --prefix "$scratch/alone"
works "$scratch/alone"

for tool in cpack dpkg-deb dpkg-shlibdeps file; do
    command -v $tool >/dev/null || { echo "no $tool: the Debian package is not tested"; leave; }
done
expect 0 cpack --config "$build/CPackConfig.cmake" -B "$scratch/package"
deb=$(echo package/drd_*.deb)
[ -f "$deb" ] || { wrong "no package"; exit 1; }

expect 0 dpkg-deb -f "$deb" Package Depends Section Description
for wanted in "^Package: drd$" "^Depends: .*libc6 (>= .*libdw1.*libsqlite3-0" "^Section: devel$" "^Description: deterministic"; do
    grep -q "$wanted" out || wrong "control: no $wanted"
done
expect 0 dpkg-deb -x "$deb" unpacked
works "$scratch/unpacked/usr"
if command -v lintian >/dev/null; then
    mkdir lint
    expect 0 env TMPDIR="$scratch/lint" lintian --allow-root --fail-on error,warning "$deb"
else
    echo "no lintian: the package is not looked at"
fi

# Without chroot the dependencies are not there; no script of the package runs, it has none.
expect 0 dpkg-deb -e "$deb" control
[ -z "$(find control -name 'p*')" ] || wrong "the package has scripts"
if [ "$(id -u)" != 0 ]; then
    echo "not root: the package is unpacked, not installed"
    leave
fi
mkdir -p root/var/lib/dpkg/updates root/var/lib/dpkg/info
: >root/var/lib/dpkg/status
own="dpkg --root=$scratch/root --log=$scratch/dpkg.log --force-depends --force-not-root --force-bad-path"
expect 0 $own -i "$deb"
works "$scratch/root/usr"
expect 0 $own -V drd
[ ! -s out ] || wrong "a file is not as it was packed"
expect 0 $own -r drd
[ -z "$(find root -path root/var -prune -o ! -type d -print)" ] || wrong "files are left after removal"
[ ! -e root/usr ] || wrong "directories are left after removal"
leave
