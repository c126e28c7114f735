"""What exists: the nouns of the system, with the data category that each carries. Imports none of ours."""
