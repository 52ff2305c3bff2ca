"""What an operator does to a stack: the order of steps of each verb."""
