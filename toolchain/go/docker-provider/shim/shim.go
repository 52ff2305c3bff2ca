// Package shim reaches the Terraform provider's constructor, which Go lets only packages below
// github.com/terraform-providers/terraform-provider-docker import. That is why this module bears such a name.
package shim

import (
	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/schema"
	"github.com/terraform-providers/terraform-provider-docker/internal/provider"
)

// NewProvider makes the Terraform Docker provider, as the official Pulumi plugin does. What it records of a container or
// a service is the same in both, and so is what it finds changed.
func NewProvider() *schema.Provider {
	docker := provider.New("dev")()
	probeEarly(docker.ResourcesMap["docker_container"])
	return docker
}
