#!/bin/sh
# needs: /usr/bin/python3
exec /usr/bin/python3 -c '
import asyncio
async def handle(reader, writer):
    data = await reader.readline()
    writer.write(data.upper()); await writer.drain(); writer.close()
async def client(port, text):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(text + b"\n"); await writer.drain()
    answer = await reader.readline(); writer.close()
    return answer
async def main():
    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    print(await asyncio.gather(*(client(port, b"message %d" % n) for n in range(10))))
    await asyncio.sleep(0.01)
    p = await asyncio.create_subprocess_exec("echo", "child", stdout=asyncio.subprocess.PIPE)
    print((await p.communicate())[0], p.returncode)
asyncio.run(main())
'
