package shim

import (
	"context"
	"io"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/client"
)

const (
	firstPause = time.Second
	shortPause = 250 * time.Millisecond
	longer     = 1.5
	endPoll    = 10 * time.Millisecond
)

// ownProbe runs a container's own health check between the engine's turns. The engine's first one comes a whole interval
// after the start and the next an interval later, while the replicas that are to go still serve what nobody wants any more.
//
// Each probe takes processor time from what starts, so it is not asked at random: most programs log a line when they are
// ready, and a container that has just logged is asked at once. One that says nothing is asked after pauses that grow.
type ownProbe struct {
	engine  *client.Client
	words   chan struct{} // the container has logged
	verdict chan bool     // a probe has ended, and whether well
	running bool
	ended   time.Time
	pause   time.Duration
	next    time.Time
}

func newOwnProbe(ctx context.Context, engine *client.Client, id string) *ownProbe {
	probe := &ownProbe{
		engine:  engine,
		words:   make(chan struct{}, 1),
		verdict: make(chan bool, 1),
		pause:   firstPause,
		next:    time.Now().Add(firstPause),
	}
	go probe.listen(ctx, id)
	return probe
}

// listen tells whenever the container logs; where its log cannot be read, the pauses decide.
func (probe *ownProbe) listen(ctx context.Context, id string) {
	log, err := probe.engine.ContainerLogs(ctx, id, container.LogsOptions{ShowStdout: true, ShowStderr: true, Follow: true})
	if err != nil {
		return
	}
	defer log.Close()
	lines := make([]byte, 4096)
	for {
		if _, err := log.Read(lines); err != nil {
			return
		}
		select {
		case probe.words <- struct{}{}:
		default: // the last one is still to be heard
		}
	}
}

// ask starts the container's health check when it is time for one; its verdict comes on the channel.
func (probe *ownProbe) ask(ctx context.Context, found container.InspectResponse) {
	if probe.running || found.Config.Healthcheck == nil {
		return
	}
	command := commandOf(found.Config.Healthcheck.Test)
	if command == nil || time.Now().Before(probe.next) {
		return
	}
	probe.running = true
	go func() { probe.verdict <- probe.passes(ctx, found.ID, command) }()
}

// hearing returns the channel to wait on for the container's words: none while a probe could not follow them, for
// some containers never stop talking.
func (probe *ownProbe) hearing() <-chan struct{} {
	if probe.running || time.Since(probe.ended) < shortPause {
		return nil
	}
	return probe.words
}

// spoken makes a probe due: the container may be ready.
func (probe *ownProbe) spoken() {
	probe.pause = shortPause // it may have spoken a moment before it listens
	probe.next = time.Now()
}

// failed plans the next probe.
func (probe *ownProbe) failed() {
	probe.running = false
	probe.ended = time.Now()
	probe.next = probe.ended.Add(probe.pause)
	probe.pause = time.Duration(float64(probe.pause) * longer)
}

// passes runs the check and waits for its end. Where that cannot be done, the engine's own turns decide.
func (probe *ownProbe) passes(ctx context.Context, id string, command []string) bool {
	made, err := probe.engine.ContainerExecCreate(ctx, id, container.ExecOptions{Cmd: command, AttachStdout: true})
	if err != nil {
		return false
	}
	output, err := probe.engine.ContainerExecAttach(ctx, made.ID, container.ExecStartOptions{})
	if err != nil {
		return false
	}
	defer output.Close()
	stop := context.AfterFunc(ctx, output.Close)
	defer stop()
	_, _ = io.Copy(io.Discard, output.Reader) // until the check has closed its output
	for ctx.Err() == nil {
		found, err := probe.engine.ContainerExecInspect(ctx, made.ID)
		if err != nil || !found.Running {
			return err == nil && found.ExitCode == 0
		}
		time.Sleep(endPoll)
	}
	return false
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
