"""A slow line, as Chromium emulates it: 9 Mbit/s and a round trip of 60 ms."""

from playwright.sync_api import Page

LINE = {"offline": False, "latency": 60, "downloadThroughput": 9e6 / 8, "uploadThroughput": 9e6 / 8}


def slow(page: Page) -> list[int]:
    """Put the page on that line; the bytes of whatever comes are appended to what this returns."""
    session, received = page.context.new_cdp_session(page), []
    session.send("Network.enable")
    session.send("Network.emulateNetworkConditions", LINE)
    session.on("Network.dataReceived", lambda told: received.append(told["encodedDataLength"]))
    session.on("Network.webSocketFrameReceived", lambda told: received.append(len(told["response"]["payloadData"])))
    return received
