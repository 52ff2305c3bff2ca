package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	shim "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim"
)

// testdata/properties.json names what the Pulumi program sets; tests/unit/components/test_published_schema.py keeps it
// and compares it with the published package.
func TestEveryPropertyThatTheProgramSetsIsKnownByItsName(t *testing.T) {
	content, err := os.ReadFile("testdata/properties.json")
	if err != nil {
		t.Fatal(err)
	}
	var set map[string][]string
	if err := json.Unmarshal(content, &set); err != nil {
		t.Fatal(err)
	}
	known := knownProperties(t)
	for token, paths := range set {
		if known[token] == nil {
			t.Errorf("%s is not known", token)
			continue
		}
		for _, path := range paths {
			if !known[token][path] {
				t.Errorf("%s has no property %s", token, path)
			}
		}
	}
}

// knownProperties returns the paths of all properties of each resource by its token, and of the provider itself.
func knownProperties(t *testing.T) map[string]map[string]bool {
	t.Helper()
	info := providerInfo()
	found := map[string]map[string]bool{"pulumi:providers:docker": {}}
	collect(found["pulumi:providers:docker"], "", info.P.Schema(), info.Config)
	for name, resource := range info.Resources {
		paths := map[string]bool{}
		collect(paths, "", info.P.ResourcesMap().Get(name).Schema(), resource.Fields)
		found[string(resource.Tok)] = paths
	}
	return found
}

func collect(paths map[string]bool, parent string, schema shim.SchemaMap, fields map[string]*tfbridge.SchemaInfo) {
	schema.Range(func(name string, property shim.Schema) bool {
		path := strings.TrimPrefix(parent+"."+tfbridge.TerraformToPulumiNameV2(name, schema, fields), ".")
		paths[path] = true
		if nested, ok := property.Elem().(shim.Resource); ok {
			collect(paths, path, nested.Schema(), nil)
		}
		return true
	})
}
