package shim

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/schema"
	"github.com/hashicorp/terraform-plugin-sdk/v2/terraform"
	"github.com/terraform-providers/terraform-provider-docker/internal/provider"
)

// engine plays a Docker engine that speaks an API and holds the recorded container; asked are the paths of its requests.
type engine struct {
	*httptest.Server
	asked []string
}

func play(t *testing.T, api, oldest string, container []byte) *engine {
	t.Helper()
	played := &engine{}
	played.Server = httptest.NewServer(http.HandlerFunc(func(answer http.ResponseWriter, request *http.Request) {
		answer.Header().Set("API-Version", api)
		if request.URL.Path == "/_ping" {
			return
		}
		played.asked = append(played.asked, request.URL.Path)
		version, path, _ := strings.Cut(strings.TrimPrefix(request.URL.Path, "/v"), "/")
		switch {
		case older(version, oldest):
			http.Error(answer, `{"message":"client version `+version+` is too old"}`, http.StatusBadRequest)
		case path == "containers/json":
			_, _ = answer.Write([]byte(`[{"Id":"` + idOf(t, container) + `"}]`))
		default:
			_, _ = answer.Write(container)
		}
	}))
	t.Cleanup(played.Close)
	return played
}

func older(version, oldest string) bool {
	return len(version) == len(oldest) && version < oldest
}

func recorded(t *testing.T) []byte {
	t.Helper()
	found, err := os.ReadFile("testdata/container-of-29.json")
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func idOf(t *testing.T, container []byte) string {
	t.Helper()
	var found struct{ ID string }
	if err := json.Unmarshal(container, &found); err != nil {
		t.Fatal(err)
	}
	return found.ID
}

func configured(t *testing.T, played *engine) (*schema.Provider, *provider.ProviderConfig) {
	t.Helper()
	docker := NewProvider()
	host := "tcp://" + strings.TrimPrefix(played.URL, "http://")
	diags := docker.Configure(context.Background(), terraform.NewResourceConfigRaw(map[string]any{"host": host}))
	if diags.HasError() {
		t.Fatal(diags)
	}
	return docker, docker.Meta().(*provider.ProviderConfig)
}

func TestAnEngineThatDemandsANewerAPIIsAskedInIt(t *testing.T) {
	for _, each := range []struct{ newest, oldest, spoken string }{
		{"1.56", "1.44", "1.44"}, // 29.0 to 29.2
		{"1.56", "1.40", "1.44"}, // from 29.3 on
		{"1.44", "1.24", "1.44"}, // 25
		{"1.43", "1.24", "1.41"}, // 24: what the pinned client was made for
		{"1.41", "1.12", "1.41"}, // 20.10
	} {
		played := play(t, each.newest, each.oldest, recorded(t))
		_, config := configured(t, played)
		if _, err := config.DockerClient.ContainerInspect(context.Background(), "x"); err != nil {
			t.Errorf("API %s to %s: %v", each.oldest, each.newest, err)
		}
		if want := "/v" + each.spoken + "/containers/x/json"; len(played.asked) != 1 || played.asked[0] != want {
			t.Errorf("API %s to %s was asked %v, not %s", each.oldest, each.newest, played.asked, want)
		}
	}
}

// The container was made by this plugin on an engine 29 and read there with `docker inspect`.
func TestAContainerOfAModernEngineIsNotReplacedForTheNetworkModeThatTheEngineWrites(t *testing.T) {
	for _, mode := range []string{"bridge", "default"} {
		container := []byte(strings.Replace(string(recorded(t)), `"NetworkMode": "bridge"`, `"NetworkMode": "`+mode+`"`, 1))
		docker, config := configured(t, play(t, "1.56", "1.40", container))
		resource := docker.ResourcesMap["docker_container"]
		state := &terraform.InstanceState{ID: idOf(t, container), Attributes: map[string]string{"must_run": "true"}}
		read, diags := resource.RefreshWithoutUpgrade(context.Background(), state, config)
		if diags.HasError() {
			t.Fatal(diags)
		}
		if read.Attributes["network_mode"] != mode {
			t.Fatalf("read network mode %q, not %q", read.Attributes["network_mode"], mode)
		}
		declared := terraform.NewResourceConfigRaw(map[string]any{"name": "friday-local-redis-exporter-1", "image": "x"})
		diff, err := resource.SimpleDiff(context.Background(), read, declared, config)
		if err != nil {
			t.Fatal(err)
		}
		if found, differs := diff.Attributes["network_mode"]; differs {
			t.Errorf("network mode %q: %+v", mode, found)
		}
		if _, differs := diff.Attributes["image"]; !differs {
			t.Error("another image makes no difference: nothing was compared")
		}
	}
}

func TestAnotherNetworkModeIsAChange(t *testing.T) {
	same := NewProvider().ResourcesMap["docker_container"].Schema["network_mode"].DiffSuppressFunc
	for _, each := range []struct {
		before, now string
		same        bool
	}{
		{"", "bridge", true}, {"default", "bridge", true}, {"bridge", "", true}, {"none", "none", true},
		{"bridge", "none", false}, {"none", "", false}, {"default", "host", false}, {"friday-local-app", "bridge", false},
	} {
		if found := same("network_mode", each.before, each.now, nil); found != each.same {
			t.Errorf("%q and %q: same is %v", each.before, each.now, found)
		}
	}
}
