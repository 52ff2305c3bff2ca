package shim

import (
	"context"
	"time"

	"github.com/docker/docker/api/types"
	"github.com/docker/docker/client"
)

const (
	firstPause = 400 * time.Millisecond
	longer     = 1.25
)

// ownProbe runs a container's own health check between the engine's turns. The engine's first one comes a whole interval
// after the start and the next an interval later, while the replicas that are to go still serve what nobody wants any more.
// Each probe takes processor time from what starts: the longer that takes, the longer the pauses get.
type ownProbe struct {
	engine  *client.Client
	running string
	pause   time.Duration
	next    time.Time
}

// passed tells whether a probe has ended well; it starts one when it is time, and never waits for it.
func (probe *ownProbe) passed(ctx context.Context, container types.ContainerJSON) bool {
	if probe.running == "" {
		if time.Now().After(probe.next) {
			probe.start(ctx, container)
		}
		return false
	}
	found, err := probe.engine.ContainerExecInspect(ctx, probe.running)
	if err == nil && found.Running {
		return false
	}
	probe.running = ""
	probe.pause = time.Duration(float64(probe.pause) * longer)
	probe.next = time.Now().Add(probe.pause)
	return err == nil && found.ExitCode == 0
}

// start runs the check; where that cannot be done, the engine's own turns decide.
func (probe *ownProbe) start(ctx context.Context, container types.ContainerJSON) {
	check := container.Config.Healthcheck
	if check == nil {
		return
	}
	command := commandOf(check.Test)
	if command == nil {
		return
	}
	made, err := probe.engine.ContainerExecCreate(ctx, container.ID, types.ExecConfig{Cmd: command})
	if err != nil {
		return
	}
	if probe.engine.ContainerExecStart(ctx, made.ID, types.ExecStartCheck{Detach: true}) == nil {
		probe.running = made.ID
	}
}

// commandOf returns what the engine runs for a health check (https://docs.docker.com/reference/dockerfile/#healthcheck).
func commandOf(test []string) []string {
	switch {
	case len(test) > 1 && test[0] == "CMD":
		return test[1:]
	case len(test) == 2 && test[0] == "CMD-SHELL":
		return []string{"/bin/sh", "-c", test[1]}
	default:
		return nil
	}
}
