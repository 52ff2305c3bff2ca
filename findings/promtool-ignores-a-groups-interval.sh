#!/bin/sh
# What: promtool 2.42.0 (Debian 12), a group of rules with "interval: 1m" and a test
#   with "evaluation_interval: 15s".
# Expected: the group is evaluated once a minute, as the server does; ten minutes
#   after the start a recording rule has eleven samples.
# Seen: every group is evaluated at the test's interval, so it has 41. A sum over
#   what was recorded each minute (sum_over_time) is four times too large in the
#   test, and right in the server. A test with the interval of the slowest group
#   says what the server does for that group.
# Needs: sh; Debian 12 with current package lists.
set -eu

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

mkdir "$tmp/packages"
(
    cd "$tmp/packages"
    apt-get download prometheus=2.42.0+ds-5+deb12u1 >log 2>&1 || { cat log >&2; exit 1; }
    dpkg -x ./*.deb "$tmp/root"
)

cat > "$tmp/rules.yml" <<'YAML'
groups:
  - name: example
    interval: 1m
    rules:
      - {record: "always:one", expr: "vector(1)"}
YAML

test_at() { # seconds between evaluations, samples that are expected
    cat > "$tmp/test.yml" <<YAML
rule_files: [rules.yml]
evaluation_interval: $1s
tests:
  - interval: 15s
    promql_expr_test:
      - expr: count_over_time(always:one[10m])
        eval_time: 10m
        exp_samples: [{labels: "{}", value: $2}]
YAML
    "$tmp/root/usr/bin/promtool" test rules "$tmp/test.yml"
}

echo "a group of 1m, evaluated by a test at 60 s: 11 samples?"
test_at 60 11
echo "a group of 1m, evaluated by a test at 15 s: 41 samples?"
test_at 15 41 || { echo "behaviour changed: the group's own interval counts"; exit 1; }
