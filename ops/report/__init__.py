"""One stack as people read it at night: collected, judged, and put into one model that is rendered and printed."""
