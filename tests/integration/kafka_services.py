"""Apache Kafka itself: one broker without ZooKeeper, with a door for each way to come in.

BITTERN_KAFKA_LIBS names a folder with its jars and theirs (org.apache.kafka:kafka_2.13, 3.9, and
an slf4j binding); a `java` of version 17 or later runs them.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import trustme
from aiokafka import AIOKafkaConsumer
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from output_chaos import Program, free_port

LIBS = os.environ.get("BITTERN_KAFKA_LIBS")
JAVA = shutil.which("java")
NO_LIBS = "BITTERN_KAFKA_LIBS names no folder with Kafka"
NO_JAVA = "java is not installed"
USER, PASSWORD = "lns", "right one"
MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
DOORS = {"PLAINTEXT": "open", "SASL_PLAINTEXT": "login", "SSL": "tls", "SASL_SSL": "both"}
"""The security protocols, and the names of their listeners."""
_STORE = "org.apache.kafka.common.security"


class Kafka(Program):
    """`port` is the open one; `ports` are all, by their security protocol.

    At SSL it wants a certificate of a client, at SASL_SSL none.
    """

    def __init__(self, folder: Path, secrets: Path) -> None:
        self.ports = {protocol: free_port() for protocol in DOORS}
        self.folder = folder
        self._folder = folder / "kafka"
        self._folder.mkdir()
        self._write_certificates(secrets)
        properties = self._folder / "server.properties"
        properties.write_text("".join(f"{line}\n" for line in self._properties()))
        java = [str(JAVA), "-Xmx512m", "-cp", f"{LIBS}/*"]
        users = [
            argument
            for mechanism in MECHANISMS[1:]
            for argument in ("--add-scram", f"{mechanism}=[name={USER},password={PASSWORD}]")
        ]
        subprocess.run(
            [*java, "kafka.tools.StorageTool", "format", "-t", "AAAAAAAAAAAAAAAAAAAAAQ",
             "-c", str(properties), *users],
            check=True, capture_output=True,
        )  # fmt: skip
        super().__init__([*java, "kafka.Kafka", str(properties)], self.ports["PLAINTEXT"])

    def _properties(self) -> list[str]:
        controller = free_port()
        doors = [f"{name.upper()}://127.0.0.1:{self.ports[of]}" for of, name in DOORS.items()]
        protocols = [f"{name.upper()}:{protocol}" for protocol, name in DOORS.items()]
        return [
            "process.roles=broker,controller",
            "node.id=1",
            f"controller.quorum.voters=1@127.0.0.1:{controller}",
            f"listeners={','.join(doors)},CONTROLLER://127.0.0.1:{controller}",
            f"advertised.listeners={','.join(doors)}",
            f"listener.security.protocol.map={','.join(protocols)},CONTROLLER:PLAINTEXT",
            "controller.listener.names=CONTROLLER",
            "inter.broker.listener.name=OPEN",
            f"log.dirs={self._folder}/log",
            "num.partitions=3",
            "offsets.topic.replication.factor=1",
            "transaction.state.log.replication.factor=1",
            "transaction.state.log.min.isr=1",
            "message.max.bytes=100000",
            f"sasl.enabled.mechanisms={','.join(MECHANISMS)}",
            *(line for door in ("login", "both") for line in _logins(door)),
            "ssl.keystore.type=PEM",
            f"ssl.keystore.location={self._folder}/own.pem",
            "ssl.truststore.type=PEM",
            f"ssl.truststore.location={self._folder}/clients.pem",
            "listener.name.tls.ssl.client.auth=required",
        ]

    def _write_certificates(self, secrets: Path) -> None:
        """Ours and Kafka's, each of its own authority; ours are in the folder of secrets."""
        ours, its = trustme.CA(), trustme.CA()
        secrets.mkdir(exist_ok=True)
        its.cert_pem.write_to_path(str(secrets / "ca.pem"))
        ours.cert_pem.write_to_path(str(self._folder / "clients.pem"))
        ours.issue_cert("bittern.example").private_key_and_cert_chain_pem.write_to_path(
            str(secrets / "own.pem")
        )
        issued = its.issue_cert("127.0.0.1")
        # Java takes keys in PKCS 8 only.
        key = load_pem_private_key(issued.private_key_pem.bytes(), None).private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
        )
        (self._folder / "own.pem").write_bytes(key + issued.cert_chain_pems[0].bytes())
        (secrets / "password").write_text(f"{PASSWORD}\n")

    def parameters(self, protocol: str = "PLAINTEXT", mechanism: str = "") -> dict[str, Any]:
        """Of an action, but for the topic."""
        client = {
            "bootstrap.servers": f"127.0.0.1:{self.ports[protocol]}",
            "acks": "all",
            "security.protocol": protocol,
        }
        action: dict[str, Any] = {"clientProperties": client}
        if mechanism:
            client |= {"sasl.mechanism": mechanism, "sasl.username": USER}
            action["passwordFile"] = "password"
        if protocol == "SSL":
            action["tls"] = {"ca": "ca.pem", "certificate": "own.pem", "key": "own.pem"}
        elif protocol == "SASL_SSL":
            action["tls"] = {"ca": "ca.pem"}
        return action

    async def records(self, topic: str) -> list[Any]:
        """All there are, by partition and then in order."""
        consumer = AIOKafkaConsumer(
            topic, bootstrap_servers=f"127.0.0.1:{self.port}", auto_offset_reset="earliest"
        )
        await consumer.start()
        found: list[Any] = []
        try:
            ends = await consumer.end_offsets(consumer.assignment())
            while len(found) < sum(ends.values()):
                for some in (await consumer.getmany(timeout_ms=1000)).values():
                    found += some
        finally:
            await consumer.stop()
        return found


def _logins(door: str) -> list[str]:
    plain = f'{_STORE}.plain.PlainLoginModule required user_{USER}="{PASSWORD}";'
    scram = f"{_STORE}.scram.ScramLoginModule required;"
    return [
        f"listener.name.{door}.plain.sasl.jaas.config={plain}",
        f"listener.name.{door}.scram-sha-256.sasl.jaas.config={scram}",
        f"listener.name.{door}.scram-sha-512.sasl.jaas.config={scram}",
    ]
