# shellcheck shell=bash
# shellcheck disable=SC2154 # $root, $state, $programs and $engines are of deploy/engines
# Apache Pulsar, all of it in one process, from Maven Central. Needs engine.sh and need.sh.

PULSAR_VERSION=4.0.8
PULSAR_SHA256=35c7d064c9e0928edbf2e708989faba0379662f98aa84ce0d4190c59efb6765e

need_pulsar() {
  need engines
  JAVA_HOME=$(jdk_home) || stop "Pulsar needs a JDK of version 21 or newer, and none is installed." \
    "Install one (openjdk-21-jdk-headless, Temurin), or set JAVA_HOME."
  export JAVA_HOME
  pulsar=$programs/apache-pulsar-$PULSAR_VERSION
  [ ! -x "$pulsar/bin/pulsar" ] || return 0
  step "Fetching Pulsar $PULSAR_VERSION from Maven Central (245 MB)"
  local fetched
  fetched=$(mktemp -d "$programs/fetch.XXXXXX")
  # In an empty folder: a pom.xml nearby would be read.
  (cd "$fetched" && mvn -q -B dependency:copy -DoutputDirectory="$fetched" \
    -Dartifact=org.apache.pulsar:pulsar-server-distribution:$PULSAR_VERSION:tar.gz:bin </dev/null >"$fetched/log" 2>&1) ||
    { cat "$fetched/log" >&2; stop "Maven could not fetch Pulsar."; }
  local archive=$fetched/pulsar-server-distribution-$PULSAR_VERSION-bin.tar.gz
  echo "$PULSAR_SHA256  $archive" | sha256sum --check --quiet >&2 || stop "That is not the Pulsar that was expected."
  tar -xzf "$archive" -C "$fetched"
  # Whole or not at all; another folder's deploy/engines may have been faster.
  mv -T "$fetched/apache-pulsar-$PULSAR_VERSION" "$pulsar" 2>/dev/null || [ -x "$pulsar/bin/pulsar" ]
  rm -rf "$fetched"
}

need_pulsar_tls() { need_pulsar; }

# setting FILE NAME VALUE
setting() {
  if grep -q "^$2=" "$1"; then sed -i "s|^$2=.*|$2=$3|" "$1"; else echo "$2=$3" >>"$1"; fi
}

# pulsar_configuration ENGINE: the distribution's own, on loopback and on our ports.
pulsar_configuration() {
  local engine=$1 conf=$state/$1/standalone.conf
  cp "$pulsar/conf/standalone.conf" "$conf"
  # Its last line has no end.
  echo >>"$conf"
  setting "$conf" bindAddress 127.0.0.1
  setting "$conf" brokerServicePort "$(port "$engine" broker)"
  setting "$conf" webServicePort "$(port "$engine" admin)"
  # Of the bookie, which else listens on every address; its port is the kernel's choice.
  setting "$conf" listeningInterface lo
  echo "$conf"
}

# pulsar_start ENGINE CONF HEALTH...: HEALTH are curl's arguments.
pulsar_start() {
  local engine=$1 conf=$2 data=$state/$1/data
  shift 2
  export PULSAR_MEM="-Xms256m -Xmx512m -XX:MaxDirectMemorySize=512m"
  export PULSAR_STANDALONE_CONF=$conf PULSAR_LOG_DIR=$state/$engine/logs PULSAR_GC_LOG=" "
  launch "$engine" "$pulsar/bin/pulsar" standalone -nfw -nss -a 127.0.0.1 \
    --metadata-dir "$data/metadata" --bookkeeper-dir "$data/bookkeeper"
  up_or_stop "$engine" 120 curl -fsS -m 5 "$@" "http://127.0.0.1:$(port "$engine" admin)/admin/v2/brokers/health"
}

up_pulsar() {
  step "Starting Pulsar $PULSAR_VERSION"
  folder pulsar
  pulsar_start pulsar "$(pulsar_configuration pulsar)"
}

# One that lets nobody in without a token, and speaks TLS beside the plain port.
up_pulsar_tls() {
  step "Starting Pulsar $PULSAR_VERSION with TLS and tokens"
  folder pulsar-tls
  local own=$state/pulsar-tls conf admin
  certificates "$own"
  secret pulsar-tls key >/dev/null
  admin=$(token admin)
  conf=$(pulsar_configuration pulsar-tls)
  setting "$conf" brokerServicePortTls "$(port pulsar-tls tls)"
  setting "$conf" tlsCertificateFilePath "$own/server.pem"
  setting "$conf" tlsKeyFilePath "$own/server.key"
  setting "$conf" tlsTrustCertsFilePath "$own/ca.pem"
  setting "$conf" authenticationEnabled true
  setting "$conf" authorizationEnabled true
  setting "$conf" authenticationProviders org.apache.pulsar.broker.authentication.AuthenticationProviderToken
  setting "$conf" tokenSecretKey "file://$own/key.secret"
  setting "$conf" superUserRoles admin
  setting "$conf" brokerClientAuthenticationPlugin org.apache.pulsar.client.impl.auth.AuthenticationToken
  setting "$conf" brokerClientAuthenticationParameters "token:$admin"
  pulsar_start pulsar-tls "$conf" -H "Authorization: Bearer $admin"
}

# token NAME: a JSON web token (HS256) for whom the broker knows by NAME.
token() {
  local body
  body=$(printf '{"alg":"HS256"}' | base64url).$(printf '{"sub":"%s"}' "$1" | base64url)
  printf '%s.%s' "$body" "$(printf '%s' "$body" |
    openssl dgst -sha256 -mac HMAC -macopt "key:$(secret pulsar-tls key)" -binary | base64url)"
}

base64url() { base64 -w 0 | tr '+/' '-_' | tr -d '='; }

# certificates FOLDER: an authority, and what it signed for 127.0.0.1.
certificates() (
  cd "$1" && [ ! -s server.pem ] || exit 0
  openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj "/CN=Reelpin's tests" \
    -keyout ca.key -out ca.pem
  openssl req -newkey rsa:2048 -nodes -subj "/CN=localhost" -keyout server.key -out server.csr
  printf 'subjectAltName=IP:127.0.0.1,DNS:localhost\n' >server.ext
  openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 3650 \
    -extfile server.ext -out server.pem
) 2>/dev/null

tests_pulsar() {
  export_line REELPIN_TEST_PULSAR_URL "pulsar://127.0.0.1:$(port pulsar broker)"
  export_line REELPIN_TEST_PULSAR_ADMIN "http://127.0.0.1:$(port pulsar admin)"
}

tests_pulsar_tls() {
  export_line REELPIN_TEST_PULSAR_TLS_URL "pulsar+ssl://127.0.0.1:$(port pulsar-tls tls)"
  export_line REELPIN_TEST_PULSAR_TLS_PLAIN_URL "pulsar://127.0.0.1:$(port pulsar-tls broker)"
  export_line REELPIN_TEST_PULSAR_TLS_ADMIN "http://127.0.0.1:$(port pulsar-tls admin)"
  export_line REELPIN_TEST_PULSAR_TLS_CA "$state/pulsar-tls/ca.pem"
  export_line REELPIN_TEST_PULSAR_TLS_TOKEN "$(token admin)"
  export_line REELPIN_TEST_PULSAR_TLS_STRANGER "$(token stranger)"
}

product_pulsar() { export_line REELPIN_PULSAR_URL "pulsar://127.0.0.1:$(port pulsar broker)"; }

# Only where it was asked for by name: one product has one queue.
product_pulsar_tls() {
  case " ${engines[*]} " in *" pulsar "*) return ;; esac
  export_line REELPIN_PULSAR_URL "pulsar+ssl://127.0.0.1:$(port pulsar-tls tls)"
  export_line REELPIN_PULSAR_CA "$state/pulsar-tls/ca.pem"
  export_line REELPIN_PULSAR_TOKEN "$(token admin)"
}
