"""An OpenRouter stand-in: catalogue, keys, free-model limits, bill, streaming, and faults on demand."""
