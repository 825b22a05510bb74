"""A server of one bucket that answers as S3 does, each request after 20 ms.

Usage: python benchmarks/bucket_server.py FOLDER
"""

import asyncio
import sys
from email.utils import formatdate
from pathlib import Path

LATENCY = 0.02


async def serve(folder: Path) -> None:
    """Serve the files of a folder as the objects of any bucket; print the address."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                path = head.split(b" ", 2)[1].decode().split("?")[0]
                file = folder / Path(path).name
                await asyncio.sleep(LATENCY)
                modified = formatdate(0, usegmt=True)
                size = file.stat().st_size
                lines = ["HTTP/1.1 200 OK", f"Content-Length: {size}", f"Last-Modified: {modified}", 'ETag: "1"']
                writer.write("\r\n".join([*lines, "", ""]).encode())
                with file.open("rb") as opened:  # past the program: the client should not share its processor
                    await asyncio.get_running_loop().sendfile(writer.transport, opened)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
