/** Hubs of the tests on loopback. */
import type {Server} from 'node:http';
import type {AddressInfo} from 'node:net';

/** Starts a server on a free port of this machine; `close` ends its connections, too. */
export async function onLoopback(server: Server): Promise<{endpoint: string; close(): Promise<void>}> {
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
