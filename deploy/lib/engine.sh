# shellcheck shell=bash
# shellcheck disable=SC2154 # $root, $state, $programs and $engines are of deploy/engines
# What the engines have in common: a folder each, with `pid`, `log`, `data` and a file for each
# port and secret. Needs say.sh, $state and $programs.

# launch ENGINE COMMAND...: in a session of its own, so that Ctrl-C here is not for it.
launch() {
  local engine=$1 folder=$state/$1
  shift
  # The lock is not for the server.
  setsid "$@" </dev/null >>"$folder/log" 2>&1 9>&- &
  echo "$! $(began "$!")" >"$folder/process"
  echo "$!" >"$folder/pid"
  disown
}

# began PID: when the process began, so that a number that was given again is not taken for it.
began() { sed 's/^.*) //' "/proc/$1/stat" 2>/dev/null | cut -d ' ' -f 20; }

# running ENGINE
running() {
  local pid when
  read -r pid when 2>/dev/null <"$state/$1/process" || return 1
  [ -n "$when" ] && [ "$(began "$pid")" = "$when" ] &&
    [ "$(sed 's/^.*) //' "/proc/$pid/stat" 2>/dev/null | cut -c 1)" != Z ]
}

# end ENGINE SIGNAL: sends it, and waits.
end() {
  local engine=$1 signal=$2 pid waited=0
  running "$engine" || { rm -f "$state/$engine/process" "$state/$engine/pid"; return 0; }
  pid=$(cat "$state/$engine/pid")
  step "Ending $engine (SIG$signal)"
  # PostgreSQL waits for its clients at TERM, and not at INT.
  [ "$engine $signal" != "postgres TERM" ] || signal=INT
  if [ "$signal" = KILL ]; then kill -KILL -- "-$pid" 2>/dev/null || kill -KILL "$pid"; else kill "-$signal" "$pid"; fi
  while running "$engine"; do
    sleep 0.1
    waited=$((waited + 1))
    if [ "$waited" = 300 ]; then
      tell "$engine did not end within 30 s; SIGKILL"
      kill -KILL -- "-$pid" 2>/dev/null || true
    fi
    [ "$waited" -lt 400 ] || stop "$engine (pid $pid) does not end."
  done
  rm -f "$state/$engine/process" "$state/$engine/pid"
}

# healthy ENGINE SECONDS COMMAND...: waits until COMMAND succeeds; 1 when the engine died.
healthy() {
  local engine=$1 deadline=$((SECONDS + $2)) began=$SECONDS
  shift 2
  until "$@" >/dev/null 2>&1; do
    running "$engine" || return 1
    if [ "$SECONDS" -ge "$deadline" ]; then
      tail -n 20 "$state/$engine/log" >&2
      stop "$engine is not healthy; its log is $state/$engine/log"
    fi
    sleep 0.2
  done
  running "$engine" || return 1
  tell "$engine is healthy after $((SECONDS - began)) s"
}

# up_or_stop ENGINE SECONDS COMMAND...: the same, and ends the script when the engine died.
up_or_stop() {
  healthy "$@" && return
  tail -n 20 "$state/$1/log" >&2
  stop "$1 died at its start; its log is $state/$1/log"
}

# port ENGINE NAME: a free one, chosen once. Below those that the kernel gives to clients.
port() {
  local file=$state/$1/$2.port number
  if [ ! -s "$file" ]; then
    while :; do
      number=$((20000 + RANDOM % 12000))
      # Nobody answers there, and none of ours has it.
      grep -qsx "$number" "$state"/*/*.port && continue
      (exec 8<>"/dev/tcp/127.0.0.1/$number") 2>/dev/null || break
    done
    echo "$number" >"$file"
  fi
  cat "$file"
}

# secret ENGINE NAME: chosen once.
secret() {
  local file=$state/$1/$2.secret
  [ -s "$file" ] || (umask 077 && od -An -N 20 -tx1 /dev/urandom | tr -d ' \n' >"$file")
  cat "$file"
}

# export_line NAME VALUE
export_line() { printf 'export %s=%q\n' "$1" "$2"; }

# folder ENGINE: makes it, and leaves the log of the last run beside the new one.
folder() {
  mkdir -p "$state/$1/data"
  [ ! -e "$state/$1/log" ] || mv "$state/$1/log" "$state/$1/log.before"
}
