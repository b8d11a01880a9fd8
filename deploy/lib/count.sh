# shellcheck shell=bash
# Runs tests of several kinds and adds up what they say: each run leaves `LOG.passed`, `LOG.failed`
# and its output in `LOG`. Needs say.sh and $root.

# keep LOG PASSED FAILED
keep() {
  echo "$2" >"$1.passed"
  echo "$3" >"$1.failed"
}

# rust_tests LOG [NAMES]: every test of the workspace, or the integration tests with NAMES in their
# paths. What passing tests print goes to the log alone.
rust_tests() {
  local log=$1 names=${2:-} status=0
  # shellcheck disable=SC2154
  (cd "$root" && cargo test --workspace --locked --no-fail-fast ${names:+--test it} -- --show-output \
    ${names:+"$names"} </dev/null 2>&1) |
    tee "$log" | awk '
      /^successes:$/ { quiet = 1 }
      /^(failures:|test result:.*)$/ { quiet = 0 }
      !quiet' || status=$?
  local passed failed
  read -r passed failed < <(awk '
    /^test result: / { passed += $4; failed += $6 }
    END { print passed + 0, failed + 0 }' "$log")
  # A build that fails and a test that crashes have no result line.
  if [ "$status" != 0 ] && [ "$failed" = 0 ]; then failed=1; fi
  keep "$log" "$passed" "$failed"
  return "$status"
}

# node_tests LOG FILE...: each file a process of its own, as node's runner does it.
node_tests() {
  local log=$1 status=0
  shift
  [ $# -gt 0 ] || { keep "$log" 0 0; return; }
  node --test --test-reporter=spec --test-reporter-destination=stdout \
    --test-reporter=tap --test-reporter-destination="$log.tap" "$@" </dev/null 2>&1 | tee "$log" || status=$?
  local passed failed
  read -r passed failed < <(awk '
    /^# pass / { passed = $3 }
    /^# (fail|cancelled) / { failed += $3 }
    END { print passed + 0, failed + 0 }' "$log.tap")
  if [ "$status" != 0 ] && [ "$failed" = 0 ]; then failed=1; fi
  keep "$log" "$passed" "$failed"
  return "$status"
}

# summary FOLDER: what the simulator did, what did not run, then the one line that counts. Fails when a test did.
summary() {
  local passed failed
  passed=$(cat "$1"/*.passed | awk '{ n += $1 } END { print n + 0 }')
  failed=$(cat "$1"/*.failed | awk '{ n += $1 } END { print n + 0 }')
  printf '\n'
  # A test may print it with other words of its runner before it, but it begins a line.
  cat "$1"/*.simulated 2>/dev/null || true
  grep -hE '^ *(not run: )' "$1"/* | sed 's/^ *//' | sort -u || true
  printf '%s passed, %s failed\n' "$passed" "$failed"
  [ "$failed" = 0 ]
}
