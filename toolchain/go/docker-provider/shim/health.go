package shim

import (
	"context"
	"fmt"
	"time"

	"github.com/docker/docker/api/types"
	"github.com/hashicorp/terraform-plugin-sdk/v2/diag"
	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/schema"
	"github.com/terraform-providers/terraform-provider-docker/internal/provider"
)

const healthPoll = 100 * time.Millisecond

// waitHere moves the wait for a healthy container out of the Terraform provider: there it goes on after its own
// time limit and ends the whole plugin, with every other container that is being made, and it looks only once a second.
func waitHere(container *schema.Resource) {
	create := container.CreateContext
	container.CreateContext = func(ctx context.Context, data *schema.ResourceData, meta any) diag.Diagnostics {
		if !data.Get("wait").(bool) || !data.Get("start").(bool) {
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
	// A container that did not get healthy when it was made comes here at the next update. Were it called done, those
	// that it was to replace, which serve, would be removed. Read again, because its first reading may be missing.
	update := container.UpdateContext
	container.UpdateContext = func(ctx context.Context, data *schema.ResourceData, meta any) diag.Diagnostics {
		diags := update(ctx, data, meta)
		if diags.HasError() || !data.Get("wait").(bool) || !data.Get("start").(bool) {
			return diags
		}
		if diags = append(diags, wait(ctx, data, meta)...); diags.HasError() {
			return diags
		}
		return append(diags, container.ReadContext(ctx, data, meta)...)
	}
}

func wait(ctx context.Context, data *schema.ResourceData, meta any) diag.Diagnostics {
	limit := time.Duration(data.Get("wait_timeout").(int)) * time.Second
	return diag.FromErr(untilHealthy(ctx, meta.(*provider.ProviderConfig), data.Id(), limit))
}

func untilHealthy(ctx context.Context, config *provider.ProviderConfig, id string, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	own := newOwnProbe(ctx, config.DockerClient, id)
	for {
		found, err := config.DockerClient.ContainerInspect(ctx, id)
		switch {
		case err != nil:
			return fmt.Errorf("container %s is not healthy after %s: %w", id, limit, err)
		case found.State.Health == nil:
			return fmt.Errorf("container %s has no health check to wait for", found.Name)
		case found.State.Health.Status == types.Healthy:
			return nil
		case found.State.Health.Status == types.Unhealthy, found.RestartCount > 2:
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
