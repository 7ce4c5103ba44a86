# Sourced by tests/run.sh and docs/quickstart.sh: install what is missing with apt-get, and say what that is.
#   packages_need PACKAGE...

packages_missing() {
    for package; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || echo "$package"
    done
}

packages_need() {
    missing=$(packages_missing "$@" | tr '\n' ' ')
    [ -n "$missing" ] || return 0
    if ! command -v apt-get >/dev/null; then
        echo "These packages are needed, and there is no apt-get to install them: $missing" >&2
        return 1
    fi
    root=
    if [ "$(id -u)" != 0 ]; then
        root=sudo
        if ! command -v sudo >/dev/null; then
            echo "Please install, as root: apt-get install --no-install-recommends $missing" >&2
            return 1
        fi
    fi
    echo "Installing with apt-get: $missing"
    $root env DEBIAN_FRONTEND=noninteractive apt-get update -qq &&
        $root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
}

PACKAGES_BUILD="cmake make gcc libc6-dev pkg-config libsqlite3-dev libzstd-dev libxxhash-dev libuv1-dev libjansson-dev
    libdw-dev libelf-dev zlib1g-dev libcmocka-dev libmsgpack-dev"
# The Raft library of the quick start.
PACKAGES_QUICKSTART="libraft-dev"
# The programs that the tests record, and what watches a replay.
PACKAGES_TESTS="libraft-dev openvswitch-common python3-minimal python3-pysyncobj python3-jsonschema strace procps
    libxml2-utils jq gdb git"
# What reads the man pages, the completions and the package.
PACKAGES_TESTS="$PACKAGES_TESTS mandoc bash fish zsh file dpkg-dev lintian"
# What renders the summaries for a job as GitHub does, and reads the recipes.
PACKAGES_TESTS="$PACKAGES_TESTS cmark-gfm python3-yaml"
# What reads the exports.
PACKAGES_TESTS="$PACKAGES_TESTS tshark graphviz cmark xxd"
# What looks at the reports of drd report.
PACKAGES_TESTS="$PACKAGES_TESTS python3 chromium chromium-driver fonts-dejavu-core"
