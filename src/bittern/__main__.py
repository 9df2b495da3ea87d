"""`python -m bittern` is `bittern`."""

from bittern.cli import main

main()
