# shellcheck shell=bash
# Builds what has changed: the npm packages that the page and the tests use, and the Rust workspace.
# Needs say.sh and $root.

# npm_ci FOLDER: installs by its lock file, unless that was done already. The stamp says for which.
npm_ci() {
  local folder=$1 lock stamp=$1/node_modules/.installed-for
  lock=$(cat "$folder/package.json" "$folder/package-lock.json" | sha256sum)
  [ "$(cat "$stamp" 2>/dev/null)" = "$lock" ] && return
  step "Installing the npm packages of ${folder#"$root"/}"
  (cd "$folder" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error </dev/null >&2) ||
    stop "npm ci failed in $folder"
  echo "$lock" >"$stamp"
}

# reelpin_binary: where cargo puts it.
reelpin_binary() {
  local target=${CARGO_TARGET_DIR:-target}
  case $target in /*) ;; *) target=$root/$target ;; esac
  echo "$target/debug/reelpin"
}

# build_tests: the tests and the program in one go; a build of the program alone would choose other
# features of some packages and compile these again.
build_tests() {
  step "Building the tests"
  (cd "$root" && cargo test --workspace --locked --no-run </dev/null) || stop "The build failed; its errors are above."
}

# build: the dev profile on purpose, which optimises only what touches every byte (see Cargo.toml).
build() {
  if [ -x "$(reelpin_binary)" ]; then
    step "Building what has changed"
  else
    step "Building Reelpin (the first time takes some minutes)"
  fi
  (cd "$root" && cargo build --workspace --locked </dev/null) || stop "The build failed; its errors are above."
}
