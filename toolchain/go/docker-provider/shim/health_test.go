package shim

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/client"
	"github.com/docker/docker/pkg/stdcopy"
	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/schema"
)

// starting plays an engine with one container, whose health it reports and whose own health check ends as told.
func starting(t *testing.T, health string, exitCode int) *client.Client {
	t.Helper()
	return playing(t, fmt.Sprintf(`{"Running": true, "Status": "running", "Health": {"Status": %q}}`, health), 0, exitCode)
}

// restarting plays an engine with one container, which has ended, so often by now.
func restarting(t *testing.T, times int) *client.Client {
	t.Helper()
	state := `{"Running": true, "Restarting": true, "Status": "restarting", "Health": {"Status": "unhealthy"}}`
	return playing(t, state, times, 1)
}

func playing(t *testing.T, state string, restarts int, exitCode int) *client.Client {
	t.Helper()
	inspected := fmt.Sprintf(`{"Id": "x", "Name": "/friday", "Config": {"Healthcheck": {"Test": ["CMD", "true"]}},
		"RestartCount": %d, "State": %s}`, restarts, state)
	played := httptest.NewServer(http.HandlerFunc(func(answer http.ResponseWriter, request *http.Request) {
		answer.Header().Set("API-Version", "1.41")
		switch path := request.URL.Path[strings.LastIndex(request.URL.Path, "/")+1:]; {
		case strings.Contains(request.URL.Path, "/exec/") && path == "start":
			connection, _, err := answer.(http.Hijacker).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			_, _ = connection.Write([]byte("HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n"))
			_ = connection.Close()
		case strings.Contains(request.URL.Path, "/exec/"):
			_, _ = fmt.Fprintf(answer, `{"Running": false, "ExitCode": %d}`, exitCode)
		case path == "exec":
			answer.WriteHeader(http.StatusCreated)
			_, _ = answer.Write([]byte(`{"Id": "check"}`))
		case path == "logs":
			var line bytes.Buffer
			_, _ = stdcopy.NewStdWriter(&line, stdcopy.Stdout).Write([]byte("ready\n"))
			_, _ = answer.Write(line.Bytes())
		default:
			_, _ = answer.Write([]byte(inspected))
		}
	}))
	t.Cleanup(played.Close)
	made, err := client.NewClientWithOpts(client.WithHost("tcp://" + strings.TrimPrefix(played.URL, "http://")))
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func TestAContainerIsHealthyAsSoonAsItsOwnCheckPasses(t *testing.T) {
	if err := untilHealthy(context.Background(), starting(t, "starting", 0), "x", time.Minute); err != nil {
		t.Error(err)
	}
}

func TestAContainerThatTheEngineFindsUnhealthyEndsTheWaitWithItsName(t *testing.T) {
	err := untilHealthy(context.Background(), starting(t, "unhealthy", 1), "x", time.Minute)
	if err == nil || !strings.Contains(err.Error(), "/friday does not get healthy") {
		t.Error(err)
	}
}

func TestAContainerWhoseCheckFailsIsWaitedForUntilTheLimit(t *testing.T) {
	err := untilHealthy(context.Background(), starting(t, "starting", 1), "x", time.Second)
	if err == nil || !strings.Contains(err.Error(), "not healthy after 1s") {
		t.Error(err)
	}
}

func TestAContainerThatIsStartedAgainIsWaitedForAFewTimes(t *testing.T) {
	err := untilHealthy(context.Background(), restarting(t, ends-1), "x", time.Second)
	if err == nil || !strings.Contains(err.Error(), "not healthy after 1s") {
		t.Error(err)
	}
	err = untilHealthy(context.Background(), restarting(t, ends), "x", time.Minute)
	if err == nil || !strings.Contains(err.Error(), "/friday does not get healthy (restarting, 6 restarts)") {
		t.Error(err)
	}
}

func TestWithAStartIntervalTheProvidersOwnWaitIsUsed(t *testing.T) {
	container := NewProvider().ResourcesMap["docker_container"].Schema
	for interval, want := range map[string]bool{"": false, "0s": false, "1s": true, "500ms": true} {
		check := map[string]any{"test": []any{"CMD", "true"}, "start_interval": interval}
		data := schema.TestResourceDataRaw(t, container, map[string]any{"healthcheck": []any{check}})
		if found := hasStartInterval(data); found != want {
			t.Errorf("start interval %q: %v", interval, found)
		}
	}
}
