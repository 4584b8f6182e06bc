"""Running passes, and watching them run: dumps, timing, semantics checks, reproducers."""
