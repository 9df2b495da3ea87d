"""The network's half of the LoRaWAN protocol, pure: sessions in, next sessions and frames out."""
