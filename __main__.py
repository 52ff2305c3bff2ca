"""What plain `pulumi` runs."""

from program import program

program()
