/** The language server as a worker of a browser: texts alone, without a file around them. */
import {BrowserMessageReader, BrowserMessageWriter, createConnection} from 'vscode-languageserver/browser';
import type {Inspector} from '../../core/sweep/inspection.ts';
import {serveOver} from '../serve-over.ts';

/** Sees nothing. */
const blind: Inspector = {
  inspect: async () => ({faults: [], model: null, data: null, cost: null, results: null}),
  model: async () => null,
  columns: async () => [],
  candidates: async () => [],
  sweepFiles: async () => [],
};

/** The worker's own end of its channel. */
declare const self: ConstructorParameters<typeof BrowserMessageReader>[0];

const connection = createConnection(new BrowserMessageReader(self), new BrowserMessageWriter(self));
serveOver(connection, blind, {runs: false});
