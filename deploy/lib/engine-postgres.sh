# shellcheck shell=bash
# shellcheck disable=SC2154 # $root, $state, $programs and $engines are of deploy/engines
# PostgreSQL from the installed packages, with a password and over TCP. Needs engine.sh and need.sh.

need_postgres() { need engines; }

# as_postgres: what goes before a command; PostgreSQL refuses to run as root.
as_postgres() {
  [ "$(id -u)" = 0 ] || return 0
  id postgres >/dev/null 2>&1 || stop "PostgreSQL does not run as root, and there is no user postgres."
  printf '%s\n' setpriv --reuid=postgres --regid=postgres --init-groups
}

up_postgres() {
  local bin own=$state/postgres data as
  bin=$(postgres_bin) || stop "PostgreSQL is not installed."
  step "Starting $("$bin/postgres" --version)"
  folder postgres
  data=$own/data
  mapfile -t as < <(as_postgres)
  if [ ${#as[@]} -gt 0 ]; then
    chown postgres: "$data"
    "${as[@]}" test -x "$data" || stop "The user postgres cannot get into $data." \
      "Choose another folder by REELPIN_ENGINES."
  fi
  chmod 700 "$data"
  # Its folder may be closed to the user it runs as.
  cd "$data" || stop "Cannot enter $data."
  if [ ! -s "$data/PG_VERSION" ]; then
    secret postgres password >/dev/null
    [ ${#as[@]} = 0 ] || chown postgres: "$own/password.secret"
    "${as[@]}" "$bin/initdb" -A scram-sha-256 -U reelpin -E UTF8 --no-locale -D "$data" \
      --pwfile="$own/password.secret" >"$own/initdb.log" 2>&1 </dev/null ||
      { cat "$own/initdb.log" >&2; stop "initdb failed."; }
  fi
  local try
  for try in 1 2 3 4 5; do
    launch postgres "${as[@]}" "$bin/postgres" -D "$data" -p "$(port postgres postgres)" \
      -c listen_addresses=127.0.0.1 -c unix_socket_directories="$data" -c max_connections=300
    # After a SIGKILL its children hold the data for a moment.
    healthy postgres 60 postgres_sql "$bin" postgres "SELECT 1" && break
    [ "$try" -lt 5 ] || { tail -n 20 "$own/log" >&2; stop "PostgreSQL died at its start."; }
    sleep 1
  done
  for name in reelpin test; do
    [ "$(postgres_sql "$bin" postgres "SELECT 1 FROM pg_database WHERE datname = '$name'")" = 1 ] ||
      postgres_sql "$bin" postgres "CREATE DATABASE $name" >/dev/null
  done
  cd "$root" || stop "Cannot enter $root."
}

# postgres_sql BIN DATABASE STATEMENT
postgres_sql() {
  PGPASSWORD=$(secret postgres password) PGCONNECT_TIMEOUT=5 "$1/psql" -X -q -t -A -v ON_ERROR_STOP=1 \
    -h 127.0.0.1 -p "$(port postgres postgres)" -U reelpin -d "$2" -c "$3" </dev/null
}

postgres_url() { echo "postgresql://reelpin:$(secret postgres password)@127.0.0.1:$(port postgres postgres)/$1"; }

tests_postgres() { export_line REELPIN_TEST_DATABASE_URL "$(postgres_url test)"; }

product_postgres() { export_line REELPIN_DATABASE_URL "$(postgres_url reelpin)"; }
