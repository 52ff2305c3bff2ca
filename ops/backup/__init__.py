"""What a backup is as a file: sealed with a passphrase, its members, and the manifest that says what is in it."""
