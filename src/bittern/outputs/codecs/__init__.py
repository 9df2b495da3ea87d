"""Payload codecs: what a device's bytes mean, and the bytes of what it is to be told.

`script` runs a maker's JavaScript (LoRa Alliance TS013) under limits, `worker` does so in a process
of its own, `workers` keeps such processes, `cayenne` is built in, and `desk` is whom others ask.
"""
