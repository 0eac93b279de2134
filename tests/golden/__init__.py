"""What the command line promises: files to compare with, written anew by `make docs`."""
