"""Reports about a compiled network: tables, traffic between memories, and maps of memories."""
