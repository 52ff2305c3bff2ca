#!/bin/sh
# What: compose-go v2.16.2, which reads the files of docker compose v2: values of
#   environment without quotes, such as a phone number, a customer number, a date.
# Expected: the container gets what is written, or the file is refused.
# Seen: the value becomes a number or a time of Go, and the container gets that in
#   the words of Go: 08123456 is 8.123456e+06, 012 is 10, 1_000 is 1000, and a date
#   is "2024-01-01 00:00:00 +0000 UTC".
# Needs: Go 1.24 or newer.
set -eu

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
cd "$tmp"

cat > main.go <<'GO'
package main

import (
	"context"
	"encoding/json"
	"os"

	"github.com/compose-spec/compose-go/v2/cli"
)

func main() {
	options, err := cli.NewProjectOptions([]string{"compose.yml"}, cli.WithName("example"))
	if err != nil {
		panic(err)
	}
	project, err := options.LoadProject(context.Background())
	if err != nil {
		panic(err)
	}
	json.NewEncoder(os.Stdout).Encode(project.Services["web"].Environment)
}
GO
cat > compose.yml <<'YAML'
services:
  web:
    image: example
    environment: {PHONE: 08123456, CODE: 012, LIMIT: 1_000, SINCE: 2024-01-01, SAFE: "012"}
YAML

{
    go mod init example
    go get github.com/compose-spec/compose-go/v2/cli@v2.16.2
    go build -o read .
} >log 2>&1 || { cat log >&2; exit 1; }
seen=$(./read)
echo "$seen"
expected='{"CODE":"10","LIMIT":"1000","PHONE":"8.123456e+06","SAFE":"012","SINCE":"2024-01-01 00:00:00 +0000 UTC"}'
[ "$seen" = "$expected" ] || { echo "behaviour changed: expected $expected" >&2; exit 1; }
