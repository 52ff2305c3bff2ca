"""How a rollout goes on and back: pure, without Pulumi, requests or a clock."""
