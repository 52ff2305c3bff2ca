"""The commands of ./fridayctl, one module each."""
