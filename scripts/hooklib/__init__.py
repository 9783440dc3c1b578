"""The parts of scripts/verify-hooks."""
