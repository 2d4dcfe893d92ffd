"""The parts of the fault campaign: the room it works in, the faults, the check afterwards."""
