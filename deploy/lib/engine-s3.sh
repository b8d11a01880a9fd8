# shellcheck shell=bash
# shellcheck disable=SC2154 # $root, $state, $programs and $engines are of deploy/engines
# versitygw over a folder: an S3 server that has nearly everything. Needs engine.sh and need.sh.

VERSITYGW_VERSION=v1.8.0
S3_BUCKET=reelpin

need_s3() {
  need engines
  versitygw=$programs/versitygw-$VERSITYGW_VERSION
  [ ! -x "$versitygw" ] || return 0
  step "Building versitygw $VERSITYGW_VERSION (a minute or two)"
  local fetched
  fetched=$(mktemp -d "$programs/fetch.XXXXXX")
  # Away from any go.mod; what it downloads stays in Go's own cache.
  (cd "$fetched" && GOBIN=$fetched CGO_ENABLED=0 \
    go install "github.com/versity/versitygw/cmd/versitygw@$VERSITYGW_VERSION" </dev/null >&2) ||
    stop "go could not build versitygw."
  mv -T "$fetched/versitygw" "$versitygw"
  rm -rf "$fetched"
}

s3_url() { echo "http://127.0.0.1:$(port s3 s3)"; }

# SHA-256 of nothing, which a request without a body carries.
NOTHING=e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855

# s3_request CURL-ARGUMENT... URL: signed, without a body.
s3_request() {
  # By a file, since everyone can see the arguments of a process.
  curl -fsS -m 5 --aws-sigv4 aws:amz:us-east-1:s3 -H "x-amz-content-sha256: $NOTHING" \
    -K <(printf 'user = "%s:%s"\n' "$(secret s3 access)" "$(secret s3 secret)") "$@"
}

s3_alive() { [ "$(curl -sS -m 5 -o /dev/null -w '%{http_code}' "$(s3_url)/")" = 403 ]; }

up_s3() {
  step "Starting versitygw $VERSITYGW_VERSION"
  folder s3
  ROOT_ACCESS_KEY_ID=$(secret s3 access)
  ROOT_SECRET_ACCESS_KEY=$(secret s3 secret)
  export ROOT_ACCESS_KEY_ID ROOT_SECRET_ACCESS_KEY
  launch s3 "$versitygw" --quiet --port "127.0.0.1:$(port s3 s3)" --region us-east-1 posix "$state/s3/data"
  up_or_stop s3 30 s3_alive
  # The product's bucket, unless it is there from before.
  s3_request -o /dev/null -I "$(s3_url)/$S3_BUCKET" 2>/dev/null ||
    s3_request -o /dev/null -X PUT "$(s3_url)/$S3_BUCKET" || stop "versitygw does not make a bucket."
}

tests_s3() {
  export_line REELPIN_TEST_S3_ENDPOINT "$(s3_url)"
  export_line REELPIN_TEST_S3_REGION us-east-1
  export_line REELPIN_TEST_S3_ACCESS_KEY "$(secret s3 access)"
  export_line REELPIN_TEST_S3_SECRET_KEY "$(secret s3 secret)"
}

product_s3() {
  export_line REELPIN_S3_ENDPOINT "$(s3_url)"
  export_line REELPIN_S3_REGION us-east-1
  export_line REELPIN_S3_BUCKET "$S3_BUCKET"
  export_line REELPIN_S3_ACCESS_KEY "$(secret s3 access)"
  export_line REELPIN_S3_SECRET_KEY "$(secret s3 secret)"
}
