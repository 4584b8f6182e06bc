"""Interfaces that operations of several dialects implement."""
