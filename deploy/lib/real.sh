# shellcheck shell=bash
# The tests that want real servers. Needs say.sh, need.sh, build.sh, count.sh and $root.

# real_engines: starts the servers with nothing in them, runs the tests, stops them. Servers that do
# not start are a failure; only Kubo and CockroachDB may be absent, and the last lines say so.
real_engines() {
  # shellcheck disable=SC2154
  local base=${REELPIN_ENGINES:-$root/.engines} status=0
  case $base in /*) ;; *) base=$PWD/$base ;; esac
  step "Looking for what the tests need"
  need test
  need engines
  build_tests
  mkdir -p "$base"
  # What was downloaded is kept; data are not.
  REELPIN_ENGINES_PROGRAMS=${REELPIN_ENGINES_PROGRAMS:-$base/programs}
  REELPIN_ENGINES=$(mktemp -d "$base/test.XXXXXX")
  export REELPIN_ENGINES REELPIN_ENGINES_PROGRAMS
  # PostgreSQL runs as someone else where we are root.
  chmod 711 "$REELPIN_ENGINES"
  logs=$(mktemp -d)
  trap real_engines_end EXIT
  local log=$logs/engines
  "$root/deploy/engines" up 2>&1 | tee "$log" >&2 || stop "The real servers do not all start."
  "$root/deploy/engines" up pulsar-tls || stop "Pulsar with TLS does not start."
  local told
  told=$("$root/deploy/engines" env) || stop "The servers cannot be asked for."
  eval "$told"
  step "What is expected of every engine, on real servers"
  rust_tests "$logs/contract" contract || true
  if [ -e "$root/deploy/tests/e2e/engines.mjs" ]; then
    step "End to end: engines"
    told=$("$root/deploy/engines" env --product)
    (eval "$told" && node_tests "$logs/e2e" "$root/deploy/tests/e2e/engines.mjs") || true
  else
    echo "not run: end to end on real servers: there is no such test yet" | tee "$logs/e2e"
  fi
  summary "$logs" || status=$?
  [ "$status" = 0 ] || failed_engines=yes
  return "$status"
}

# real_engines_end: stops the servers; their logs stay when a test failed.
real_engines_end() {
  "$root/deploy/engines" down || "$root/deploy/engines" kill || true
  if [ -n "${failed_engines:-}" ]; then
    tell "The servers' logs are in $REELPIN_ENGINES"
  else
    rm -rf "$REELPIN_ENGINES"
  fi
  rm -rf "$logs"
}
