"""The dialects of Deeploy, from networks (`graph`) down to memory, transfers and cores."""
