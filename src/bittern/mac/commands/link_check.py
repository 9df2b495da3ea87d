"""LinkCheckReq, LinkCheckAns: how well the network hears the device (TS001-1.0.4, 5.2)."""

from __future__ import annotations

from bittern.lorawan.commands import LinkCheckAns, LinkCheckReq
from bittern.mac.commands.surroundings import Handled, Surroundings
from bittern.mac.link_budget import margin_db
from bittern.mac.session import Session

MAX_MARGIN_DB = 254
"""255 is reserved."""
MAX_GATEWAYS = 255


def handle(command: LinkCheckReq, session: Session, surroundings: Surroundings) -> Handled:
    margin = round(margin_db(surroundings.snr_db, surroundings.modulation))
    answer = LinkCheckAns(
        margin=min(max(margin, 0), MAX_MARGIN_DB),
        gw_cnt=min(surroundings.gateway_count, MAX_GATEWAYS),
    )
    return Handled(session, (answer,))
