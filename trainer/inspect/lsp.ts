/** `lsp`: the language server, with this program's eyes. The server itself is a program of its own beside this one. */
import type {Serve} from '../../core/sweep/inspection.ts';
import {openInspector} from './inspector.ts';

/** As source or as built. */
const serverFile = new URL(
  import.meta.url.endsWith('.ts') ? '../../server/server.ts' : '../server/server.js',
  import.meta.url,
);

export async function serveLanguage(transport: 'stdio' | 'ipc'): Promise<void> {
  const {serve} = (await import(serverFile.href)) as {serve: Serve};
  serve(openInspector(), transport);
}
