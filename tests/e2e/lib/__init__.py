"""What the end-to-end tests stand on: namespaces, server, clients, traffic, and what must be gone afterwards."""
