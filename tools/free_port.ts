// Prints the first free TCP port from the given one on.
import { createServer } from 'node:net';

let port = Number(process.argv[2] ?? 5432);

function attempt(): void {
  const server = createServer();
  server.once('error', () => { port++; if (port < 65536) attempt(); else process.exitCode = 1; });
  server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
    console.log(port);
    server.close();
  });
}
attempt();
