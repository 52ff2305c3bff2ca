"""How this project's Python services leave the stage without dropping a request."""
