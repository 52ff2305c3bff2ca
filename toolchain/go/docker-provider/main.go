// Command pulumi-resource-docker is a Pulumi plugin over the Terraform Docker provider, for networks that serve Go
// modules but no release downloads. It answers to the names that the Python package pulumi_docker uses.
package main

import (
	_ "embed"

	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
)

// version is set by the linker to the version of pulumi_docker that this plugin serves.
var version = "0.0.0-dev"

// schema holds no types: a program in Python carries its own SDK, so nothing asks this plugin for more than its name.
//
//go:embed schema.json
var schema []byte

func main() {
	tfbridge.Main(pluginName, version, providerInfo(), schema)
}
