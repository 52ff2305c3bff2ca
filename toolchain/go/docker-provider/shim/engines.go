package shim

import (
	"context"

	"github.com/docker/docker/api/types/versions"
	"github.com/docker/docker/client"
	"github.com/hashicorp/terraform-plugin-sdk/v2/diag"
	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/schema"
	"github.com/terraform-providers/terraform-provider-docker/internal/provider"
)

// newestAPI is the newest API that was tried with the pinned Docker client. The client itself stops at 1.41, which
// engines 29.0 to 29.2 refuse.
const newestAPI = "1.44"

// speakNewerAPI lets the provider's client speak newestAPI where the engine knows it. Older engines are asked as before:
// the client itself settles for what they know.
func speakNewerAPI(docker *schema.Provider) {
	configure := docker.ConfigureContextFunc
	docker.ConfigureContextFunc = func(ctx context.Context, data *schema.ResourceData) (any, diag.Diagnostics) {
		meta, diags := configure(ctx, data)
		if diags.HasError() {
			return meta, diags
		}
		return meta, append(diags, diag.FromErr(raiseAPI(ctx, meta.(*provider.ProviderConfig).DockerClient))...)
	}
}

func raiseAPI(ctx context.Context, engine *client.Client) error {
	ping, err := engine.Ping(ctx)
	if err != nil || ping.APIVersion == "" || versions.LessThan(ping.APIVersion, newestAPI) {
		return err
	}
	return client.WithVersion(newestAPI)(engine)
}

// sameNetworkMode treats the ways in which engines write "no mode was asked for" alike: from 26.1 on they store "bridge",
// older ones "default". The pinned provider knows the second only, and would replace every container at each update.
func sameNetworkMode(container *schema.Resource) {
	container.Schema["network_mode"].DiffSuppressFunc = func(_, before, now string, _ *schema.ResourceData) bool {
		return plainMode(before) == plainMode(now)
	}
}

func plainMode(mode string) string {
	if mode == "" || mode == "bridge" {
		return "default"
	}
	return mode
}
