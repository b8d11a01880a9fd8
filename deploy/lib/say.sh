# shellcheck shell=bash
# How the scripts speak: steps on standard error, so that standard output stays the program's.

if [ -t 2 ]; then bold=$'\e[1m' plain=$'\e[0m'; else bold='' plain=''; fi

# step WHAT: what is being done now.
step() { printf '%s==> %s%s\n' "$bold" "$*" "$plain" >&2; }

# tell TEXT: a plain line that belongs to the step before.
tell() { printf '    %s\n' "$*" >&2; }

# stop TEXT...: why it cannot go on, a line for each argument, and ends the script.
stop() {
  printf '\n' >&2
  printf '%s\n' "$@" >&2
  exit 1
}
