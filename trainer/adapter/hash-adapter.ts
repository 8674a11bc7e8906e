import {existsSync} from 'node:fs';
import {join} from 'node:path';
import {hashFiles} from '../files/hash.ts';
import {adapterFiles} from './files.ts';

/** Of an adapter folder: configuration and tensors, not what else lies there. */
export function hashAdapter(folder: string): Promise<string> {
  return hashFiles(...adapterFiles.map(name => join(folder, name)).filter(file => existsSync(file)));
}
