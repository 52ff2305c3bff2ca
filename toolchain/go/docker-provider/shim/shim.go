// Package shim reaches the Terraform provider's constructor, which Go lets only packages below
// github.com/terraform-providers/terraform-provider-docker import. That is why this module bears such a name.
package shim

import (
	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/schema"
	"github.com/terraform-providers/terraform-provider-docker/internal/provider"
)

// TerraformVersion is the release of the Terraform provider that go.mod pins.
const TerraformVersion = "2.23.0"

// NewProvider makes the Terraform Docker provider.
func NewProvider() *schema.Provider {
	docker := provider.New(TerraformVersion)()
	container := docker.ResourcesMap["docker_container"]
	waitHere(container)
	sameNetworkMode(container)
	speakNewerAPI(docker)
	return docker
}
