"""`bittern api`: what of AWS's API this server offers."""

from __future__ import annotations

import msgspec

from bittern.cli import output, parameters
from bittern.cli.group import noun

app = noun("The API that clients of AWS speak to.")


@app.command("coverage")
def coverage(as_json: parameters.AsJson = False) -> None:
    """List AWS's operations: which are offered, and why the others are not."""
    # Its models take a moment to load, and no other command needs them.
    from bittern.api.coverage import coverage as found

    services = found()
    if as_json:
        output.print_json(msgspec.to_builtins(services))
        return
    output.table(
        ["SERVICE", "OPERATION", "STATE", "REASON"],
        [
            [service, one.operation, one.state, one.reason]
            for service, operations in services.items()
            for one in operations
        ],
        empty="no operations",
    )
