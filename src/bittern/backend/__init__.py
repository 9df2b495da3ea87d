"""LoRaWAN Backend Interfaces (TS002), without input or output: what servers say to each other."""
