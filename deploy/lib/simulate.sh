# shellcheck shell=bash
# Runs the simulator: seeds that must be clean, and planted faults that must be found. Needs say.sh,
# build.sh, count.sh and $root.

# Every deploy/test runs at least so many seeds, and goes on for so long.
SEEDS=500
# shellcheck disable=SC2034
SECONDS_OF_SEEDS=240

# The faults that prove that the simulator finds what it looks for.
FAULTS=(unfenced number-outside open-keys trusted-message unlisted-pin)

# simulator_binary: where cargo puts it.
simulator_binary() { echo "$(dirname "$(reelpin_binary)")/simulate"; }

# simulate LOG ARG...: what it prints goes to the log too; its counts are for the last lines.
simulate() {
  local log=$1 status=0
  shift
  "$(simulator_binary)" "$@" </dev/null 2>&1 | tee "$log" || status=$?
  sed -n 's/^\([0-9]* seeds, .*\)/simulated: \1/p' "$log" >>"$log.simulated"
  if [ "$status" = 0 ]; then keep "$log" 1 0; else keep "$log" 0 1; fi
  return "$status"
}

# planted_faults LOG: each is found within the seeds. The product is never built with them: this is a
# build of its own, whose program leaves its place to the real one.
planted_faults() {
  local log=$1 found=0 lost=0 fault program
  step "Building the simulator with faults planted"
  # shellcheck disable=SC2154
  (cd "$root" && cargo build --workspace --locked --features reelpin-simulator/planted --bin simulate </dev/null) ||
    stop "The build failed; its errors are above."
  program=$log.program
  cp "$(simulator_binary)" "$program"
  step "Planted faults"
  for fault in "${FAULTS[@]}"; do
    if "$program" --seeds "$SEEDS" --bug "$fault" </dev/null >"$log.$fault" 2>&1; then
      found=$((found + 1))
    else
      lost=$((lost + 1))
    fi
    tail -n 1 "$log.$fault" | tee -a "$log"
  done
  rm -f "$program"
  echo "simulated: $found of ${#FAULTS[@]} planted faults found within $SEEDS seeds each" >>"$log.simulated"
  keep "$log" "$found" "$lost"
  [ "$lost" = 0 ]
}
