/** The language server as a process: over standard input and output, or Node's channel to its parent. */
import {createConnection, ProposedFeatures} from 'vscode-languageserver/node';
import type {Serve} from '../core/sweep/inspection.ts';
import {serveOver} from './serve-over.ts';

export const serve: Serve = (inspector, transport) => {
  const connection =
    transport === 'ipc'
      ? createConnection(ProposedFeatures.all)
      : createConnection(ProposedFeatures.all, process.stdin, process.stdout);
  serveOver(connection, inspector, {runs: true});
};
