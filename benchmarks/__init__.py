"""Side-by-side measurements, and what they are made with."""
