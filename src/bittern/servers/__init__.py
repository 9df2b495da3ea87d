"""What listens: gateways, the API, and who watches with `bittern tail`."""
