"""The access archive (C12): all that is stored about one member, in one encrypted file, made by a command."""
