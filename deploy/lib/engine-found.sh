# shellcheck shell=bash
# shellcheck disable=SC2154 # $root, $state, $programs and $engines are of deploy/engines
# Engines that no package registry has: they run where a binary is on the PATH. Needs engine.sh.

# found_program ENGINE: where it is.
found_program() {
  case $1 in
    ipfs) command -v ipfs || command -v kubo ;;
    cockroach) command -v cockroach ;;
  esac
}

need_ipfs() { found_program ipfs >/dev/null || stop "There is no Kubo here: neither ipfs nor kubo is on the PATH."; }
need_cockroach() { found_program cockroach >/dev/null || stop "There is no cockroach on the PATH."; }

ipfs_url() { echo "http://127.0.0.1:$(port ipfs rpc)"; }

up_ipfs() {
  local kubo data=$state/ipfs/data
  kubo=$(found_program ipfs)
  step "Starting $("$kubo" version)"
  folder ipfs
  export IPFS_PATH=$data
  [ -s "$data/config" ] || "$kubo" init --profile=test >/dev/null
  # It talks to nobody: no bootstrap, no mDNS, no routing.
  "$kubo" bootstrap rm --all >/dev/null
  "$kubo" config Addresses.API "/ip4/127.0.0.1/tcp/$(port ipfs rpc)"
  "$kubo" config Addresses.Gateway "/ip4/127.0.0.1/tcp/$(port ipfs gateway)"
  "$kubo" config --json Addresses.Swarm "[\"/ip4/127.0.0.1/tcp/$(port ipfs swarm)\"]"
  "$kubo" config --json Discovery.MDNS.Enabled false
  "$kubo" config Routing.Type none
  launch ipfs "$kubo" daemon
  up_or_stop ipfs 60 curl -fsS -m 5 -X POST "$(ipfs_url)/api/v0/version"
}

tests_ipfs() { export_line REELPIN_TEST_IPFS_RPC "$(ipfs_url)"; }

product_ipfs() {
  export_line REELPIN_IPFS_RPC "$(ipfs_url)"
  export_line REELPIN_IPFS_GATEWAY "http://127.0.0.1:$(port ipfs gateway)"
  export_line REELPIN_PIN_ORIGINAL true
}

up_cockroach() {
  local cockroach
  cockroach=$(found_program cockroach)
  step "Starting $("$cockroach" version --build-tag 2>/dev/null || echo CockroachDB)"
  folder cockroach
  launch cockroach "$cockroach" start-single-node --insecure --store="$state/cockroach/data" \
    --listen-addr="127.0.0.1:$(port cockroach sql)" --http-addr="127.0.0.1:$(port cockroach http)"
  up_or_stop cockroach 60 curl -fsS -m 5 "http://127.0.0.1:$(port cockroach http)/health?ready=1"
}

tests_cockroach() {
  export_line REELPIN_TEST_COCKROACH_URL "postgresql://root@127.0.0.1:$(port cockroach sql)/defaultdb"
}

# Only where there is no PostgreSQL: one product has one database.
product_cockroach() {
  running postgres || export_line REELPIN_DATABASE_URL "postgresql://root@127.0.0.1:$(port cockroach sql)/defaultdb"
}
