"""The LoRaWAN specification, pure: frames, keys, MAC commands, versions, regions, airtime."""
