package shim

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/docker/docker/api/types"
	"github.com/docker/docker/client"
)

const (
	firstPause = time.Second
	shortPause = 250 * time.Millisecond
	longer     = 1.5
)

// ownProbe runs a container's own health check between the engine's turns. The engine's first one comes a whole interval
// after the start and the next an interval later, while the replicas that are to go still serve what nobody wants any more.
//
// Each probe takes processor time from what starts, so it is not asked at random: most programs log a line when they are
// ready, and a container that has just logged is asked at once. One that says nothing is asked after pauses that grow.
type ownProbe struct {
	engine  *client.Client
	spoke   atomic.Bool
	running string
	ended   time.Time
	pause   time.Duration
	next    time.Time
}

func newOwnProbe(ctx context.Context, engine *client.Client, id string) *ownProbe {
	probe := &ownProbe{engine: engine, pause: firstPause, next: time.Now().Add(firstPause)}
	go probe.listen(ctx, id)
	return probe
}

// listen notes whenever the container logs; where its log cannot be read, the pauses decide.
func (probe *ownProbe) listen(ctx context.Context, id string) {
	log, err := probe.engine.ContainerLogs(ctx, id, types.ContainerLogsOptions{ShowStdout: true, ShowStderr: true, Follow: true})
	if err != nil {
		return
	}
	defer log.Close()
	lines := make([]byte, 4096)
	for {
		if _, err := log.Read(lines); err != nil {
			return
		}
		probe.spoke.Store(true)
	}
}

// passed tells whether a probe has ended well; it starts one when it is time, and never waits for it.
func (probe *ownProbe) passed(ctx context.Context, container types.ContainerJSON) bool {
	if probe.running == "" {
		if probe.due() {
			probe.start(ctx, container)
		}
		return false
	}
	found, err := probe.engine.ContainerExecInspect(ctx, probe.running)
	if err == nil && found.Running {
		return false
	}
	probe.running = ""
	probe.ended = time.Now()
	probe.next = probe.ended.Add(probe.pause)
	probe.pause = time.Duration(float64(probe.pause) * longer)
	return err == nil && found.ExitCode == 0
}

func (probe *ownProbe) due() bool {
	if time.Since(probe.ended) > shortPause && probe.spoke.Swap(false) {
		probe.pause = shortPause // it may have spoken a moment before it listens
		return true
	}
	return time.Now().After(probe.next)
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
