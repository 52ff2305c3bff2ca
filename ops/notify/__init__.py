"""Who is told what happens to a rollout, and the operator's own programs that run beside a command."""
