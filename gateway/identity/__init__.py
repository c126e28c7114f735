"""Who asks: from a credential to a principal. Nothing else in the program reads a credential."""
