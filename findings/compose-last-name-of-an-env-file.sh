#!/bin/sh
# What: compose-go v2.16.2, which reads the files of docker compose v2: an env_file
#   whose last line is a bare NAME ("take the value of the shell").
# Expected: the line means the same with a line end behind it and without.
# Seen: without one it becomes a variable with an empty name and the value NAME.
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
printf 'services: {web: {image: example, env_file: e}}' > compose.yml
printf 'A=1\nNAME' > e

{
    go mod init example
    go get github.com/compose-spec/compose-go/v2/cli@v2.16.2
    go build -o read .
} >log 2>&1 || { cat log >&2; exit 1; }
seen=$(./read)
echo "$seen"
expected='{"":"NAME","A":"1"}'
[ "$seen" = "$expected" ] || { echo "behaviour changed: expected $expected" >&2; exit 1; }
