"""Every fault and error of the simulator, met by users of the deployed stack. A package, so that it has a scope."""
