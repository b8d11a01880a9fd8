# shellcheck shell=bash
# Looks for the programs that Reelpin needs and installs the missing ones from Debian's or Ubuntu's
# packages, where it may. Needs say.sh and $root.

# The newest server below Debian's folders, or nothing.
postgres_bin() {
  local found
  found=$(find /usr/lib/postgresql -mindepth 3 -maxdepth 3 -path '*/bin/initdb' 2>/dev/null | sort -V | tail -n 1)
  if [ -n "$found" ]; then dirname "$found"; else command -v initdb; fi
}

# Debian calls it chromium; the other names are Google's own and Ubuntu's.
chromium_bin() {
  [ -z "${REELPIN_CHROMIUM:-}" ] || { echo "$REELPIN_CHROMIUM"; return; }
  command -v chromium || command -v google-chrome-stable || command -v google-chrome || command -v chromium-browser
}

# The home of a JDK of version 21 or newer, or nothing.
jdk_home() {
  local home version
  for home in "${JAVA_HOME:-}" /usr/lib/jvm/* "$(dirname "$(dirname "$(readlink -f "$(command -v java)")")")"; do
    [ -x "$home/bin/java" ] || continue
    version=$(sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "$home/release" 2>/dev/null)
    [ "${version:-0}" -ge 21 ] && { echo "$home"; return; }
  done
  return 1
}

# need_packages run|test|engines: the names of the packages that are missing, on one line.
need_packages() {
  local missing=()
  command -v cc >/dev/null || missing+=(gcc libc6-dev)
  { command -v ffmpeg && command -v ffprobe; } >/dev/null || missing+=(ffmpeg)
  postgres_bin >/dev/null || missing+=(postgresql)
  command -v node >/dev/null || missing+=(nodejs)
  command -v npm >/dev/null || missing+=(npm)
  # Pulsar's client is built with it.
  command -v protoc >/dev/null || missing+=(protobuf-compiler)
  if [ "$1" = engines ]; then
    command -v mvn >/dev/null || missing+=(maven)
    command -v go >/dev/null || missing+=(golang-go)
    command -v curl >/dev/null || missing+=(curl)
    command -v openssl >/dev/null || missing+=(openssl)
    jdk_home >/dev/null || missing+=("$(jdk_package)")
  fi
  if [ "$1" = test ]; then
    # Ubuntu has it as a snap only, which is not installed for anybody; one test does without then.
    chromium_bin >/dev/null || grep -qx 'ID=ubuntu' /etc/os-release || missing+=(chromium)
  fi
  echo "${missing[*]}"
}

# The first package of a JDK that is new enough and that this system has.
jdk_package() {
  local version
  for version in 21 25; do
    if apt-cache show "openjdk-$version-jdk-headless" >/dev/null 2>&1; then break; fi
    version=21
  done
  echo "openjdk-$version-jdk-headless"
}

# need run|test|engines: everything is there afterwards, or the script ends with what to type.
need() {
  need_rust
  local missing
  missing=$(need_packages "$1")
  if [ -n "$missing" ]; then
    # The words of the list are the packages.
    # shellcheck disable=SC2086
    install_packages $missing
    missing=$(need_packages "$1")
    [ -z "$missing" ] || stop "Still missing after the installation: $missing"
  fi
  need_ffmpeg
}

# A toolchain is the one thing that is not installed for anybody.
need_rust() {
  if ! command -v cargo >/dev/null && [ -x "$HOME/.cargo/bin/cargo" ]; then
    PATH="$HOME/.cargo/bin:$PATH"
  fi
  command -v cargo >/dev/null ||
    stop "Reelpin is built with Rust, and there is no cargo here." \
      "Install Rust with rustup (see rustup.rs), then run this again."
  local want have
  # shellcheck disable=SC2154
  want=$(sed -n 's/^channel = "\(.*\)"$/\1/p' "$root/rust-toolchain.toml")
  # In the project's folder, where rustup looks for the version to use, and fetches it.
  have=$(cd "$root" && rustc --version 2>/dev/null | cut -d ' ' -f 2) || have=
  [ -n "$have" ] || stop "cargo is here but rustc does not run; try: rustup toolchain install $want"
  at_least "$have" "$want" ||
    stop "Reelpin needs Rust $want, and this is $have." "Install Rust with rustup, which takes the right version by itself."
}

# -fps_mode and what else the encoder is asked for came with ffmpeg 5.1.
need_ffmpeg() {
  local version
  version=$(ffmpeg -version | sed -n '1s/^ffmpeg version n\{0,1\}\([0-9][0-9.]*\).*/\1/p')
  # A build from ffmpeg's repository has no such number, and is new enough.
  [ -z "$version" ] || at_least "$version" 5.1 ||
    stop "Reelpin needs ffmpeg 5.1 or newer, and this is $version." "Debian 12 and Ubuntu 24.04 have one."
}

# has_node VERSION: of at least this version; npm alone is content with any.
has_node() {
  local have
  have=$(node --version)
  at_least "${have#v}" "$1"
}

# at_least HAVE WANT: compares version numbers.
at_least() { [ "$(printf '%s\n' "$1" "$2" | sort -V | head -n 1)" = "$2" ]; }

install_packages() {
  command -v apt-get >/dev/null ||
    stop "Missing: $*" "Install what your system calls these (the names are Debian's), then run this again."
  local as=()
  if [ "$(id -u)" != 0 ]; then
    if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
      as=(sudo -n)
    else
      stop "Missing: $*" "Type this, then run the same command again:" "" \
        "    sudo apt-get update && sudo apt-get install -y --no-install-recommends $*"
    fi
  fi
  step "Installing $* (apt-get; a minute or two)"
  case " $* " in *" postgresql "*) no_system_cluster "${as[@]}" ;; esac
  local log
  log=$(mktemp)
  local apt=("${as[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -y)
  # The first try fails where the lists are old or absent.
  "${apt[@]}" install --no-install-recommends "$@" >"$log" 2>&1 </dev/null ||
    { "${apt[@]}" update && "${apt[@]}" install --no-install-recommends "$@"; } >>"$log" 2>&1 </dev/null ||
    { tail -n 20 "$log" >&2; rm -f "$log"; stop "apt-get could not install: $*"; }
  rm -f "$log"
}

# Debian's package makes a database and starts it with the system. Reelpin runs one of its own, so
# the package is told to leave that, unless someone has configured it already.
no_system_cluster() {
  local folder=/etc/postgresql-common
  [ -e "$folder" ] && return
  "$@" mkdir -p "$folder/createcluster.d"
  echo 'create_main_cluster = false' | "$@" tee "$folder/createcluster.d/reelpin.conf" >/dev/null
}
