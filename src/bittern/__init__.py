"""bittern: a self-hosted LoRaWAN network server behind the AWS IoT Core for LoRaWAN API."""

__version__ = "0.1.0"
