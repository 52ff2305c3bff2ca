"""What the world measured: Prometheus and OpenRouter."""
