/** What the socket of a run is called: nothing else is ever connected to or cleared away because a file names it. */

const form = /^lora-sweep-[0-9a-f]{16}$/;

/** @param digest hex digits that tell runs apart, sixteen at least */
export function controlName(digest: string): string {
  return `lora-sweep-${digest.slice(0, 16)}`;
}

/** Whether an address is one that a run of ours can have, by its name: a named pipe on Windows, a socket file elsewhere. */
export function isControlAddress(address: string, platform: string): boolean {
  const before = platform === 'win32' ? '\\\\.\\pipe\\' : '/';
  const [after, start] = platform === 'win32' ? ['', 0] : ['.sock', address.lastIndexOf('/')];
  if (start < 0 || !address.startsWith(before, start) || !address.endsWith(after)) return false;
  return form.test(address.slice(start + before.length, address.length - after.length));
}
