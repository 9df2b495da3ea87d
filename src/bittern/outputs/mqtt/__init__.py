"""MQTT: its packets and topics, and an external broker as an output."""
