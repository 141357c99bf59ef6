"""Fetches targets over HTTP/3 with aioquic: HOST PORT CA PREFIX TARGET… writes PREFIX-0, PREFIX-1 and so on."""

import asyncio
import sys

from aioquic.asyncio.client import connect
from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.h3.connection import H3_ALPN, H3Connection
from aioquic.h3.events import DataReceived, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration


class Client(QuicConnectionProtocol):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.http = H3Connection(self._quic)
        self.waiting, self.bodies, self.statuses = {}, {}, {}

    def quic_event_received(self, event):
        for found in self.http.handle_event(event):
            stream = found.stream_id
            if isinstance(found, HeadersReceived):
                self.statuses[stream] = dict(found.headers)[b":status"]
            elif isinstance(found, DataReceived):
                self.bodies[stream] += found.data
            if found.stream_ended:
                self.waiting.pop(stream).set_result((self.statuses[stream], self.bodies[stream]))

    async def get(self, authority, target):
        stream = self._quic.get_next_available_stream_id()
        self.bodies[stream] = b""
        self.waiting[stream] = done = self._loop.create_future()
        head = [(b":method", b"GET"), (b":scheme", b"https"), (b":authority", authority), (b":path", target.encode())]
        self.http.send_headers(stream, head, end_stream=True)
        self.transmit()
        return await asyncio.wait_for(asyncio.shield(done), 60)


async def main(host, port, authority_file, prefix, targets):
    configuration = QuicConfiguration(is_client=True, alpn_protocols=H3_ALPN, server_name="img.test")
    configuration.load_verify_locations(authority_file)
    async with connect(host, int(port), configuration=configuration, create_protocol=Client) as client:
        authority = f"img.test:{port}".encode()
        answers = await asyncio.gather(*(client.get(authority, target) for target in targets))
        for number, (status, body) in enumerate(answers):
            if status != b"200":
                sys.exit(f"{targets[number]}: {status.decode()}")
            with open(f"{prefix}-{number}", "wb") as file:
                file.write(body)


asyncio.run(main(*sys.argv[1:5], sys.argv[5:]))
