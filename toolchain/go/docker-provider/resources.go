package main

import (
	"unicode"

	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	shimv2 "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim/sdk-v2"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/terraform-providers/terraform-provider-docker/shim"
)

const (
	pluginName = "docker"
	// maxNameLength is Docker's own limit for the names of its objects.
	maxNameLength = 255
)

// token gives the full name of a member, for example docker:index/container:Container.
func token(name string) string {
	file := []rune(name)
	file[0] = unicode.ToLower(file[0])
	return pluginName + ":index/" + string(file) + ":" + name
}

func managed(name string) *tfbridge.ResourceInfo {
	return &tfbridge.ResourceInfo{Tok: tokens.Type(token(name))}
}

func dataSource(name string) *tfbridge.DataSourceInfo {
	return &tfbridge.DataSourceInfo{Tok: tokens.ModuleMember(token(name))}
}

// named fixes property names that the bridge would make plural because their type is a list.
func named(names map[string]string) map[string]*tfbridge.SchemaInfo {
	fields := make(map[string]*tfbridge.SchemaInfo, len(names))
	for terraform, pulumi := range names {
		fields[terraform] = &tfbridge.SchemaInfo{Name: pulumi}
	}
	return fields
}

// container deletes before it replaces, because two containers cannot share a name or a published port.
func container() *tfbridge.ResourceInfo {
	info := managed("Container")
	info.DeleteBeforeReplace = true
	info.Fields = named(map[string]string{"command": "command", "networks_advanced": "networksAdvanced"})
	return info
}

func providerInfo() tfbridge.ProviderInfo {
	info := tfbridge.ProviderInfo{
		P:           shimv2.NewProvider(shim.NewProvider()),
		Name:        pluginName,
		Version:     version,
		Description: "Docker containers, images, networks, volumes and Swarm services",
		Config: map[string]*tfbridge.SchemaInfo{
			"host": {Default: &tfbridge.DefaultInfo{
				Value:   "unix:///var/run/docker.sock",
				EnvVars: []string{"DOCKER_HOST"},
			}},
			"registry_auth": {Name: "registryAuth", MaxItemsOne: tfbridge.False()},
		},
		Resources: map[string]*tfbridge.ResourceInfo{
			"docker_buildx_builder": managed("BuildxBuilder"),
			"docker_config":         managed("ServiceConfig"),
			"docker_container":      container(),
			"docker_image":          managed("RemoteImage"),
			"docker_network":        managed("Network"),
			"docker_plugin":         managed("Plugin"),
			"docker_registry_image": managed("RegistryImage"),
			"docker_secret":         managed("Secret"),
			"docker_service":        managed("Service"),
			"docker_tag":            managed("Tag"),
			"docker_volume":         managed("Volume"),
		},
		DataSources: map[string]*tfbridge.DataSourceInfo{
			"docker_image":                    dataSource("getRemoteImage"),
			"docker_logs":                     dataSource("getLogs"),
			"docker_network":                  dataSource("getNetwork"),
			"docker_plugin":                   dataSource("getPlugin"),
			"docker_registry_image":           dataSource("getRegistryImage"),
			"docker_registry_image_manifests": dataSource("getRegistryImageManifests"),
		},
	}
	info.SetAutonaming(maxNameLength, "-")
	return info
}
