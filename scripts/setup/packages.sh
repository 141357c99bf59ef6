# shellcheck shell=bash
# Sourced by the set-up scripts: finds what is missing, says so, and installs it where it may (Debian and its children,
# as root or through sudo). Elsewhere it names what is missing and stops. Running it with nothing missing costs
# milliseconds and prints nothing.

missing_packages=()

# need COMMAND PACKAGE: notes PACKAGE as missing unless COMMAND is on the path.
need() {
    command -v "$1" >/dev/null 2>&1 || missing_packages+=("$2")
}

# need_ok PACKAGE CHECK…: notes PACKAGE as missing unless the command line CHECK succeeds.
need_ok() {
    local package=$1
    shift
    "$@" >/dev/null 2>&1 || missing_packages+=("$package")
}

# install_packages WHY: installs what was noted, or explains and fails.
install_packages() {
    [ ${#missing_packages[@]} -gt 0 ] || return 0
    local sudo=()
    if [ "$(id -u)" -ne 0 ]; then
        sudo=(sudo -n)
        if ! sudo -n true 2>/dev/null; then sudo=(sudo); [ -t 0 ] && command -v sudo >/dev/null || sudo=(false); fi
    fi
    if ! command -v apt-get >/dev/null 2>&1 || [ "${sudo[0]:-}" = false ]; then
        {
            echo "Missing for $1 (names of the Debian packages): ${missing_packages[*]}"
            if command -v apt-get >/dev/null 2>&1; then
                echo "Install them as root:  apt-get install ${missing_packages[*]}"
            elif command -v brew >/dev/null 2>&1; then
                echo "Install them with Homebrew, where most have the same name:  brew install ${missing_packages[*]}"
            else
                echo "Install them with your system's package manager, then run the same command again."
            fi
        } >&2
        return 1
    fi
    echo "Installing for $1: ${missing_packages[*]} (apt-get)"
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -qq
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends \
        "${missing_packages[@]}" >/dev/null
    missing_packages=()
}

# install_wheels LIST FOLDER WHY: the Python packages of LIST in a virtual environment in FOLDER; touches nothing else.
install_wheels() {
    cmp -s "$1" "$2/installed.txt" && return 0
    need python3 python3
    need_ok python3-venv python3 -c 'import ensurepip, venv'
    install_packages "$3"
    echo "Installing $3, of $1, into $2 (pip)"
    rm -rf "$2"
    python3 -m venv "$2"
    "$2/bin/pip" install --quiet --disable-pip-version-check --retries 2 --requirement "$1"
    cp "$1" "$2/installed.txt"
}

# unpack_package PACKAGE FOLDER: Debian's package, unpacked into FOLDER rather than installed, so that no server of it starts
# on this machine by itself.
unpack_package() {
    if ! command -v apt-get >/dev/null 2>&1; then
        echo "Missing: $1. Install it with your system's package manager, then run the same command again." >&2
        return 1
    fi
    echo "Unpacking Debian's $1 into $2 (apt-get download)"
    mkdir -p "$2"
    if ! (cd "$2" && apt-get download -qq "$1" 2>/dev/null); then
        # The lists of packages may be missing or old.
        if [ "$(id -u)" -eq 0 ]; then apt-get update -qq; else sudo apt-get update -qq; fi
        (cd "$2" && apt-get download -qq "$1")
    fi
    (cd "$2" && dpkg -x "$1"_*.deb . && rm "$1"_*.deb)
}
