package main

import (
	"context"
	"errors"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

const (
	taskSpecKey         = resource.PropertyKey("taskSpec")
	newerNetworksKey    = resource.PropertyKey("networksAdvanceds")
	olderNetworksKey    = resource.PropertyKey("networks")
	networkIDKey        = resource.PropertyKey("id")
	networkNameKey      = resource.PropertyKey("name")
	serviceAliasesKey   = resource.PropertyKey("aliases")
	serviceDriverOptKey = resource.PropertyKey("driverOpts")
)

var errServiceNetworkOptions = errors.New("docker.Service: taskSpec.networksAdvanceds: this plugin knows only `id` and `name`; " +
	"`aliases` and `driverOpts` need the official Docker plugin")

// olderServiceNetworks turns taskSpec.networksAdvanceds, which the Python package offers, into taskSpec.networks, which is
// all that the pinned Terraform provider knows. Options it cannot express are an error, not a silent loss.
func olderServiceNetworks(
	_ context.Context, config, _ resource.PropertyMap,
) (resource.PropertyMap, error) {
	spec, ok := config[taskSpecKey]
	if !ok || !spec.IsObject() {
		return config, nil
	}
	newer, ok := spec.ObjectValue()[newerNetworksKey]
	if !ok || newer.IsNull() {
		return config, nil
	}
	older, err := networkNames(newer)
	if err != nil {
		return nil, err
	}
	changedSpec := spec.ObjectValue().Copy()
	delete(changedSpec, newerNetworksKey)
	changedSpec[olderNetworksKey] = older
	changed := config.Copy()
	changed[taskSpecKey] = resource.NewObjectProperty(changedSpec)
	return changed, nil
}

func networkNames(networks resource.PropertyValue) (resource.PropertyValue, error) {
	if !networks.IsArray() { // unknown until another resource exists
		return networks, nil
	}
	names := make([]resource.PropertyValue, 0, len(networks.ArrayValue()))
	for _, network := range networks.ArrayValue() {
		if !network.IsObject() {
			names = append(names, network)
			continue
		}
		options := network.ObjectValue()
		if hasValue(options, serviceAliasesKey) || hasValue(options, serviceDriverOptKey) {
			return resource.PropertyValue{}, errServiceNetworkOptions
		}
		key := networkNameKey
		if hasValue(options, networkIDKey) {
			key = networkIDKey
		}
		names = append(names, options[key])
	}
	return resource.NewArrayProperty(names), nil
}

func hasValue(options resource.PropertyMap, key resource.PropertyKey) bool {
	value, ok := options[key]
	return ok && !value.IsNull()
}
