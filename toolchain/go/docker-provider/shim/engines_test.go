package shim

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/docker/docker/api"
	"github.com/docker/docker/client"
	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/schema"
	"github.com/hashicorp/terraform-plugin-sdk/v2/terraform"
	"github.com/terraform-providers/terraform-provider-docker/internal/provider"
)

// newestAPI is the newest API that the provider's client speaks: DOCKER_API_SPOKEN of toolchain/versions.py.
const newestAPI = "1.51"

// engine plays a Docker engine that speaks an API and holds the recorded container; asked are the paths of its requests.
type engine struct {
	*httptest.Server
	lock  sync.Mutex
	asked []string
}

func play(t *testing.T, newest, oldest string, container []byte) *engine {
	t.Helper()
	played := &engine{}
	played.Server = httptest.NewServer(http.HandlerFunc(func(answer http.ResponseWriter, request *http.Request) {
		answer.Header().Set("API-Version", newest)
		if request.URL.Path == "/_ping" {
			return
		}
		version, path, _ := strings.Cut(strings.TrimPrefix(request.URL.Path, "/v"), "/")
		played.lock.Lock()
		played.asked = append(played.asked, request.URL.Path)
		played.lock.Unlock()
		switch {
		case older(version, oldest):
			http.Error(answer, `{"message":"client version `+version+` is too old"}`, http.StatusBadRequest)
		case path == "version":
			_, _ = answer.Write([]byte(`{}`))
		case path == "containers/json":
			_, _ = answer.Write([]byte(`[{"Id":"` + idOf(t, container) + `"}]`))
		default:
			_, _ = answer.Write(container)
		}
	}))
	t.Cleanup(played.Close)
	return played
}

func (played *engine) host() string {
	return "tcp://" + strings.TrimPrefix(played.URL, "http://")
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

func configured(t *testing.T, host string) (*schema.Provider, *provider.ProviderConfig) {
	t.Helper()
	docker := NewProvider()
	diags := docker.Configure(context.Background(), terraform.NewResourceConfigRaw(map[string]any{"host": host}))
	if diags.HasError() {
		t.Fatal(diags)
	}
	return docker, docker.Meta().(*provider.ProviderConfig)
}

func connected(t *testing.T, host string) *client.Client {
	t.Helper()
	_, config := configured(t, host)
	made, err := config.MakeClient(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func TestTheClientSpeaksTheAPIThatEnginesAreComparedWith(t *testing.T) {
	if api.DefaultVersion != newestAPI {
		t.Errorf("the client speaks %s, not %s", api.DefaultVersion, newestAPI)
	}
}

func TestEachEngineIsAskedInTheNewestAPIThatBothKnow(t *testing.T) {
	for _, each := range []struct{ newest, oldest, spoken string }{
		{"1.56", "1.44", newestAPI}, // 29.0 to 29.2
		{"1.56", "1.40", newestAPI}, // from 29.3 on
		{"1.44", "1.24", "1.44"},    // 25
		{"1.41", "1.12", "1.41"},    // 20.10
	} {
		played := play(t, each.newest, each.oldest, recorded(t))
		if _, err := connected(t, played.host()).ContainerInspect(context.Background(), "x"); err != nil {
			t.Errorf("API %s to %s: %v", each.oldest, each.newest, err)
		}
		last := played.asked[len(played.asked)-1]
		if want := "/v" + each.spoken + "/containers/x/json"; last != want {
			t.Errorf("API %s to %s was asked %s, not %s", each.oldest, each.newest, last, want)
		}
	}
}

// The container was made by this plugin on an engine 29 and read there with `docker inspect`.
func TestAContainerOfAModernEngineIsNotReplacedForTheNetworkModeThatTheEngineWrites(t *testing.T) {
	container := recorded(t)
	docker, config := configured(t, play(t, "1.56", "1.40", container).host())
	resource := docker.ResourcesMap["docker_container"]
	state := &terraform.InstanceState{ID: idOf(t, container), Attributes: map[string]string{"must_run": "true"}}
	read, diags := resource.RefreshWithoutUpgrade(context.Background(), state, config)
	if diags.HasError() {
		t.Fatal(diags)
	}
	declared := terraform.NewResourceConfigRaw(map[string]any{"name": "friday-local-redis-exporter-1", "image": "x"})
	diff, err := resource.SimpleDiff(context.Background(), read, declared, config)
	if err != nil {
		t.Fatal(err)
	}
	if found, differs := diff.Attributes["network_mode"]; differs {
		t.Errorf("network mode: %+v", found)
	}
	if _, differs := diff.Attributes["image"]; !differs {
		t.Error("another image makes no difference: nothing was compared")
	}
}
