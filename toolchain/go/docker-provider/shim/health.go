package shim

import (
	"context"
	"fmt"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/client"
	"github.com/hashicorp/terraform-plugin-sdk/v2/diag"
	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/schema"
	"github.com/terraform-providers/terraform-provider-docker/internal/provider"
)

const (
	healthPoll    = 100 * time.Millisecond
	ends          = 6 // as ENDS in ops/hosts/crash_loops.py
	startInterval = "healthcheck.0.start_interval"
)

// probeEarly shortens the wait for a healthy container on engines before 25. Those have no start interval: they run a
// container's first health check a whole interval after its start. With a start interval the provider's own wait is used.
func probeEarly(resource *schema.Resource) {
	create := resource.CreateContext
	resource.CreateContext = func(ctx context.Context, data *schema.ResourceData, meta any) diag.Diagnostics {
		if !data.Get("wait").(bool) || !data.Get("start").(bool) || hasStartInterval(data) {
			return create(ctx, data, meta)
		}
		if err := data.Set("wait", false); err != nil {
			return diag.FromErr(err)
		}
		diags := create(ctx, data, meta)
		if err := data.Set("wait", true); err != nil || diags.HasError() {
			return append(diags, diag.FromErr(err)...)
		}
		return append(diags, wait(ctx, data, meta)...)
	}
}

func hasStartInterval(data *schema.ResourceData) bool {
	interval, _ := data.Get(startInterval).(string)
	seconds, err := time.ParseDuration(interval)
	return err == nil && seconds > 0
}

func wait(ctx context.Context, data *schema.ResourceData, meta any) diag.Diagnostics {
	engine, err := meta.(*provider.ProviderConfig).MakeClient(ctx, data)
	if err != nil {
		return diag.FromErr(err)
	}
	limit := time.Duration(data.Get("wait_timeout").(int)) * time.Second
	return diag.FromErr(untilHealthy(ctx, engine, data.Id(), limit))
}

func untilHealthy(ctx context.Context, engine *client.Client, id string, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	own := newOwnProbe(ctx, engine, id)
	for {
		found, err := engine.ContainerInspect(ctx, id)
		switch {
		case ctx.Err() != nil:
			return fmt.Errorf("container %s is not healthy after %s", id, limit)
		case err != nil:
			return fmt.Errorf("container %s is not there to get healthy: %w", id, err)
		case found.State.Health == nil:
			return fmt.Errorf("container %s has no health check to wait for", found.Name)
		case found.State.Health.Status == container.Healthy:
			return nil
		// The engine calls unhealthy what it is about to start again, too: that one may find its database next time.
		case found.State.Health.Status == container.Unhealthy && !found.State.Restarting, found.RestartCount >= ends:
			return fmt.Errorf("container %s does not get healthy (%s, %d restarts)", found.Name, found.State.Status, found.RestartCount)
		case found.State.Running:
			own.ask(ctx, found)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("container %s is not healthy after %s", found.Name, limit)
		case passed := <-own.verdict:
			if passed {
				return nil
			}
			own.failed()
		case <-own.hearing():
			own.spoken()
		case <-time.After(healthPoll):
		}
	}
}
