"""HOW a stack is operated, on Pulumi's Automation API and the Docker hosts."""
